"""What the pipeline needs of others: an engine that runs a model, and sinks for results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import Candidates, FrameResult, ImageArray


class InferenceEngine(Protocol):
    """Runs a model on one image; ``runtime.executor.Executor`` is one."""

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        """Find candidates in an (H, W, 3) uint8 image; it has done with ``bgr`` on return.

        The three times are those of upload, forward pass and postprocessing, ms
        (``runtime.executor.InferenceTimings``).

        Called on the inference thread only. An exception ends the pipeline, or leaves the frame
        without boxes (``PipelineOptions.carries_on``), after the frame was tried once more.
        """


def needs_pinned_memory(engine: InferenceEngine | None) -> bool:
    """Whether frames are copied to a GPU: an engine says so by a true ``needs_pinned_memory``."""
    return bool(getattr(engine, "needs_pinned_memory", False))


def spare_on_cpu(engine: InferenceEngine) -> InferenceEngine | None:
    """Make the same model for the CPU; None where it runs there, or the engine can't say."""
    make = getattr(engine, "on_cpu", None)
    spare: InferenceEngine | None = make() if make is not None else None
    return spare


class ResultSink(Protocol):
    """Gets every result, for instance to record it."""

    def accept(self, result: FrameResult) -> None:
        """Take a result, on the inference thread: a slow sink slows the stream.

        The frame is valid during the call; retain it to keep it longer, and release it after.
        An exception ends the pipeline, or only removes the sink (``PipelineOptions.carries_on``).
        """
