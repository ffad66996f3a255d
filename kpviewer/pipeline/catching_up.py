"""A paused frame that passed without the model, because the model came in the same instant."""

from kpviewer.pipeline.pipeline import Pipeline


def catch_up(pipeline: Pipeline) -> None:
    """Repeat the frame of a paused file if the model has seen none yet; call it regularly.

    Asked at the arrival of the model alone, a pipeline may still owe that frame, and then repeats
    nothing.
    """
    engine = pipeline.settings.current.engine
    if engine is not None and pipeline.transport.paused:
        pipeline.repeat_frame(engine)
