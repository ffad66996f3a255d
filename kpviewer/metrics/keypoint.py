"""Keypoint error: distances in px, and the normalised mean error (NME) of faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.matching import match
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth

FACE_POINTS = 5
"""Faces have five points, and the first two are the eyes; their distance is the unit of NME."""


@dataclass(frozen=True, slots=True)
class KeypointScore:
    """NME over a set of images."""

    mean: float | None
    """Mean over objects of the object's mean error; None if nothing could be compared."""
    median: float | None
    p90: float | None
    objects: int
    """Matched objects that were compared."""
    normaliser: str
    """"inter-ocular" or "box diagonal"."""


def normaliser_name(num_keypoints: int) -> str:
    """Name the length that errors of ``num_keypoints`` points are divided by."""
    return "inter-ocular" if num_keypoints == FACE_POINTS else "box diagonal"


def normalisers(ground_truth: GroundTruth) -> FloatArray:
    """Length in px that each object's error is divided by: (N,), NaN where there is none.

    A five-point face is measured by the distance of its eyes; with an eye hidden it has no such
    length, and is left out rather than mixed in by another unit. Other objects are measured by
    the diagonal of their true box.
    """
    if ground_truth.keypoints_xy.shape[1] == FACE_POINTS:
        length = np.linalg.norm(
            ground_truth.keypoints_xy[:, 0] - ground_truth.keypoints_xy[:, 1], axis=-1
        )
        usable = ground_truth.keypoints_visible[:, :2].all(axis=1) & (length > 0)
    else:
        length = np.linalg.norm(ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2], axis=-1)
        usable = length > 0
    return np.where(usable, length, np.nan).astype(np.float32)


def distances(found_xy: FloatArray, true_xy: FloatArray, visible: BoolArray) -> FloatArray:
    """Return each point's distance from its ground truth, px: (M, K), NaN where that is hidden."""
    gap = np.linalg.norm(found_xy - true_xy, axis=-1)
    return np.where(visible, gap, np.nan).astype(np.float32)


def object_errors(
    detections: Detections,
    ground_truth: GroundTruth,
    *,
    counted: BoolArray | None = None,
    iou: float = 0.5,
) -> list[float]:
    """NME of each matched object of one image that has visible points.

    Args:
        detections: of the image, by descending score.
        ground_truth: of the image, with as many keypoints.
        counted: (N,) objects of ``ground_truth`` to compare, such as those that a person labelled.
        iou: smallest overlap of a match.
    """
    if detections.keypoints_xy.shape[1] != ground_truth.keypoints_xy.shape[1]:
        return []
    rows, true_rows = match(detections, ground_truth, iou=iou).pairs
    if counted is not None:
        rows, true_rows = rows[counted[true_rows]], true_rows[counted[true_rows]]
    gaps = distances(
        detections.keypoints_xy[rows],
        ground_truth.keypoints_xy[true_rows],
        ground_truth.keypoints_visible[true_rows],
    )
    relative = gaps / normalisers(ground_truth)[true_rows, None]  # (M, K)
    return [float(np.nanmean(row)) for row in relative if np.isfinite(row).any()]


def keypoint_score(errors: Sequence[float], num_keypoints: int) -> KeypointScore:
    """Summarise the errors that ``object_errors`` gave over a set."""
    name = normaliser_name(num_keypoints)
    if not errors:
        return KeypointScore(None, None, None, 0, name)
    p50, p90 = np.percentile(errors, (50, 90))
    return KeypointScore(float(np.mean(errors)), float(p50), float(p90), len(errors), name)
