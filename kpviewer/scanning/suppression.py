"""Suppression of overlapping boxes in many groups at once, hard and soft.

A group is a class of a frame: boxes of different groups don't suppress each other. What is kept
equals that of ``models.nms`` for each group by itself, to the last bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import iou_of_sides
from kpviewer.models.nms import nms, soft_decay
from kpviewer.structures import BoolArray, FloatArray, IntArray, Thresholds

PADDED, GROUPS = (4, 8, 16, 32), 1024
"""Sizes to which the candidates of a frame and class are padded, to work on groups side by side,
and the number of groups at once. With more, they would leave the processor's cache."""
FEW = 4
"""Number of frames and classes left for which one at a time is faster."""

_LAST = np.iinfo(np.int64).max


class Work(NamedTuple):
    """Entries that are neither kept nor dropped yet, (N,) each, by group."""

    sides: tuple[FloatArray, ...]
    """Left, top, right and bottom, px, and area, px^2."""
    groups: NDArray[np.int32]
    entries: IntArray
    scores: FloatArray

    def take(self, rows: BoolArray) -> Work:
        """Return some of the entries, by mask."""
        at = np.flatnonzero(rows)
        sides = tuple(side[at] for side in self.sides)
        return Work(sides, self.groups[at], self.entries[at], self.scores[at])


def hard(work: Work, thresholds: Thresholds) -> IntArray:
    """Return the entries that hard NMS keeps; ``work`` is by descending score in each group."""
    firsts = np.flatnonzero(np.diff(work.groups, prepend=-1))
    counts = np.diff(firsts, append=len(work.groups))
    kept, size = [np.zeros(0, np.int64)], 0
    for side in PADDED:
        mine = np.flatnonzero((counts > size) & (counts <= side))
        for at in range(0, len(mine), GROUPS):
            some = mine[at : at + GROUPS]
            kept.append(_hard_padded(work, firsts[some], counts[some], thresholds))
        size = side
    large = np.repeat(counts > size, counts)
    if large.any():
        kept.append(_hard_ragged(work.take(large), thresholds))
    return np.concatenate(kept)


def _hard_padded(
    work: Work, firsts: IntArray, counts: IntArray, thresholds: Thresholds
) -> IntArray:
    """Return the entries that hard NMS keeps in G groups, side by side: the best of each first.

    Args:
        work: entries, by descending score in each group.
        firsts: (G,) first row of each group.
        counts: (G,) number of its rows.
        thresholds: IoU, and greatest number of detections.
    """
    ranks = np.arange(counts.max())[:, None]
    is_left = ranks < counts  # (R, G), as all below
    rows = firsts + np.minimum(ranks, counts - 1)
    sides = [side[rows] for side in work.sides]
    for rank in range(len(ranks) - 1):
        rest = slice(rank + 1, None)
        overlap = iou_of_sides([side[rest] for side in sides], [side[rank] for side in sides])
        is_left[rest] &= ~((overlap > thresholds.iou) & is_left[rank])
    if thresholds.max_detections < len(ranks):
        is_left &= np.cumsum(is_left, axis=0) <= thresholds.max_detections
    return work.entries[rows[is_left]]


def _hard_ragged(work: Work, thresholds: Thresholds) -> IntArray:
    """Return the entries that hard NMS keeps in groups of any size, of which few are kept."""
    kept = [np.zeros(0, np.int64)]
    for turn in range(thresholds.max_detections):
        firsts = np.flatnonzero(np.diff(work.groups, prepend=-1))
        if len(firsts) <= FEW:
            left = replace(thresholds, max_detections=thresholds.max_detections - turn)
            kept += _one_by_one(work, firsts, left)
            break
        kept.append(work.entries[firsts])
        is_left = ~(_iou_with(work.sides, firsts) > thresholds.iou)
        is_left[firsts] = False
        work = work.take(is_left)
    return np.concatenate(kept)


def _one_by_one(work: Work, firsts: IntArray, thresholds: Thresholds) -> list[IntArray]:
    """Return the entries that hard NMS keeps in each of few groups."""
    xyxy, kept = np.stack(work.sides[:4], axis=1), []
    for rows in np.split(np.arange(len(xyxy)), firsts[1:]):
        one_class = np.zeros(len(rows), np.int64)
        own, _ = nms(xyxy[rows], work.scores[rows], one_class, thresholds, 0.0)
        kept.append(work.entries[rows[own]])
    return kept


def soft(work: Work, thresholds: Thresholds, floor: float) -> tuple[IntArray, FloatArray]:
    """Return the entries that soft NMS keeps, and their final scores."""
    kept, final = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for _ in range(thresholds.max_detections):
        if not len(work.groups):
            break
        firsts = np.flatnonzero(np.diff(work.groups, prepend=-1))
        counts = np.diff(firsts, append=len(work.groups))
        best = np.maximum.reduceat(work.scores, firsts)
        # of equal ones the first entry
        ties = np.where(work.scores == np.repeat(best, counts), work.entries, _LAST)
        leaders = np.flatnonzero(ties == np.repeat(np.minimum.reduceat(ties, firsts), counts))
        kept.append(work.entries[leaders])
        final.append(best)
        overlap = _iou_with(work.sides, leaders, counts)
        scores = (work.scores * soft_decay(overlap, thresholds)).astype(np.float32)
        is_left = scores >= floor
        is_left[leaders] = False
        work = work._replace(scores=scores).take(is_left)
    return np.concatenate(kept), np.concatenate(final)


def _iou_with(
    sides: tuple[FloatArray, ...], leaders: IntArray, counts: IntArray | None = None
) -> FloatArray:
    """Return the IoU of each box with the leader of its group, as ``iou_matrix`` computes it.

    Args:
        sides: (N,) each, by group.
        leaders: (G,) a box of each group.
        counts: (G,) size of each group; None if its first box leads it.
    """
    counts = np.diff(leaders, append=len(sides[0])) if counts is None else counts
    return iou_of_sides(sides, [np.repeat(side[leaders], counts) for side in sides])
