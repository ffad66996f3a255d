"""Selection of detections from candidates: thresholds and NMS, without torch or a forward pass.

While paused, the viewer selects from the kept candidates again whenever a slider moves.
"""

from __future__ import annotations

import numpy as np

from kpviewer.models.nms import nms
from kpviewer.structures import Candidates, Detections, GroundTruth, Thresholds


def select(candidates: Candidates, thresholds: Thresholds) -> Detections:
    """Apply score thresholds, class filter and NMS. This is a pure function.

    Args:
        candidates: candidates of one image.
        thresholds: scores, classes and NMS to apply.

    Returns:
        At most ``max_detections`` detections, by descending score. Soft NMS lowers scores;
        detections below their class's threshold are dropped.
    """
    num_classes = candidates.scores.shape[1]
    floors = np.full(num_classes, thresholds.score, np.float32)
    for class_id, score in thresholds.class_scores.items():
        if class_id < num_classes:
            floors[class_id] = score
    shown = np.ones(num_classes, np.bool_)
    if thresholds.classes is not None:
        shown[:] = [class_id in thresholds.classes for class_id in range(num_classes)]
    rows, class_ids = np.nonzero((candidates.scores >= floors) & shown)
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
    points = candidates.keypoints_xy[rows[kept]]
    return Detections(
        candidates.xyxy[rows[kept]],
        scores,
        class_ids[kept].astype(np.int64),
        points,
        np.repeat(scores[:, None], points.shape[1], axis=1),
    )


def shown_ground_truth(ground_truth: GroundTruth, thresholds: Thresholds) -> GroundTruth:
    """Return the ground truth of the shown classes: hidden objects don't count as missed."""
    if thresholds.classes is None:
        return ground_truth
    return ground_truth.take(np.isin(ground_truth.class_ids, list(thresholds.classes)))
