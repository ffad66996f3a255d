"""Agreement of two runs of one model: how far their detections of the same images differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.matching import match
from kpviewer.structures import Detections, FloatArray, GroundTruth


@dataclass(frozen=True, slots=True)
class Agreement:
    """Largest differences between matched detections, and the number of those without a match.

    A value is None if there is nothing to compare.
    """

    box_px: float | None
    """Largest shift of a side of a box, px of the image."""
    keypoint_px: float | None
    """Largest shift of a keypoint that both predict, px of the image."""
    score: float | None
    """Largest difference of two scores."""
    unmatched: int
    """Number of detections of either run that the other lacks."""
    detections: int
    """Number of detections of the first run."""


def agreement(first: Sequence[Detections], second: Sequence[Detections]) -> Agreement:
    """Compare two runs, image by image. Detections match by class and an IoU of at least 0.5."""
    boxes, keypoints, scores = [], [], []
    unmatched = 0
    for one, other in zip(first, second, strict=True):
        matches = match(other, as_ground_truth(one))
        rows, first_rows = matches.pairs
        mine, its = one.take(first_rows), other.take(rows)
        boxes.append(np.abs(mine.xyxy - its.xyxy))
        keypoints.append(np.linalg.norm(mine.keypoints_xy - its.keypoints_xy, axis=2))
        scores.append(np.abs(mine.scores - its.scores))
        unmatched += matches.false_negatives + matches.false_positives
    return Agreement(
        _largest(boxes), _largest(keypoints), _largest(scores), unmatched, sum(map(len, first))
    )


def as_ground_truth(detections: Detections) -> GroundTruth:
    """Return detections as the ground truth that others are compared with."""
    return GroundTruth(
        detections.xyxy,
        detections.class_ids,
        detections.keypoints_xy,
        detections.keypoints_predicted & np.isfinite(detections.keypoints_xy).all(axis=2),
        np.zeros(len(detections), np.bool_),
        outlines_xy=detections.outlines_xy,
    )


def _largest(parts: Iterable[FloatArray]) -> float | None:
    """Return the largest finite value; None if there is none."""
    values = np.concatenate([np.zeros(0, np.float32), *(part.ravel() for part in parts)])
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else None
