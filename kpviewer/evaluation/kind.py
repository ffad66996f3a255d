"""Kinds of models, and the common start of their evaluation."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from kpviewer.annotations.derived.classes import align_classes, shared_classes
from kpviewer.annotations.derived.keypoints import align_keypoints
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.report import Report, Setting
from kpviewer.metrics.keypoint import normaliser_notes
from kpviewer.models.base import AnyDetector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.pipeline.protocols import InferenceEngine, doubt_about
from kpviewer.runtime.executor import Executor
from kpviewer.structures import Candidates, ImageArray, Thresholds

Model: TypeAlias = AnyDetector | InferenceEngine


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """Options of an evaluation."""

    device: str = "auto"
    """Device that runs the model."""
    precision: str = "auto"
    """Precision of the model, as ``runtime.executor.Executor`` takes it."""
    backend: str = "auto"
    """Inference backend, as ``runtime.executor.Executor`` takes it."""
    iou: float | None = None
    """IoU threshold of NMS; None: the model's own."""
    keypoint: float | None = None
    """Score below which keypoints aren't compared; None: the model's own."""
    within_px: float | None = None
    """Largest distance of a match in the localisation scores, px; None: the default of the kind."""
    largest_px: float | None = None
    """Longest side of an object that counts in the localisation scores, px."""
    sweep_by: str = "f1"
    """Score that the best threshold of a multi-label model is chosen by."""
    batch: int = 1
    """Most images that the model runs at once."""
    warm_up: bool = True
    """Whether to prepare every input size first, to keep it out of the times."""
    data_name: str = ""
    progress: Callable[[int], object] = lambda done: None
    """Function that is called after each image with the number of images done."""


TRAINING = EvaluationOptions(precision="fp32", backend="torch", warm_up=False)
"""Options for a model in training, which changes from one evaluation to the next."""

OPTIONAL = {
    "precision": "precision",
    "backend": "backend",
    "iou": "IoU of NMS",
    "keypoint": "confidence of keypoints",
    "within_px": "distance of localisation",
    "largest_px": "largest object of localisation",
}
"""Options that some kinds of models have no use for, for people."""


def with_classes_of(spec: ModelSpec, data: AnnotationSet) -> AnnotationSet:
    """Return all images, with the class ids and the order of keypoints of the model."""
    return align_keypoints(align_classes(data, spec.class_names), spec.keypoint_names)


_WHOLE_IMAGES = (
    "this model of keypoints alone was given whole images, each as one object; for objects in them "
    "score two-stage:DETECTOR+FILE, or the model from before its export"
)


@dataclass(frozen=True, slots=True)
class ModelKind:
    """A kind of model, the ``KIND`` of a module of ``kinds``."""

    evaluate: Callable[[Any, AnnotationSet, EvaluationOptions], Report]
    """Function that scores a model of this kind."""
    architectures: Collection[str] = ()
    tasks: Collection[Task] = ()
    """Tasks of this kind, for architectures that no kind names."""
    unused: Collection[str] = ()
    """Fields of EvaluationOptions that change none of its scores, keys of ``OPTIONAL``."""
    usable: Callable[[ModelSpec, AnnotationSet], AnnotationSet] = with_classes_of
    """Function that removes images without scores.

    It raises DatasetError if none is left, or the names of the data don't fit the model.
    """


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Model and data of a report, after the run."""

    setting: Setting
    data: AnnotationSet
    """Ground truth, with the class ids of the model."""
    thresholds: Thresholds
    """IoU of NMS, and the classes that count."""
    notes: tuple[str, ...] = ()
    """Notes on the data."""


@dataclass(frozen=True, slots=True)
class Run:
    """A model on its device, and the data with its class ids."""

    engine: Any
    data: AnnotationSet
    """Ground truth, with the class ids of the model."""
    thresholds: Thresholds
    """IoU of NMS, and the classes that are labelled in the data: others can't be scored."""

    def infer(self, bgr: ImageArray) -> Candidates:
        """Return the candidates of one (H, W, 3) uint8 image."""
        candidates: Candidates = self.engine.infer(bgr)[0]
        return candidates

    def infer_batch(self, images: Sequence[ImageArray]) -> list[Candidates]:
        """Return the candidates of each (H, W, 3) uint8 image, all run at once where possible."""
        if len(images) == 1 or not hasattr(self.engine, "infer_batch"):
            return [self.infer(bgr) for bgr in images]
        return [candidates for candidates, _ in self.engine.infer_batch(images)]

    def warm_up(self) -> None:
        """Prepare every input size of the data."""
        spec = self.engine.spec
        sizes = {image.size_wh[::-1] for image in self.data.images} - {(0, 0)}
        by_input = {letterbox_of(spec, shape_hw).input_hw: shape_hw for shape_hw in sizes}
        for shape_hw in by_input.values():
            self.engine.warm_up(shape_hw)

    def evaluated(self, data_name: str) -> Evaluated:
        """Return model and data, with notes on why outputs or scores can't be right."""
        doubt = doubt_about(self.engine)
        own = normaliser_notes(self.data.keypoint_names)
        notes = [*self.data.notes, *own, *([doubt] if doubt else [])]
        if self.engine.spec.task is Task.KEYPOINTS:
            notes.append(_WHOLE_IMAGES)
        setting = Setting.of(self.engine, data_name)
        return Evaluated(setting, self.data, self.thresholds, tuple(notes))


def open_run(model: Model, data: AnnotationSet, options: EvaluationOptions) -> Run:
    """Put a model on its device and map the classes of the data to its class ids.

    Raises:
        DatasetError: if the data have no class of the model.
        PipelineError: if device, backend or precision isn't available.
    """
    engine = (
        model
        if isinstance(model, InferenceEngine)
        else Executor(model, options.device, options.precision, options.backend)
    )
    spec = engine.spec
    thresholds = replace(
        spec.thresholds,
        iou=spec.thresholds.iou if options.iou is None else options.iou,
        keypoint=spec.thresholds.keypoint if options.keypoint is None else options.keypoint,
        # no shared class: all images are negatives
        classes=shared_classes(data, spec.class_names) or None,
    )
    return Run(engine, with_classes_of(spec, data), thresholds)
