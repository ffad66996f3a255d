"""Selection of detections from the candidates of all frames at once.

What is found equals ``models.selection.select`` frame by frame. Two steps share the work:

- ``survivors`` suppresses overlapping boxes at the lowest score kept. It depends on the kind of
  NMS, IoU, sigma and the greatest number of detections alone.
- ``shown`` says which survivors are detections at a confidence, for shown classes, and with scores
  of single classes: a mask. Suppression goes by descending score, within a class, so what is below
  the confidence, or of another class, never changes the rest.

Frames are worked on side by side; ``suppression`` says how.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import sides_of
from kpviewer.scanning.columns import CandidateColumns
from kpviewer.scanning.suppression import Work, hard, soft
from kpviewer.structures import BoolArray, FloatArray, IntArray, NmsKind, Thresholds

SLICE = 1 << 17
"""Entries worked on at once, as far as a single frame has no more: they bound the memory."""

Int32Array = NDArray[np.int32]


class Superseded(Exception):
    """Raised in place of a result that nobody waits for any longer."""


def check_wanted(is_wanted: Callable[[], bool]) -> None:
    """Raise Superseded if a result isn't wanted any longer."""
    if not is_wanted():
        raise Superseded


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Entries of columns in the orders in which suppression visits them: the part to keep."""

    columns: CandidateColumns
    starts: IntArray
    """(F + 1,) first entry of each frame, and E."""
    by_frame: Int32Array
    """(E,) entries by frame, then descending score, then as they are."""
    by_class: Int32Array
    """(E,) entries by frame, class, then descending score, then as they are."""
    groups: Int32Array
    """(E,) number of the frame and class of each of ``by_class``, ascending."""


def ranked(columns: CandidateColumns) -> Ranked:
    """Sort the entries of columns, once for all thresholds."""
    starts = columns.entry_starts
    frames = np.repeat(np.arange(len(columns)), np.diff(starts))
    by_frame = _sorted(frames, columns.entry_scores)
    groups = frames * columns.num_classes + columns.entry_classes
    by_class = by_frame if columns.num_classes == 1 else _sorted(groups, columns.entry_scores)
    is_next = np.diff(groups[by_class], prepend=-1) != 0
    numbers = np.cumsum(is_next, dtype=np.int32)
    return Ranked(columns, starts, by_frame, by_class, numbers)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Survivors:
    """Entries of F frames that suppression keeps: S of them, by frame and descending score."""

    columns: CandidateColumns
    starts: IntArray
    """(F + 1,) first survivor of each frame, and S."""
    frame_rows: IntArray
    """(S,) row of the frame in ``columns``, ascending."""
    candidate_rows: IntArray
    """(S,) row of the candidate in ``columns``."""
    class_ids: IntArray
    """(S,) class of each survivor."""
    scores: FloatArray
    """(S,) final scores, descending in each frame."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def xyxy(self) -> FloatArray:
        """(S, 4) corners of the boxes, clipped to the image where its size is known, px."""
        limits = self.columns.size_wh[self.frame_rows].astype(np.float32)
        is_whole = (limits <= 0).any(axis=1)
        limits[is_whole] = np.inf
        lowest = np.where(is_whole, -np.inf, 0).astype(np.float32)[:, None]
        return np.clip(self.columns.xyxy[self.candidate_rows], lowest, np.tile(limits, 2))

    def outlines_of(self, rows: IntArray) -> FloatArray | None:
        """Return the (N, V, 2) outlines of (N,) survivors, px; None if boxes are upright."""
        return self.columns.outlines_of(self.candidate_rows[rows])


def suppression_of(thresholds: Thresholds) -> Thresholds:
    """Return the part of thresholds that survivors depend on; the rest at its default."""
    return Thresholds(
        iou=thresholds.iou,
        nms=thresholds.nms,
        sigma=thresholds.sigma,
        max_detections=thresholds.max_detections,
    )


