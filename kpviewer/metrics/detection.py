"""Scores of a detector at a working point: what average precision doesn't tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.matching import IGNORED, match
from kpviewer.structures import Detections, GroundTruth


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The lowest score threshold that keeps false positives rare enough."""

    recall: float | None
    """Share of the true objects found there; None without true objects."""
    score: float | None
    """The threshold; None if even the best detection is one false positive too many."""


def recall_at_false_positives(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    *,
    per_image: float = 0.1,
    iou: float = 0.5,
) -> OperatingPoint:
    """Find the best recall with at most ``per_image`` false positives an image on average.

    Args:
        detections: one an image, by descending score, with their low scores.
        ground_truths: of the same images; difficult objects count neither way.
        per_image: false positives allowed, over all images.
        iou: smallest overlap of a hit.
    """
    hits, scores = ranked_matches(detections, ground_truths, iou)
    objects = sum(int(np.count_nonzero(~ground_truth.difficult)) for ground_truth in ground_truths)
    true_positives, false_positives = np.cumsum(hits), np.cumsum(~hits)
    # Equal scores pass a threshold together, so only the last of them is a working point.
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]
    allowed = last & (false_positives <= per_image * len(ground_truths) + 1e-9)
    points = np.flatnonzero(allowed)
    found, score = (0, None)
    if points.size:
        found, score = int(true_positives[points[-1]]), float(scores[points[-1]])
    return OperatingPoint(found / objects if objects else None, score)


def ranked_matches(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth], iou: float
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.float32]]
]:
    """Tell hits from false alarms over all images, by descending score; ignored ones left out."""
    hits, scores = [np.zeros(0, np.bool_)], [np.zeros(0, np.float32)]
    for found, ground_truth in zip(detections, ground_truths, strict=True):
        index = match(found, ground_truth, iou=iou).ground_truth_index
        counted = index != IGNORED
        hits.append(index[counted] >= 0)
        scores.append(found.scores[counted])
    all_scores = np.concatenate(scores)
    order = np.argsort(-all_scores, kind="stable")
    return np.concatenate(hits)[order], all_scores[order]


@dataclass(frozen=True, slots=True)
class NegativeScore:
    """What a detector does where there is nothing to see."""

    images: int
    """Images without any object, ignore regions included."""
    clean: int
    """Those of them with no detection over the score."""

    @property
    def clean_share(self) -> float | None:
        """In [0, 1]; None without negatives."""
        return self.clean / self.images if self.images else None


def negative_score(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth], *, score: float = 0.5
) -> NegativeScore:
    """Count the empty images on which nothing is seen with more than ``score``."""
    empty = [
        found
        for found, ground_truth in zip(detections, ground_truths, strict=True)
        if not len(ground_truth)
    ]
    clean = sum(not np.any(found.scores > score) for found in empty)
    return NegativeScore(len(empty), int(clean))
