"""Error of the detections of one frame against its ground truth, for the live error plot."""

from __future__ import annotations

import numpy as np

from kpviewer.geometry import box_centres
from kpviewer.metrics.keypoint import distances, normaliser_name, normalisers
from kpviewer.metrics.matching import match
from kpviewer.structures import Detections, FloatArray, FrameError, GroundTruth, IntArray


def frame_error(
    detections: Detections, ground_truth: GroundTruth, *, iou: float = 0.5
) -> FrameError:
    """Compare one frame with its ground truth.

    Distances are those of the visible keypoints of matched objects, or of box centres if model and
    ground truth have different numbers of keypoints, or none.

    Args:
        detections: detections of the frame, by descending score.
        ground_truth: ground truth of the frame; difficult objects are ignored.
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
    """Return mean distance, px, and NME of the matched rows."""
    points = ground_truth.keypoints_xy.shape[1]
    if points == 0 or detections.keypoints_xy.shape[1] != points:
        gap = box_centres(detections.xyxy[rows]) - box_centres(ground_truth.xyxy[true_rows])
        return _mean(np.linalg.norm(gap, axis=-1)), None
    gaps = distances(
        detections.keypoints_xy[rows],
        ground_truth.keypoints_xy[true_rows],
        ground_truth.keypoints_visible[true_rows],
    )
    return _mean(gaps), _mean(gaps / normalisers(ground_truth)[true_rows, None])


def _mean(values: FloatArray) -> float | None:
    """Return the mean of the finite values; None if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None
