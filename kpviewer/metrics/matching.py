"""Greedy matching of detections with true objects, which all scores share."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kpviewer.geometry import box_area, intersection, iou_matrix
from kpviewer.metrics.overlap import overlaps_of
from kpviewer.structures import Detections, FloatArray, GroundTruth, IntArray

FALSE_POSITIVE = -1
IGNORED = -2


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The outcome of ``match``."""

    ground_truth_index: IntArray
    """(N,) row of the ground truth for each detection, FALSE_POSITIVE, or IGNORED."""
    iou: FloatArray
    """(N,) overlap with that row; 0 without a match."""
    false_negatives: int
    """Number of true objects, without difficult ones, that aren't found."""

    @property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """Rows of the matched detections, (M,), and of their true objects, (M,)."""
        found = np.flatnonzero(self.ground_truth_index >= 0)
        return found, self.ground_truth_index[found]

    @property
    def false_positives(self) -> int:
        """Number of detections without a true object."""
        return int(np.count_nonzero(self.ground_truth_index == FALSE_POSITIVE))


def match(detections: Detections, ground_truth: GroundTruth, *, iou: float = 0.5) -> Matches:
    """Match each detection, best score first, with the free true object that it overlaps most.

    Only objects of the same class match. Rotated boxes are compared with rotated ones, masks with
    masks, and all else by upright boxes. An unmatched detection is ignored if at least ``iou`` of
    its area lies in a difficult object, as COCO treats crowds. So is one of a class that the ground
    truth doesn't label, or not completely. Difficult objects are never false negatives.
    """
    overlap = _overlap(detections, ground_truth)
    ignored = (overlap[:, ground_truth.difficult] >= iou).any(axis=1)
    index = np.where(ignored, IGNORED, FALSE_POSITIVE).astype(np.int64)
    value = np.zeros(len(detections), np.float32)
    free = ~ground_truth.difficult
    for row in np.flatnonzero((overlap[:, free] >= iou).any(axis=1)):
        rivals = np.where(free, overlap[row], -1.0)
        best = int(rivals.argmax())
        if rivals[best] >= iou:
            index[row], value[row], free[best] = best, overlap[row, best], False
    index[(index == FALSE_POSITIVE) & ~ground_truth.is_labelled(detections.class_ids)] = IGNORED
    return Matches(index, value, int(free.sum()))


def of_known_classes(detections: Detections, ground_truth: GroundTruth) -> Detections:
    """Return the detections of classes that the ground truth labels, or has objects of."""
    ids = detections.class_ids
    return detections.take(ground_truth.is_labelled(ids) | np.isin(ids, ground_truth.class_ids))


kept_match = lru_cache(maxsize=4)(match)
"""``match``, which keeps the outcomes of the last frames: they are scored, then painted."""


def _overlap(detections: Detections, ground_truth: GroundTruth) -> FloatArray:
    """Return the IoU of each detection with each object of its class, 0 with others: (N, T).

    With a difficult object, it is the share of the detection that lies in it.
    """
    if (overlaps := overlaps_of(detections, ground_truth)) is not None:
        return overlaps.astype(np.float32)
    found, true, difficult = detections.xyxy, ground_truth.xyxy, ground_truth.difficult
    overlap = iou_matrix(found, true)
    area = np.maximum(box_area(found), 1e-9)[:, None]
    overlap[:, difficult] = intersection(found, true[difficult]) / area
    compared = detections.class_ids[:, None] == ground_truth.class_ids
    return np.asarray(overlap * compared, np.float32)
