"""Non-maximum suppression, hard and soft, on numpy arrays of up to a few thousand boxes.

It is written here as the viewer must not wait for torchvision's import, and as torchvision has no
soft NMS. Hard NMS equals ``torchvision.ops.batched_nms``.
"""

from __future__ import annotations

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.structures import FloatArray, IntArray, NmsKind, Thresholds

_BLOCK = 256
"""Boxes that are compared at once."""


def nms(
    xyxy: FloatArray,
    scores: FloatArray,
    class_ids: IntArray,
    thresholds: Thresholds,
    floor: float,
) -> tuple[IntArray, FloatArray]:
    """Suppress boxes that overlap a better one of their class.

    Args:
        xyxy: (N, 4) boxes, px.
        scores: (N,) scores in [0, 1].
        class_ids: (N,) classes; boxes of different classes don't suppress each other.
        thresholds: ``nms``: hard NMS removes boxes, soft NMS lowers their scores. ``iou``: overlap
            above which a box is removed (hard) or its score multiplied by 1 - IoU (linear).
            ``sigma``: width of the Gaussian decay, exp(-IoU^2 / sigma).
        floor: score below which lowered boxes are dropped.

    Returns:
        Indices kept (M,), by descending final score, and those scores (M,). Each class has at most
        ``max_detections``, as no more are shown.

    Source: Bodla et al. 2017, Soft-NMS, eq. 3 and 5 (arXiv:1704.04503).
    """
    if thresholds.nms is NmsKind.NONE:
        above = np.flatnonzero(scores >= floor)
        order = above[np.lexsort((above, -scores[above]))]
        return order, scores[order].astype(np.float32)
    kept, finals = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    suppress = _hard if thresholds.nms is NmsKind.HARD else _soft
    above = np.flatnonzero(scores >= floor)
    for class_id in np.unique(class_ids[above]):
        rows = above[class_ids[above] == class_id]
        own, final = suppress(xyxy[rows], scores[rows], thresholds, floor)
        kept.append(rows[own])
        finals.append(final)
    indices, final = np.concatenate(kept), np.concatenate(finals)
    order = np.lexsort((indices, -final))
    return indices[order], final[order]


def _hard(
    xyxy: FloatArray, scores: FloatArray, thresholds: Thresholds, floor: float
) -> tuple[IntArray, FloatArray]:
    """Return the kept rows and scores of boxes of one class, best first.

    Blocks of boxes are compared with those kept before, then with each other: a matrix of all
    pairs is slow where a crowd gives thousands of boxes.
    """
    order = np.argsort(-scores, kind="stable")
    kept = order[:0]
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        if len(kept):
            is_covered = iou_matrix(xyxy[rows], xyxy[kept]) > thresholds.iou
            rows = rows[~is_covered.any(1)]
        covers = iou_matrix(xyxy[rows], xyxy[rows]) > thresholds.iou
        alive = np.ones(len(rows), np.bool_)
        for i in range(len(rows)):
            if alive[i]:
                alive[i + 1 :] &= ~covers[i, i + 1 :]
        kept = np.concatenate([kept, rows[alive]])
        if len(kept) >= thresholds.max_detections:
            break
    kept = kept[: thresholds.max_detections]
    return kept, scores[kept].astype(np.float32)


def _soft(
    xyxy: FloatArray, scores: FloatArray, thresholds: Thresholds, floor: float
) -> tuple[IntArray, FloatArray]:
    """Return the kept rows and final scores of boxes of one class, best first."""
    scores = scores.astype(np.float32, copy=True)
    pairs = iou_matrix(xyxy, xyxy) if len(xyxy) <= 2 * _BLOCK else None
    alive = np.ones(len(scores), np.bool_)
    kept: list[int] = []
    while alive.any() and len(kept) < thresholds.max_detections:
        best = int(np.argmax(np.where(alive, scores, -1.0)))
        kept.append(best)
        alive[best] = False
        overlap = iou_matrix(xyxy[[best]], xyxy)[0] if pairs is None else pairs[best]
        if thresholds.nms is NmsKind.SOFT_LINEAR:
            decay = np.where(overlap > thresholds.iou, 1.0 - overlap, 1.0)
        else:
            decay = np.exp(-(overlap**2) / thresholds.sigma)
        scores = np.where(alive, scores * decay, scores).astype(np.float32)
        alive &= scores >= floor
    order = np.array(kept, np.int64)
    return order, scores[order]
