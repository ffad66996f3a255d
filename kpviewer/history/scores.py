"""Scores of a detector on the test images, with hard and with soft NMS from the same candidates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.detections import SCORE_FLOOR, require_images
from kpviewer.evaluation.kind import EvaluationOptions, Run, open_run
from kpviewer.evaluation.timing import read_image
from kpviewer.metrics.average_precision import (
    AveragePrecision,
    average_precision,
    average_precision_by_size,
)
from kpviewer.metrics.detection import recall_at_false_positives
from kpviewer.models.base import Detector
from kpviewer.models.selection import select
from kpviewer.structures import Candidates, Detections, NmsKind


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a detector, in [0, 1]; None without true objects."""

    ap50: float | None
    """At IoU 0.5, with hard NMS."""
    ap: float | None
    """Mean over IoU 0.50, 0.55, ... 0.95, with hard NMS."""
    recall: float | None
    """Recall at the score with 0.1 false positives an image, at IoU 0.5, with hard NMS."""
    soft_ap50: float | None
    """``ap50`` with soft NMS (Gaussian) of the same candidates."""
    soft_ap: float | None
    """``ap`` with soft NMS (Gaussian) of the same candidates."""
    small: float | None
    """``ap`` of objects below 32 x 32 px."""
    medium: float | None
    """``ap`` of objects from 32 x 32 to 96 x 96 px."""
    large: float | None
    """``ap`` of objects above 96 x 96 px."""


def score(
    detector: Detector,
    data: AnnotationSet,
    device: str = "auto",
    progress: Callable[[int], object] = lambda done: None,
) -> Scores:
    """Score a detector as ``kpviewer eval --backend torch --precision fp32`` does.

    Raises:
        DatasetError: if the set is empty or an image can't be read.
        PipelineError: if the device isn't available.
    """
    require_images(data)
    run = open_run(detector, data, EvaluationOptions(device, precision="fp32", backend="torch"))
    found: list[Candidates] = []
    for image in run.data.images:
        found.append(run.infer(read_image(image)))
        progress(len(found))
    hard, soft = (_selected(run, found, nms) for nms in (NmsKind.HARD, NmsKind.SOFT_GAUSSIAN))
    truths = [image.targets for image in run.data.images]
    sizes = average_precision_by_size(hard, truths, len(run.data.class_names))
    recall = recall_at_false_positives(hard, truths).recall
    hard_ap, soft_ap = _precision(run, hard), _precision(run, soft)
    return Scores(hard_ap.ap50, hard_ap.ap, recall, soft_ap.ap50, soft_ap.ap, *sizes)


def _selected(run: Run, found: Sequence[Candidates], nms: NmsKind) -> list[Detections]:
    thresholds = replace(run.thresholds, score=SCORE_FLOOR, class_scores={}, nms=nms)
    return [select(candidates, thresholds) for candidates in found]


def _precision(run: Run, seen: Sequence[Detections]) -> AveragePrecision:
    truths = [image.targets for image in run.data.images]
    return average_precision(seen, truths, len(run.data.class_names))
