"""Non-maximum suppression, hard and soft, on numpy arrays of up to a few thousand boxes.

It is written here as the viewer must not wait for torchvision's import, and as torchvision has no
soft NMS. Hard NMS equals ``torchvision.ops.batched_nms``.
"""

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.structures import BoolArray, FloatArray, IntArray, NmsKind, Thresholds

_BLOCK = 128
"""Boxes that are compared at once: as many as a matrix of pairs stays in the cache for."""
_SMALL, _BESIDE = 64, 20
"""Most boxes of a class that is treated beside others, and most such classes at a time."""
_TAKEN = np.float32(-1)
"""Score of boxes that are kept already."""


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
    groups = _classes(scores, class_ids, floor)
    small = sorted((rows for rows in groups if len(rows) <= _SMALL), key=len)
    small = small if len(small) > 1 else []  # one alone is faster by itself
    found = [
        _side_by_side(small[start : start + _BESIDE], xyxy, scores, thresholds, floor)
        for start in range(0, len(small), _BESIDE)
    ]
    suppress = _hard if thresholds.nms is NmsKind.HARD else _soft
    for rows in groups:
        if len(rows) > _SMALL or not small:
            own, final = suppress(xyxy[rows], scores[rows], thresholds, floor)
            found.append((rows[own], final))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    indices, final = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((indices, -final))
    return indices[order], final[order]


def _classes(scores: FloatArray, class_ids: IntArray, floor: float) -> list[IntArray]:
    """Return the rows of each class with scores of at least ``floor``, best first."""
    above = np.flatnonzero(scores >= floor)
    order = above[np.lexsort((-scores[above], class_ids[above]))]
    return np.split(order, np.flatnonzero(np.diff(class_ids[order])) + 1) if len(order) else []


def _side_by_side(
    groups: list[IntArray],
    xyxy: FloatArray,
    scores: FloatArray,
    thresholds: Thresholds,
    floor: float,
) -> tuple[IntArray, FloatArray]:
    """Return the kept rows and final scores of small classes, a step of all of them at a time.

    Classes are padded to the size of the largest.
    """
    size = max(map(len, groups))
    rows = np.stack([np.pad(group, (0, size - len(group)), mode="edge") for group in groups])
    is_real = np.arange(size) < np.array([len(group) for group in groups])[:, None]  # (G, n)
    overlaps = iou_matrix(xyxy[rows], xyxy[rows])  # (G, n, n)
    if thresholds.nms is NmsKind.HARD:
        kept = _hard_kept(overlaps > thresholds.iou, is_real, thresholds.max_detections)
        return rows[kept], scores[rows[kept]].astype(np.float32)
    picked, finals = _soft_picked(soft_decay(overlaps, thresholds), scores[rows], is_real)
    kept = finals >= floor
    kept[:, thresholds.max_detections :] = False
    return np.take_along_axis(rows, picked, 1)[kept], finals[kept]


def _hard_kept(covers: BoolArray, is_real: BoolArray, limit: int) -> BoolArray:
    """Return which of (G, n) boxes are kept, by (G, n, n) whether a box covers another."""
    kept = is_real.copy()
    for step in range(kept.shape[1] - 1):
        kept[:, step + 1 :] &= ~(covers[:, step, step + 1 :] & kept[:, step, None])
    return np.asarray(kept & (kept.cumsum(1) <= limit))


def _soft_picked(
    decays: FloatArray, scores: FloatArray, is_real: BoolArray
) -> tuple[IntArray, FloatArray]:
    """Return (G, n) indices of boxes in the order of their choice, and their scores then."""
    left = np.where(is_real, scores, _TAKEN).astype(np.float32)
    picked, finals = np.zeros(left.shape, np.int64), np.zeros_like(left)
    each, is_taken = np.arange(len(left)), ~is_real
    for step in range(left.shape[1]):
        best = left.argmax(1)
        picked[:, step], finals[:, step] = best, left[each, best]
        is_taken[each, best] = True
        left *= decays[each, best]
        left[is_taken] = _TAKEN
    return picked, finals


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
        boxes = xyxy[rows]
        is_apart = ~(iou_matrix(boxes, boxes) > thresholds.iou)
        alive = np.ones(len(rows), np.bool_)
        for i in range(len(rows)):
            if alive[i]:
                alive[i + 1 :] &= is_apart[i, i + 1 :]
        kept = np.concatenate([kept, rows[alive]])
        if len(kept) >= thresholds.max_detections:
            break
    kept = kept[: thresholds.max_detections]
    return kept, scores[kept].astype(np.float32)


def _soft(
    xyxy: FloatArray, scores: FloatArray, thresholds: Thresholds, floor: float
) -> tuple[IntArray, FloatArray]:
    """Return the kept rows and final scores of boxes of one class, best first."""
    left = scores.astype(np.float32, copy=True)
    has_pairs = len(xyxy) <= 4 * _BLOCK
    decays = soft_decay(iou_matrix(xyxy, xyxy), thresholds) if has_pairs else None
    is_taken = np.zeros(len(left), np.bool_)
    kept: list[int] = []
    finals: list[float] = []
    for _ in range(min(len(left), thresholds.max_detections)):
        best = int(left.argmax())
        if left[best] < floor:  # boxes below it would change no others
            break
        kept.append(best)
        finals.append(left[best])
        decay = decays[best] if decays is not None else _decay_by(best, xyxy, thresholds)
        left *= decay
        is_taken[best] = True
        np.putmask(left, is_taken, _TAKEN)
    return np.array(kept, np.int64), np.array(finals, np.float32)


def _decay_by(best: int, xyxy: FloatArray, thresholds: Thresholds) -> FloatArray:
    """Return the factors of the scores of all boxes by the overlap with one: (N,)."""
    return np.asarray(soft_decay(iou_matrix(xyxy[[best]], xyxy), thresholds)[0])


def soft_decay(overlaps: FloatArray, thresholds: Thresholds) -> FloatArray:
    """Return the float32 factors that scores are multiplied by, for overlaps of any shape.

    Boxes that aren't numbers, whose overlap is NaN, have 1: they lower no score.
    """
    if thresholds.nms is NmsKind.SOFT_LINEAR:
        factors = np.where(overlaps > thresholds.iou, 1.0 - overlaps, 1.0)
    else:
        # what overlaps nothing, or has no numbers, changes no score
        factors = np.where(overlaps > 0, np.exp(-(overlaps**2) / thresholds.sigma), 1.0)
    return np.asarray(factors, np.float32)
