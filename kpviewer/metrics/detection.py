"""Scores of a detector at an operating point, as complement of average precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.matching import IGNORED, match
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth

PER_IMAGE = 0.1
"""Most false positives per image at the operating point."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Lowest score threshold that keeps the number of false positives within a limit."""

    recall: float | None
    """Share of the true objects that are found; None without true objects."""
    score: float | None
    """Score threshold; None if even the best detection exceeds the limit."""


def recall_at_false_positives(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth]
) -> OperatingPoint:
    """Find the highest recall with at most 0.1 false positives per image, averaged over all."""
    matched, scores = ranked_matches(detections, ground_truths)
    objects = sum(int(np.count_nonzero(~ground_truth.difficult)) for ground_truth in ground_truths)
    true_positives, false_positives = np.cumsum(matched), np.cumsum(~matched)
    # equal scores pass a threshold together, so only the last of them is an operating point
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]
    allowed = last & (false_positives <= PER_IMAGE * len(ground_truths) + 1e-9)
    points = np.flatnonzero(allowed)
    found, score = (0, None)
    if points.size:
        found, score = int(true_positives[points[-1]]), float(scores[points[-1]])
    return OperatingPoint(found / objects if objects else None, score)


def ranked_matches(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth]
) -> tuple[BoolArray, FloatArray]:
    """Return whether each detection is a true positive at IoU 0.5, and its score, best first.

    Detections of all images are ranked together; ignored ones are left out.
    """
    matched, scores = [np.zeros(0, np.bool_)], [np.zeros(0, np.float32)]
    for found, ground_truth in zip(detections, ground_truths, strict=True):
        index = match(found, ground_truth).ground_truth_index
        counted = index != IGNORED
        matched.append(index[counted] >= 0)
        scores.append(found.scores[counted])
    all_scores = np.concatenate(scores)
    order = np.argsort(-all_scores, kind="stable")
    return np.concatenate(matched)[order], all_scores[order]


@dataclass(frozen=True, slots=True)
class NegativeScore:
    """False positives of a detector on images without objects."""

    images: int
    """Number of images without objects and without ignore regions."""
    clean: int
    """Number of these images without a detection above the score."""

    @property
    def clean_share(self) -> float | None:
        """Share of clean images, in [0, 1]; None without such images."""
        return self.clean / self.images if self.images else None


def negative_score(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth]
) -> NegativeScore:
    """Count the images without objects on which no detection scores above 0.5."""
    empty = [
        found
        for found, ground_truth in zip(detections, ground_truths, strict=True)
        if not len(ground_truth)
    ]
    clean = sum(not np.any(found.scores > 0.5) for found in empty)
    return NegativeScore(len(empty), int(clean))
