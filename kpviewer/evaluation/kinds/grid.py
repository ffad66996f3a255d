"""Evaluation of grid keypoint detectors, localisation scores included."""

from dataclasses import replace

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.kind import EvaluationOptions, Model, ModelKind
from kpviewer.evaluation.kinds import detections
from kpviewer.metrics.localisation import MATCH_PX
from kpviewer.models.names.architectures import GRID_NAMES
from kpviewer.models.spec import ModelSpec


def largest_distance(spec: ModelSpec) -> float | None:
    """Return the largest distance of a match, px; None if matches of the model are by IoU."""
    return MATCH_PX if spec.architecture in GRID_NAMES else None


def evaluate(
    model: Model, data: AnnotationSet, options: EvaluationOptions
) -> detections.DetectionReport:
    """Score a detector, localisation included."""
    options = replace(options, within_px=options.within_px or largest_distance(model.spec))
    return detections.evaluate(model, data, options)


KIND = ModelKind(evaluate, architectures=GRID_NAMES)
