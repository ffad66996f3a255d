"""Precision, recall and calibration of scores over a set of images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.detection import ranked_matches
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """Precision-recall curve of one class, by descending score threshold: (N,) each."""

    recall: FloatArray
    precision: FloatArray
    scores: FloatArray
    """Score threshold of each point."""
    objects: int
    """Number of true objects that aren't difficult."""


def curves_by_class(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    num_classes: int,
) -> tuple[PrecisionRecall, ...]:
    """Compute the precision-recall curve of each class at IoU 0.5.

    Args:
        detections: detections of each image, by descending score, low scores included.
        ground_truths: ground truth of the same images; difficult objects are ignored.
        num_classes: number of classes.
    """
    ranked = ranked_matches(detections, ground_truths)
    counted = [each.class_ids[~each.difficult] for each in ground_truths]
    objects = np.bincount(np.concatenate([np.zeros(0, np.int64), *counted]), minlength=num_classes)
    own = (ranked.class_ids == class_id for class_id in range(num_classes))
    return tuple(
        curve_of_matches(ranked.matched[rows], ranked.scores[rows], int(count))
        for rows, count in zip(own, objects, strict=True)
    )


def curve_of_matches(matched: BoolArray, scores: FloatArray, objects: int) -> PrecisionRecall:
    """Compute the precision-recall curve of detections that are already matched.

    Args:
        matched: (N,) whether each detection is a true positive, by descending score.
        scores: (N,) scores, descending.
        objects: number of true objects.
    """
    positives = np.cumsum(matched)
    return PrecisionRecall(
        (positives / max(objects, 1)).astype(np.float32),
        (positives / np.arange(1, len(matched) + 1)).astype(np.float32),
        scores,
        objects,
    )


def voc_average_precision(curve: PrecisionRecall, *, eleven_points: bool = False) -> float | None:
    """Compute average precision by the definition of Pascal VOC.

    Args:
        curve: curve of a class, at IoU 0.5.
        eleven_points: use the mean of the best precision at recalls of 0, 0.1, ... 1 (until 2009);
            otherwise the area under the monotone curve (from 2010 on).

    Returns:
        Average precision in [0, 1]; None if the class has no true object.

    Source: Everingham et al. 2010, The Pascal VOC Challenge, section 4.2 and eq. 1 (IJCV 88).
    """
    if not curve.objects:
        return None
    # the best precision at this recall or a higher one
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    if eleven_points:
        # 7 of 10 is less than 0.7 in float32
        reached = [envelope[curve.recall >= r - 1e-6] for r in np.linspace(0, 1, 11)]
        return float(np.mean([part[0] if part.size else 0.0 for part in reached]))
    steps = np.diff(curve.recall, prepend=0.0)
    return float((steps * envelope).sum())


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Scores of one class at one score threshold; None if undefined (0/0)."""

    precision: float | None
    """Share of the detections that are true positives."""
    recall: float | None
    """Share of the true objects that are found."""

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; 0 without true positives."""
        if self.recall is None:
            return None
        total = (self.precision or 0.0) + self.recall
        return 2 * (self.precision or 0.0) * self.recall / total if total else 0.0


def class_score(curve: PrecisionRecall, score: float) -> ClassScore:
    """Return precision and recall of a curve at the score threshold ``score``."""
    count = int(np.count_nonzero(curve.scores >= score))
    if not count:
        return ClassScore(None, 0.0 if curve.objects else None)
    recall = float(curve.recall[count - 1]) if curve.objects else None
    return ClassScore(float(curve.precision[count - 1]), recall)


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdCurves:
    """Scores of a class at each of T score thresholds: (T,) each, in [0, 1]."""

    thresholds: FloatArray
    precision: FloatArray
    """Precision; NaN where nothing is detected."""
    recall: FloatArray
    """Recall; NaN without true objects, as ``f1``."""
    f1: FloatArray


def threshold_curves(curve: PrecisionRecall, thresholds: FloatArray) -> ThresholdCurves:
    """Return precision, recall and F1 at many thresholds, equal to those of ``class_score``."""
    counts = np.searchsorted(-curve.scores, -thresholds, side="right")
    precision = np.concatenate([np.full(1, np.nan, np.float32), curve.precision])[counts]
    recall = np.concatenate([np.zeros(1, np.float32), curve.recall])[counts]
    if not curve.objects:
        recall = np.full_like(recall, np.nan)
    right = np.nan_to_num(precision)
    total = right + recall
    with np.errstate(invalid="ignore"):
        f1 = np.where(total > 0, 2 * right * recall / np.where(total > 0, total, 1), total)
    return ThresholdCurves(thresholds, precision, recall, f1.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Reliability of scores, in B bins of equal width over [0, 1]: (B,) each."""

    mean_score: FloatArray
    """Mean score of the detections in a bin; NaN if it is empty."""
    precision: FloatArray
    """Share of true positives among the detections in a bin; NaN if it is empty."""
    counts: IntArray
    """Number of detections in a bin."""

    @property
    def expected_error(self) -> float | None:
        """Mean distance of score and precision over all detections; None without detections.

        Source: Guo et al. 2017, On Calibration of Modern Neural Networks, eq. 3 (arXiv:1706.04599).
        """
        total = int(self.counts.sum())
        if not total:
            return None
        gaps = np.nan_to_num(np.abs(self.mean_score - self.precision))
        return float((gaps * self.counts).sum() / total)


def calibration(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    *,
    bins: int = 10,
) -> Calibration:
    """Compute how reliable the scores of detections are, at IoU 0.5."""
    matched, scores, _ = ranked_matches(detections, ground_truths)
    return calibration_of(scores, matched, bins=bins)


def calibration_of(scores: FloatArray, is_correct: BoolArray, *, bins: int = 10) -> Calibration:
    """Compute how reliable (N,) scores in [0, 1] are, given (N,) whether each is correct."""
    rows = np.minimum((scores * bins).astype(np.int64), bins - 1)
    counts = np.bincount(rows, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_score = np.bincount(rows, scores, minlength=bins) / counts
        precision = np.bincount(rows, is_correct, minlength=bins) / counts
    return Calibration(
        mean_score.astype(np.float32), precision.astype(np.float32), counts.astype(np.int64)
    )
