"""Error of the detections of one frame against its ground truth, for the live error plot."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import box_centres
from kpviewer.metrics.keypoint import matched_distances, normaliser_name
from kpviewer.metrics.matching import kept_match
from kpviewer.structures import Detections, FrameError, GroundTruth, IntArray


def frame_error(detections: Detections, ground_truth: GroundTruth) -> FrameError:
    """Compare one frame with its ground truth.

    Distances are those of the visible keypoints of matched objects, or of box centres if model and
    ground truth have different numbers of keypoints, or none. Keypoints with a score below the
    threshold count as not predicted and aren't compared.

    Args:
        detections: detections of the frame, by descending score.
        ground_truth: ground truth of the frame; difficult objects are ignored.
    """
    matches = kept_match(detections, ground_truth)
    rows, true_rows = matches.pairs
    mean_px, nme, not_predicted = _point_errors(detections, ground_truth, rows, true_rows)
    return FrameError(
        mean_px=mean_px,
        nme=nme,
        nme_normaliser=normaliser_name(ground_truth.keypoints_xy.shape[1]),
        mean_iou=finite_mean(matches.iou[rows]),
        matched=len(rows),
        false_negatives=matches.false_negatives,
        false_positives=matches.false_positives,
        keypoints_not_predicted=not_predicted,
    )


def _point_errors(
    detections: Detections, ground_truth: GroundTruth, rows: IntArray, true_rows: IntArray
) -> tuple[float | None, float | None, int]:
    """Return mean distance, px, and NME of the matched rows, and how many points have none."""
    points = ground_truth.keypoints_xy.shape[1]
    if points == 0 or detections.keypoints_xy.shape[1] != points:
        gap = box_centres(detections.xyxy[rows]) - box_centres(ground_truth.xyxy[true_rows])
        return finite_mean(np.linalg.norm(gap, axis=-1)), None, 0
    gaps, relative, not_predicted = matched_distances(detections, ground_truth, rows, true_rows)
    return finite_mean(gaps), finite_mean(relative), not_predicted


def finite_mean(values: NDArray[np.floating[Any]]) -> float | None:
    """Return the mean of the finite values; None if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None
