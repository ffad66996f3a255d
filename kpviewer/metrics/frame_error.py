"""How far the detections of one frame are from its ground truth: what the live error plot shows."""

from __future__ import annotations

import numpy as np

from kpviewer.metrics.keypoint import distances, normaliser_name, normalisers
from kpviewer.metrics.matching import match
from kpviewer.structures import Detections, FloatArray, FrameError, GroundTruth, IntArray


def frame_error(
    detections: Detections, ground_truth: GroundTruth, *, iou: float = 0.5
) -> FrameError:
    """Compare one frame with its ground truth.

    Distances are over the visible points of matched objects; over box centres where model or
    ground truth has no keypoints, or another number of them.

    Args:
        detections: of the frame, by descending score.
        ground_truth: of the frame; difficult objects are neither hit nor miss.
        iou: smallest overlap of a match.
    """
    matches = match(detections, ground_truth, iou=iou)
    rows, true_rows = matches.pairs
    mean_px, nme = _point_errors(detections, ground_truth, rows, true_rows)
    return FrameError(
        mean_px=mean_px,
        nme=nme,
        nme_normaliser=normaliser_name(ground_truth.keypoints_xy.shape[1]),
        mean_iou=_mean(matches.iou[rows]),
        matched=len(rows),
        false_negatives=matches.false_negatives,
        false_positives=matches.false_positives,
    )


def _point_errors(
    detections: Detections, ground_truth: GroundTruth, rows: IntArray, true_rows: IntArray
) -> tuple[float | None, float | None]:
    """Mean distance in px, and NME, of the matched rows."""
    points = ground_truth.keypoints_xy.shape[1]
    if points == 0 or detections.keypoints_xy.shape[1] != points:
        gap = _centres(detections.xyxy[rows]) - _centres(ground_truth.xyxy[true_rows])
        return _mean(np.linalg.norm(gap, axis=-1)), None
    gaps = distances(
        detections.keypoints_xy[rows],
        ground_truth.keypoints_xy[true_rows],
        ground_truth.keypoints_visible[true_rows],
    )
    return _mean(gaps), _mean(gaps / normalisers(ground_truth)[true_rows, None])


def _centres(xyxy: FloatArray) -> FloatArray:
    return np.asarray((xyxy[:, :2] + xyxy[:, 2:]) / 2, np.float32)


def _mean(values: FloatArray) -> float | None:
    """Mean of the finite values; None if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None
