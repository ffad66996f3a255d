"""Scores over everything that was scanned, at any thresholds; ``scorer`` computes them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kpviewer.metrics.average_precision import AveragePrecision
from kpviewer.metrics.curves import PrecisionRecall, class_score
from kpviewer.scanning.frame_errors import ErrorSummary, EvaluatedFrame, FrameErrors, WorstBy
from kpviewer.structures import FloatArray, IntArray, Thresholds

STEPS = 1000
"""Steps of the confidence slider: the best confidence is one of them."""


class Recall(NamedTuple):
    """Number of objects, and of those that were found."""

    matched: int
    objects: int


@dataclass(frozen=True, slots=True)
class BestScore:
    """Confidence with the highest F1; of many equally good ones their centre."""

    score: float
    f1: float


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Scores of one class at the present thresholds."""

    class_id: int
    objects: int
    """Number of true objects that aren't difficult."""
    matched: int
    false_positives: int
    ap50: float | None
    """Average precision at IoU 0.5; None without objects."""
    best: BestScore | None
    """None without true positives."""

    @property
    def false_negatives(self) -> int:
        """Number of true objects that weren't found."""
        return self.objects - self.matched


@dataclass(frozen=True, slots=True, eq=False)
class ScanScores:
    """Scores of one model over all scored frames: those that were scanned and have ground truth."""

    scanned: int
    """Number of frames that were scanned."""
    scored: int
    """Number of frames that were scored."""
    with_ground_truth: int
    """Number of frames of the whole source that have ground truth."""
    floor: float
    """Lowest confidence that was kept: curves and average precision begin there."""
    thresholds: Thresholds
    precision: AveragePrecision
    overall: PrecisionRecall
    """Curve of all shown classes, whose classes with a threshold of their own keep it."""
    curves: tuple[PrecisionRecall, ...]
    """Curve of each class."""
    overall_best: BestScore | None
    """Best confidence of ``overall``; None without true positives."""
    rows: tuple[ClassRow, ...]
    """Scores of the classes that have objects or detections."""
    confusion: IntArray | None
    """(C + 1, C + 1), from ``confusion_matrix``; None with more than MAX_CONFUSED classes."""
    errors: FrameErrors
    summary: ErrorSummary
    by_size: tuple[Recall, Recall, Recall]
    """Small, medium and large objects at the present thresholds, by COCO's areas."""
    object_errors: FloatArray
    """(H,) mean error of each found object: NME if there are shared keypoints, else px."""
    error_unit: str
    """"px", or the name of the length that ``object_errors`` are divided by."""

    def curve(self, class_id: int | None) -> PrecisionRecall:
        """Return the curve of a class; None is all shown classes together."""
        return self.overall if class_id is None else self.curves[class_id]

    def best(self, class_id: int | None) -> BestScore | None:
        """Return the best confidence of a class, or of all shown classes together."""
        if class_id is None:
            return self.overall_best
        return next((row.best for row in self.rows if row.class_id == class_id), None)

    def score_of(self, class_id: int | None) -> float:
        """Return the present confidence of a class, or of all classes without their own."""
        own = {} if class_id is None else self.thresholds.class_scores
        return (
            self.thresholds.score if class_id is None else own.get(class_id, self.thresholds.score)
        )

    def f1(self) -> float | None:
        """Return F1 at the present confidence; None without objects."""
        return class_score(self.curve(None), self.score_of(None)).f1

    def worst(self, by: WorstBy, count: int) -> list[EvaluatedFrame]:
        """Return the worst frames, worst first; of equal ones the earlier."""
        return self.errors.worst(by, count)


def confidence_steps(floor: float) -> FloatArray:
    """Return every step of the confidence slider, from ``floor`` on."""
    return (np.arange(round(floor * STEPS), STEPS + 1) / STEPS).astype(np.float32)
