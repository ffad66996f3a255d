"""Evaluation of a model on annotated data, whatever its kind."""

import importlib
import pkgutil
from collections.abc import Iterator

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import WeightsError
from kpviewer.evaluation import kinds
from kpviewer.evaluation.kind import OPTIONAL, TRAINING, EvaluationOptions, Model, ModelKind
from kpviewer.evaluation.report import Report
from kpviewer.models.libraries.torch_needed import is_torch_missing, require_torch
from kpviewer.models.names.architectures import is_point_architecture, is_whole_image_architecture
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime.thresholds import idle_thresholds


def evaluate(model: Model, data: AnnotationSet, options: EvaluationOptions | None = None) -> Report:
    """Score a model on annotated data.

    Raises:
        DatasetError: if the data have nothing that the model can be scored on.
        PipelineError: if device, backend or precision isn't available.
    """
    kind = kind_of(model.spec.architecture, model.spec.task)
    options = options or EvaluationOptions()
    report = kind.evaluate(model, data, options)
    if own := model.spec.named_notes:
        report.notes = (*own, *report.notes)
    if unused := _unused(kind, model.spec, options, report):
        report.notes = (*report.notes, f"without effect on these scores: {', '.join(unused)}")
    return report


def _unused(
    kind: ModelKind, spec: ModelSpec, options: EvaluationOptions, report: Report
) -> list[str]:
    """Return the options that were given and change nothing."""
    given = {"iou": options.iou, "keypoint": options.keypoint}
    unused = {*kind.unused, *idle_thresholds(spec, given)}
    if options.largest_px is not None and getattr(report, "localisation", None) is None:
        unused.add("largest_px")
    usual = EvaluationOptions()
    return [
        text
        for name, text in OPTIONAL.items()
        if name in unused
        and getattr(options, name) not in (getattr(usual, name), getattr(TRAINING, name))
    ]


def kind_of(architecture: str, task: Task = Task.DETECT) -> ModelKind:
    """Return the kind of a model: the kind of its architecture, else the kind of its task.

    Raises:
        WeightsError: if there is none.
        TorchNeededError: if the kind needs torch, which isn't installed.
    """
    is_of_torch = is_point_architecture(architecture) or is_whole_image_architecture(architecture)
    known = list(model_kinds(with_torch=is_of_torch or task is Task.CLASSIFY))
    for kind in known:
        if architecture in kind.architectures:
            return kind
    if is_point_architecture(architecture):  # another kind would score whole images
        require_torch("The evaluation of keypoint models")
    for kind in known:
        if task in kind.tasks:
            return kind
    require_torch(f"The evaluation of models for {task.value}")
    raise WeightsError(f"Models for {task.value} can't be evaluated.")


def model_kinds(*, with_torch: bool = True) -> Iterator[ModelKind]:
    """Yield the kinds of models: every module of ``kinds`` has one.

    Args:
        with_torch: whether to import those of torch's models alone; it takes about 2 s. They are
            left out where torch isn't installed.
    """
    for module in pkgutil.iter_modules(kinds.__path__):
        if module.name in kinds.OF_TORCH and not with_torch:
            continue
        try:
            kind = importlib.import_module(f"{kinds.__name__}.{module.name}").KIND
        except ImportError as error:
            if is_torch_missing(error):
                continue
            raise
        assert isinstance(kind, ModelKind), f"{module.name}.KIND must be a ModelKind"
        yield kind
