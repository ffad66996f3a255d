"""Matching of the detections of many frames with objects, all frames at once.

The pairs of a frame are compared as ``metrics.matching`` and pycocotools compare them: each
detection, best score first, takes the free object that it overlaps most. Detections of different
groups (a class in a frame) never compete, so the first of every group is matched at once, then the
second, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import iou_of_sides, sides_of
from kpviewer.scanning.selection import check_wanted
from kpviewer.structures import BoolArray, FloatArray, IntArray

BLOCK = 1 << 16
"""Pairs that ``near_pairs`` compares at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """P pairs of rows of two tables, sorted by ``rows``, then by ``others``."""

    rows: IntArray
    """(P,) rows of the first table."""
    others: IntArray
    """(P,) rows of the second table."""

    def take(self, kept: BoolArray | IntArray) -> Pairs:
        """Return some of the pairs, by mask or index."""
        return Pairs(self.rows[kept], self.others[kept])


def pairs_of(keys: IntArray, other_keys: IntArray) -> Pairs:
    """Return all pairs of rows with the same key: (N,) and (T,) keys >= 0."""
    order = np.argsort(other_keys, kind="stable")
    ranked = other_keys[order]
    first = np.searchsorted(ranked, keys, side="left")
    counts = np.searchsorted(ranked, keys, side="right") - first
    rows = np.repeat(np.arange(len(keys)), counts)
    starts = np.repeat(first - (np.cumsum(counts) - counts), counts)
    return Pairs(rows, order[starts + np.arange(len(rows))])


def near_pairs(
    xyxy: FloatArray,
    keys: IntArray,
    other_xyxy: FloatArray,
    other_keys: IntArray,
    least: float,
    is_wanted: Callable[[], bool] = lambda: True,
) -> tuple[Pairs, FloatArray]:
    """Return pairs of boxes with the same key whose IoU is at least ``least`` > 0, and the IoUs.

    Args:
        xyxy: (N, 4) boxes, px.
        keys: (N,) keys >= 0.
        other_xyxy: (T, 4) boxes, px.
        other_keys: (T,) keys >= 0.
        least: least IoU.
        is_wanted: asked between blocks of pairs, which bound the memory.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    order = np.argsort(other_keys, kind="stable")
    first = np.searchsorted(other_keys[order], keys, side="left")
    counts = np.searchsorted(other_keys[order], keys, side="right") - first
    ends = np.cumsum(counts)
    sides, other_sides = sides_of(xyxy), sides_of(other_xyxy[order])
    pairs, overlaps = [Pairs(order[:0], order[:0])], [np.zeros(0, np.float32)]
    start = 0
    while start < len(keys):
        check_wanted(is_wanted)
        done = int(ends[start - 1]) if start else 0
        end = max(int(np.searchsorted(ends, done + BLOCK, side="right")), start + 1)
        mine = slice(start, end)
        rows = np.repeat(np.arange(start, end), counts[mine])
        ranks = np.repeat(first[mine] - (ends[mine] - counts[mine] - done), counts[mine])
        ranks += np.arange(len(rows))
        overlap = iou_of_sides(
            [each[rows] for each in sides], [each[ranks] for each in other_sides]
        )
        near = np.flatnonzero(overlap >= least)
        pairs.append(Pairs(rows[near], order[ranks[near]]))
        overlaps.append(overlap[near])
        start = end
    rows = np.concatenate([each.rows for each in pairs])
    return Pairs(rows, np.concatenate([each.others for each in pairs])), np.concatenate(overlaps)


def paired_sides(
    one_xyxy: NDArray[Any], other_xyxy: NDArray[Any], pairs: Pairs
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return ``geometry.sides_of`` both boxes of each pair."""
    return (
        [side[pairs.rows] for side in sides_of(one_xyxy)],
        [side[pairs.others] for side in sides_of(other_xyxy)],
    )


def by_overlap(pairs: Pairs, overlap: NDArray[Any], *, last_of_ties: bool = False) -> IntArray:
    """Return the order of the pairs that ``greedy`` needs: greatest overlap of each row first.

    Args:
        pairs: P pairs.
        overlap: (P,) overlaps.
        last_of_ties: whether the last of equal overlaps comes first, as in pycocotools.
    """
    others = -pairs.others if last_of_ties else pairs.others
    return np.lexsort((others, -overlap, pairs.rows))


def greedy(pairs: Pairs, groups: IntArray, total_others: int) -> IntArray:
    """Match rows with others, the first row of each group first; each other once.

    Args:
        pairs: pairs that may match, grouped by row, the wanted one of each row first.
        groups: (N,) group of each row; rows of a group compete in ascending order.
        total_others: number of rows of the second table.

    Returns:
        (M,) indices of the pairs that match.
    """
    if not len(pairs.rows):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(_begins(pairs.rows))
    turns = rank_in_group(groups[pairs.rows[starts]])
    turn_of_pair = np.repeat(turns, np.diff(starts, append=len(pairs.rows)))
    order = np.argsort(turn_of_pair, kind="stable")
    ends = np.cumsum(np.bincount(turn_of_pair))
    free = np.ones(total_others, np.bool_)
    taken = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        part = order[start:end]
        part = part[free[pairs.others[part]]]
        part = part[_begins(pairs.rows[part])]
        free[pairs.others[part]] = False
        taken.append(part)
    return np.concatenate(taken)


def renamed(class_ids: IntArray, shared_ids: Mapping[int, int], beyond: int) -> IntArray:
    """Return class ids of one model as those of another, where both have the class: (N,).

    A class that only the one has gets an id from ``beyond`` on, which the other must not have.
    """
    beyond = max([beyond, *(each + 1 for each in shared_ids.values())])
    ids = beyond + np.arange(1 + max([*shared_ids, int(class_ids.max(initial=0))]))
    ids[list(shared_ids)] = list(shared_ids.values())
    return ids[class_ids]


def rank_in_group(groups: IntArray) -> IntArray:
    """Return the rank of each row among those of its group, from 0, in the order of the rows."""
    order = np.argsort(groups, kind="stable")
    begins = np.flatnonzero(_begins(groups[order]))
    sizes = np.diff(begins, append=len(groups))
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(begins, sizes)
    return ranks


def _begins(values: IntArray) -> BoolArray:
    """Return where a value differs from the one before: (N,)."""
    begins = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return begins
