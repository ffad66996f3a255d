"""Selection of detections from candidates: thresholds and NMS, without torch or a forward pass.

While paused, the viewer selects from the kept candidates again whenever a slider moves.
"""

from __future__ import annotations

import numpy as np

from kpviewer.models.nms import nms
from kpviewer.structures import Candidates, Detections, GroundTruth, Thresholds


def select(candidates: Candidates, thresholds: Thresholds) -> Detections:
    """Apply score thresholds, class filter and NMS. This is a pure function.

    Returns:
        At most ``max_detections`` detections, by descending score. Soft NMS lowers scores;
        detections below their class's threshold are dropped.
    """
    num_classes = candidates.scores.shape[1]
    floors = thresholds.least_scores(np.arange(num_classes))
    shown = np.ones(num_classes, np.bool_)
    if thresholds.classes is not None:
        shown[:] = [class_id in thresholds.classes for class_id in range(num_classes)]
    is_candidate = (candidates.scores >= floors) & shown
    if candidates.overlaps is not None:
        is_candidate &= (candidates.overlaps < thresholds.iou)[:, None]
    rows, class_ids = np.nonzero(is_candidate)
    kept, scores = nms(
        candidates.xyxy[rows],
        candidates.scores[rows, class_ids],
        class_ids,
        thresholds,
        float(floors[shown].min(initial=1.0)),
    )
    over = scores >= floors[class_ids[kept]]
    kept, scores = kept[over][: thresholds.max_detections], scores[over]
    scores = scores[: thresholds.max_detections]
    chosen = rows[kept]
    points = candidates.keypoints_xy[chosen]
    confidences = np.full(points.shape[:2], np.nan, np.float32)
    if candidates.keypoint_scores is not None:
        confidences = candidates.keypoint_scores[chosen]
    xyxy = candidates.xyxy[chosen]
    if candidates.size_wh is not None:  # after NMS: clipped boxes overlap otherwise
        xyxy = np.clip(xyxy, 0, np.array(candidates.size_wh * 2, np.float32))
    return Detections(
        xyxy,
        scores,
        class_ids[kept].astype(np.int64),
        points,
        confidences,
        keypoint_threshold=thresholds.keypoint,
    )


def of_shown_classes(ground_truth: GroundTruth, thresholds: Thresholds) -> GroundTruth:
    """Return the ground truth of the shown classes: hidden objects don't count as missed."""
    if thresholds.classes is None:
        return ground_truth
    return ground_truth.take(np.isin(ground_truth.class_ids, list(thresholds.classes)))
