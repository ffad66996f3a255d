"""Precision, recall and calibration of scores over a set of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.detection import ranked_matches
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """The curve of one class, by falling score threshold: (N,) each."""

    recall: FloatArray
    precision: FloatArray
    scores: FloatArray
    """The threshold at which the point is reached."""
    objects: int
    """True objects that count."""


def precision_recall(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    class_id: int,
    *,
    iou: float = 0.5,
) -> PrecisionRecall:
    """Follow precision and recall of a class down the scores.

    Args:
        detections: one an image, by descending score, with their low scores.
        ground_truths: of the same images; difficult objects count neither way.
        class_id: the class.
        iou: smallest overlap of a hit.
    """
    own = [found.take(found.class_ids == class_id) for found in detections]
    true = [ground_truth.take(ground_truth.class_ids == class_id) for ground_truth in ground_truths]
    hits, scores = ranked_matches(own, true, iou)
    objects = sum(int(np.count_nonzero(~ground_truth.difficult)) for ground_truth in true)
    return curve_of_matches(hits, scores, objects)


def curve_of_matches(hits: BoolArray, scores: FloatArray, objects: int) -> PrecisionRecall:
    """Follow precision and recall down the scores of detections that are matched already.

    Args:
        hits: (N,) whether each detection stands for a true object, by descending score.
        scores: (N,) descending.
        objects: true objects that count.
    """
    positives = np.cumsum(hits)
    return PrecisionRecall(
        (positives / max(objects, 1)).astype(np.float32),
        (positives / np.arange(1, len(hits) + 1)).astype(np.float32),
        scores,
        objects,
    )


def voc_average_precision(curve: PrecisionRecall, *, eleven_points: bool = False) -> float | None:
    """Average precision as Pascal VOC defines it.

    Args:
        curve: of a class, at IoU 0.5.
        eleven_points: the mean of the best precision at recalls of 0, 0.1, ... 1, as until 2009;
            else the area under the curve made falling, as from 2010 on.

    Returns:
        In [0, 1]; None where the class has no true object.

    Source: Everingham et al. 2010, The Pascal VOC Challenge, section 4.2 and eq. 1 (IJCV 88).
    """
    if not curve.objects:
        return None
    # the best precision at this recall or a higher one
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    if eleven_points:
        reached = [envelope[curve.recall >= r - 1e-9] for r in np.linspace(0, 1, 11)]
        return float(np.mean([part[0] if part.size else 0.0 for part in reached]))
    steps = np.diff(curve.recall, prepend=0.0)
    return float((steps * envelope).sum())


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class at one score threshold; None where there is nothing to divide by."""

    precision: float | None
    """Share of its detections that are right."""
    recall: float | None
    """Share of its true objects that are found."""

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two; 0 where nothing is right."""
        if self.recall is None:
            return None
        total = (self.precision or 0.0) + self.recall
        return 2 * (self.precision or 0.0) * self.recall / total if total else 0.0


def class_score(curve: PrecisionRecall, score: float) -> ClassScore:
    """Read precision and recall off a curve, where detections under ``score`` are left out."""
    count = int(np.count_nonzero(curve.scores >= score))
    if not count:
        return ClassScore(None, 0.0 if curve.objects else None)
    recall = float(curve.recall[count - 1]) if curve.objects else None
    return ClassScore(float(curve.precision[count - 1]), recall)


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdCurves:
    """A class at each of T score thresholds: (T,) each, in [0, 1]."""

    thresholds: FloatArray
    precision: FloatArray
    """NaN where nothing is detected."""
    recall: FloatArray
    """NaN where there is no true object, as is ``f1``."""
    f1: FloatArray


def threshold_curves(curve: PrecisionRecall, thresholds: FloatArray) -> ThresholdCurves:
    """Read a curve off at many thresholds; the same numbers as ``class_score`` gives."""
    counts = np.searchsorted(-curve.scores, -thresholds, side="right")  # detections that are left
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
    """What scores are worth, by bins of equal width over [0, 1]: (B,) each."""

    mean_score: FloatArray
    """NaN where a bin is empty."""
    precision: FloatArray
    """Share of the bin's detections that stand for a true object; NaN where it is empty."""
    counts: IntArray

    @property
    def expected_error(self) -> float | None:
        """Mean distance between score and share of hits, over all detections; None without any.

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
    iou: float = 0.5,
) -> Calibration:
    """Compare the scores of detections with how often they are right."""
    hits, scores = ranked_matches(detections, ground_truths, iou)
    return calibration_of(scores, hits, bins=bins)


def calibration_of(scores: FloatArray, hits: BoolArray, *, bins: int = 10) -> Calibration:
    """Compare (N,) scores in [0, 1] with how often what they are given to is right: (N,)."""
    rows = np.minimum((scores * bins).astype(np.int64), bins - 1)
    counts = np.bincount(rows, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_score = np.bincount(rows, scores, minlength=bins) / counts
        precision = np.bincount(rows, hits, minlength=bins) / counts
    return Calibration(
        mean_score.astype(np.float32), precision.astype(np.float32), counts.astype(np.int64)
    )