def survivors(
    columns: CandidateColumns,
    thresholds: Thresholds,
    *,
    order: Ranked | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Survivors:
    """Suppress overlapping boxes in all frames.

    Args:
        columns: candidates of all frames.
        thresholds: the kind of NMS, its IoU and sigma, and the greatest number of detections.
        order: ``ranked(columns)``, if known.
        is_wanted: asked between slices of frames.

    Raises:
        Superseded: if the survivors aren't wanted any longer.
    """
    order = ranked(columns) if order is None else order
    entries, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for first, end in _slices(order.starts):
        check_wanted(is_wanted)
        kept, final = _kept(order, thresholds, first, end)
        entries.append(kept)
        scores.append(final)
    every = np.concatenate(entries)
    rows = columns.entry_rows[every]
    frames = np.searchsorted(columns.starts, rows, side="right") - 1
    return Survivors(
        columns,
        np.searchsorted(frames, np.arange(len(columns) + 1)),
        frames,
        rows,
        columns.entry_classes[every].astype(np.int64),
        np.concatenate(scores),
    )


def shown(survivors: Survivors, thresholds: Thresholds) -> BoolArray:
    """Return which survivors are detections at thresholds with the same suppression: (S,).

    No score below the floor of the columns is shown, as there is none.
    """
    num_classes = survivors.columns.num_classes
    floors = thresholds.least_scores(np.arange(num_classes))
    if thresholds.classes is not None:
        hidden = np.ones(num_classes, np.bool_)
        hidden[[each for each in thresholds.classes if each < num_classes]] = False
        floors[hidden] = np.inf
    if (floors == floors[:1]).all():
        mask = survivors.scores >= floors[:1]
    else:
        mask = survivors.scores >= floors[survivors.class_ids]
    starts, limit = survivors.starts, thresholds.max_detections
    if np.diff(starts).max(initial=0) > limit:
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(mask)])
        mask &= before[1:] - np.repeat(before[starts[:-1]], np.diff(starts)) <= limit
    return mask


def _slices(starts: IntArray) -> list[tuple[int, int]]:
    """Return first and end entry of slices of whole frames, of about ``SLICE`` entries or less."""
    slices, first = [], 0
    while first < starts[-1]:
        frame = np.searchsorted(starts, first + SLICE, side="right") - 1
        end = int(starts[frame])
        if end <= first:  # a single frame with more
            end = int(starts[np.searchsorted(starts, first, side="right")])
        slices.append((first, end))
        first = end
    return slices


def _kept(
    order: Ranked, thresholds: Thresholds, first: int, end: int
) -> tuple[IntArray, FloatArray]:
    """Return entries that remain among some, by frame and descending final score, and it."""
    columns, kind = order.columns, thresholds.nms
    own = order.by_frame if kind is NmsKind.NONE else order.by_class
    entries: IntArray = own[first:end].astype(np.int64)
    groups = order.groups[first:end]
    if kind is NmsKind.NONE:
        return entries, columns.entry_scores[entries]
    scores = columns.entry_scores[entries]
    work = Work(sides_of(columns.xyxy[columns.entry_rows[entries]]), groups, entries, scores)
    if kind is NmsKind.HARD or columns.overlaps is not None:
        is_kept = np.zeros(end - first, np.bool_)
        left = (
            hard(work, thresholds) if columns.overlaps is None else _apart(order, work, thresholds)
        )
        is_kept[left - first] = True
        kept: IntArray = order.by_frame[first:end].astype(np.int64)
        kept = kept[is_kept[kept - first]]
        return kept, columns.entry_scores[kept]
    kept, final = soft(work, thresholds, columns.floor)
    by_entry = np.argsort(kept)
    kept, final = kept[by_entry], final[by_entry]
    by_score = _sorted(np.searchsorted(order.starts, kept, side="right"), final)
    return kept[by_score], final[by_score]


def _apart(order: Ranked, work: Work, thresholds: Thresholds) -> IntArray:
    """Return the best entries of each group whose known overlaps are below the limit."""
    overlaps, rows = order.columns.overlaps, order.columns.entry_rows[work.entries]
    assert overlaps is not None, "only with known overlaps"
    few = overlaps[rows] < thresholds.iou
    entries, groups = work.entries[few], work.groups[few]
    ranks = np.arange(len(groups)) - np.searchsorted(groups, groups)
    left: IntArray = entries[ranks < thresholds.max_detections]
    return left


def _sorted(groups: IntArray, scores: FloatArray) -> Int32Array:
    """Return the order by group, then descending score, then as they are: one stable sort.

    The bits of floats that aren't negative are in the order of the numbers.
    """
    down = np.uint64(0xFFFFFFFF) - np.ascontiguousarray(scores).view(np.uint32)
    key = (groups.astype(np.uint64) << np.uint64(32)) | down
    return np.argsort(key, kind="stable").astype(np.int32)
