"""Selection of detections from candidates: thresholds and NMS, without torch or a forward pass.

While paused, the viewer selects from the kept candidates again whenever a slider moves.
"""

import math
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from kpviewer.models.nms import nms
from kpviewer.structures import (
    BOX_CORNERS,
    Candidates,
    Detections,
    GroundTruth,
    NmsKind,
    Thresholds,
)

_NO_SCORE = np.nextafter(np.float32(0), np.float32(1))
"""Lowest score of a detection: 0 stands for classes that a box isn't of, and fills up tables."""
_LEAST_SCORE = 2.0**-10
"""Lowest score from which NMS is kept: below it, too many candidates would take part."""
_kept: WeakKeyDictionary[Candidates, tuple[float, int, float, Candidates]] = WeakKeyDictionary()
"""IoU, limit and least score of NMS, and what it left of the candidates of each frame in use."""


def select(candidates: Candidates, thresholds: Thresholds) -> Detections:
    """Apply score thresholds, class filter and NMS. This is a pure function.

    Returns:
        At most ``max_detections`` detections, by descending score. Soft NMS lowers scores;
        detections below their class's threshold are dropped.
    """
    num_classes = candidates.scores.shape[1]
    floors = np.maximum(thresholds.least_scores(np.arange(num_classes)), _NO_SCORE)
    shown = np.ones(num_classes, np.bool_)
    if thresholds.classes is not None:
        shown[:] = [class_id in thresholds.classes for class_id in range(num_classes)]
    is_candidate = (candidates.scores >= floors) & shown
    if candidates.overlaps is not None and thresholds.nms is not NmsKind.NONE:
        is_candidate &= (candidates.overlaps < thresholds.iou)[:, None]
        thresholds = replace(thresholds, nms=NmsKind.NONE)  # that was NMS
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
    xyxy, outlines = candidates.xyxy[chosen], candidates.outlines_xy
    outlines = None if outlines is None else outlines[chosen]
    if candidates.size_wh is not None:  # after NMS: clipped boxes overlap otherwise
        limits = np.array(candidates.size_wh, np.float32)
        xyxy = np.clip(xyxy, 0, np.tile(limits, 2))
        if outlines is not None and outlines.shape[1] > BOX_CORNERS:
            outlines = np.clip(outlines, 0, limits)
    return Detections(
        xyxy,
        scores,
        class_ids[kept].astype(np.int64),
        points,
        confidences,
        keypoint_threshold=thresholds.keypoint,
        outlines_xy=outlines,
    )


def select_again(candidates: Candidates, thresholds: Thresholds) -> Detections:
    """Return what ``select`` returns, sooner for thresholds that change while a frame stays.

    What hard NMS leaves of the candidates down to a score is the same at each higher score, as a
    box is removed only by better ones. So the lowest score so far is kept with the candidates.
    """
    least = thresholds.least_score
    if thresholds.nms is not NmsKind.HARD or least < _LEAST_SCORE:
        return select(candidates, thresholds)
    wanted = thresholds.iou, thresholds.max_detections
    iou, limit, floor, left = _kept.get(candidates, (math.nan, 0, 0.0, candidates))
    if (iou, limit) != wanted or floor > least:
        floor = 2.0 ** math.floor(math.log2(least))
        left = _survivors(candidates, thresholds.iou, floor, thresholds.max_detections)
        _kept[candidates] = *wanted, floor, left
    return select(left, replace(thresholds, nms=NmsKind.NONE))


def _survivors(candidates: Candidates, iou: float, floor: float, limit: int) -> Candidates:
    """Return the candidates with scores of 0 for the classes in which hard NMS removes them.

    Scores below ``floor`` are 0, too.
    """
    is_candidate = candidates.scores >= floor
    if candidates.overlaps is not None:
        is_candidate &= (candidates.overlaps < iou)[:, None]
        return replace(candidates, scores=np.where(is_candidate, candidates.scores, np.float32(0)))
    rows, class_ids = np.nonzero(is_candidate)
    own = candidates.scores[rows, class_ids]
    hard = Thresholds(iou=iou, max_detections=limit)
    kept, _ = nms(candidates.xyxy[rows], own, class_ids, hard, floor)
    scores = np.zeros_like(candidates.scores)
    scores[rows[kept], class_ids[kept]] = own[kept]
    return replace(candidates, scores=scores)


def of_shown_classes(ground_truth: GroundTruth, thresholds: Thresholds) -> GroundTruth:
    """Return the ground truth of the shown classes: hidden objects don't count as missed."""
    if thresholds.classes is None:
        return ground_truth
    return ground_truth.take(np.isin(ground_truth.class_ids, list(thresholds.classes)))
