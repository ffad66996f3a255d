"""Functions to load a model and to run it on streams."""

from contextlib import suppress
from pathlib import Path
from typing import Unpack

from kpviewer.api.arguments import named_source, source_of
from kpviewer.errors import DatasetError, InputError
from kpviewer.models.base import AnyDetector, Detector
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.models.loading import open_model
from kpviewer.models.names.models import with_layout
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.tables import shown
from kpviewer.models.top_down import TopDownNetwork
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.pipeline.streaming import ResultStream
from kpviewer.runtime.model import Model
from kpviewer.runtime.runners import PRECISIONS
from kpviewer.runtime.thresholds import ThresholdArguments, thresholds_with
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.base import FrameSource, own_ground_truth_of


def load(
    spec: str | Path | Detector = DEFAULT_MODEL,
    *,
    device: str = "auto",
    backend: str = "auto",
    precision: str = "auto",
    layout: str | None = None,
) -> Model:
    """Load a model.

    Args:
        spec: as ``--model`` takes it: a shipped name, a file (onnx, xml, safetensors, pt, cfg),
            ``torchvision:NAME``, ``module:function``; or your own ``Detector``. ``module:function``
            runs that code.
        device: auto, cpu, cuda, cuda:N or mps; for ONNX and OpenVINO files also gpu, npu, directml.
        backend: auto, torch, openvino, onnxruntime or tensorrt; auto benchmarks on the first image
            and picks the fastest.
        precision: auto, fp32, fp16, bf16 or int8.
        layout: layout of an ONNX model's outputs, such as "yolox", if the file doesn't say it.

    Returns:
        The model; call it with an image.

    Raises:
        InputError: if ``spec`` isn't a name, a path or a Detector, if there is no such backend or
            precision, or for a layout of a Detector.
        WeightsError: if the model is missing, damaged or refused.
        PipelineError: if the device, the backend or the precision isn't available here.
    """
    if backend not in ("auto", *BACKENDS):
        raise InputError(f"A backend must be auto, {', '.join(BACKENDS)}, got {shown(backend)}.")
    if precision not in ("auto", *PRECISIONS):
        raise InputError(
            f"A precision must be auto, {', '.join(PRECISIONS)}, got {shown(precision)}."
        )
    return Model(_detector(spec, layout), str(device), str(precision), backend)


def model_of(given: str | Path | Detector | Model) -> Model:
    """Return the model, loaded unless it already is."""
    return given if isinstance(given, Model) else load(given)


def _detector(spec: str | Path | AnyDetector, layout: str | None) -> AnyDetector:
    if isinstance(spec, str | Path) and str(spec).strip():
        return open_model(with_layout(str(spec), None if layout is None else str(layout)))
    if not hasattr(spec, "network"):
        raise InputError(
            f"A model must be a name, a path or a Detector, got {shown(spec)}. "
            'Try kpviewer.load("face-ssd").'
        )
    if layout is not None:
        raise InputError(f"A layout is for the name of a file, got {shown(spec)}. Leave it out.")
    if isinstance(spec.network, OnnxNetwork | TopDownNetwork):
        return spec  # type: ignore[return-value]  # a FileDetector
    from kpviewer.models.opening.factory import checked_detector  # noqa: PLC0415 - it needs torch

    return checked_detector("A model", "be a name, a path or", spec)


def stream(
    source: str | Path | int | FrameSource | None,
    model: str | Path | Detector | Model = DEFAULT_MODEL,
    *,
    track: bool = False,
    smooth: bool = False,
    **thresholds: Unpack[ThresholdArguments],
) -> ResultStream:
    """Run a model on a source in the background, and iterate over the results.

    The stream closes itself at its end, when the loop is left, and on an error. Use a ``with``
    block if you keep a reference to it.

    Args:
        source: as the command line takes it: a camera number, a video, a folder or glob of images,
            an address, ``demo``; None for the first camera; or your own ``FrameSource``. Files
            yield every frame, live sources the newest.
        model: result or argument of ``load``.
        track: number the objects (``track_ids``) and keep their trails.
        smooth: filter keypoints over time (``smoothed_xy``).
        **thresholds: as for a call of the model.

    Returns:
        An iterator over ``FrameResult``; each owns its pixels, so it may be kept.

    Raises:
        InputError: if an argument has the wrong type or value.
        SourceError: if there is no such source; while iterating, if it breaks.
        WeightsError: if the model can't be loaded.
    """
    engine = model_of(model)
    chosen = thresholds_with(engine.spec, thresholds)
    options = PipelineOptions(pace=False, hold_at_end=False)
    name = named_source(source)
    opened = source_of(source, name)
    if own := own_ground_truth_of(opened):
        with suppress(DatasetError):  # frames then have no ground truth
            own.use_names(engine.spec.class_names, engine.spec.keypoint_names)
    pipeline = Pipeline(opened, engine, thresholds=chosen, options=options)
    engine.settle()  # takes seconds, so do it before the first frame
    pipeline.settings.set_tracking(TrackingOptions(smooth=smooth, track=track))
    return ResultStream(pipeline, name)
