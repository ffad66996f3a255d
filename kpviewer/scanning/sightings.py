"""What is found in all frames, in flat arrays, and which of it is the same object a frame later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from kpviewer.geometry import box_centres
from kpviewer.scanning.frame_errors import Float64Array
from kpviewer.scanning.matching import Pairs, near_pairs
from kpviewer.scanning.selection import Survivors
from kpviewer.structures import BoolArray, FloatArray, IntArray, Thresholds

REACH = 0.5
"""Share of a box's sides by which it grows on each side before boxes are compared: a small, fast
object doesn't overlap itself a frame later. Source: Yang et al. 2023, Buffered IoU (C-BIoU)."""
LEAST_IOU = 0.2
"""Least overlap of two grown boxes of the same object."""
_OUTWARDS = np.array([-1, -1, 1, 1], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """N detections in F frames, by frame and descending score."""

    frame_index: IntArray
    """(F,) numbers of the scanned frames, ascending."""
    position_s: Float64Array
    """(F,) media times, s; NaN if unknown."""
    frames: IntArray
    """(N,) rows of the frames, ascending."""
    class_ids: IntArray
    """(N,) classes."""
    scores: FloatArray
    """(N,) scores."""
    least: FloatArray
    """(N,) confidence that each must reach to be shown."""
    xyxy: FloatArray
    """(N, 4) corners of the boxes, px."""
    points_xy: FloatArray
    """(N, K, 2) keypoints, px; NaN if not predicted."""

    def __len__(self) -> int:
        """Return the number of detections."""
        return len(self.frames)

    @property
    def centres(self) -> FloatArray:
        """(N, 2) centres of the boxes, px."""
        return box_centres(self.xyxy)

    @property
    def sides(self) -> FloatArray:
        """(N, 2) widths and heights, at least 1 px."""
        return np.asarray(np.maximum(self.xyxy[:, 2:] - self.xyxy[:, :2], 1), np.float32)

    def take(self, rows: BoolArray) -> Sightings:
        """Return some of the detections."""
        names = ("frames", "class_ids", "scores", "least", "xyxy", "points_xy")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def counts(self) -> IntArray:
        """Return the number of detections of each frame: (F,)."""
        return np.bincount(self.frames, minlength=len(self.frame_index))


def sightings_of(
    parts: Sequence[Survivors],
    thresholds: Thresholds,
    *,
    margin: float = 0.0,
) -> Sightings:
    """Return the detections of shown classes in all parts of a scan.

    Args:
        parts: survivors of each part, at least one, ascending.
        thresholds: thresholds of the model.
        margin: how far below its threshold a detection may be.
    """
    one = [_sightings(part, thresholds, margin) for part in parts]
    starts = np.cumsum([0, *(len(each.frame_index) for each in one)]).tolist()
    shifted = [
        replace(each, frames=each.frames + at) for each, at in zip(one, starts, strict=False)
    ]
    return Sightings(
        *(np.concatenate([getattr(each, field.name) for each in shifted])
          for field in fields(Sightings))
    )  # fmt: skip


def _sightings(part: Survivors, thresholds: Thresholds, margin: float) -> Sightings:
    columns, ids = part.columns, part.class_ids
    least = thresholds.least_scores(ids)
    kept = part.scores >= least - np.float32(margin)
    if thresholds.classes is not None:
        kept &= np.isin(ids, list(thresholds.classes))
    rows = part.candidate_rows[kept]
    points = columns.keypoints_xy[rows]
    if columns.keypoint_scores is not None:
        hidden = columns.keypoint_scores[rows] < np.float32(thresholds.keypoint)
        points = np.where(hidden[..., None], np.float32(np.nan), points)
    return Sightings(
        columns.frame_index,
        columns.position_s,
        part.frame_rows[kept],
        ids[kept],
        part.scores[kept],
        least[kept],
        part.xyxy[kept],
        points,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """The same object in neighbouring frames: (N,) each, -1 for none."""

    following: IntArray
    """Row of each detection's object in the next frame."""
    preceding: IntArray
    """Row of each detection's object in the frame before."""


def links_of(seen: Sightings, is_wanted: Callable[[], bool]) -> Links:
    """Find each object in the next frame: the two overlap each other most.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    following, preceding = (np.full(len(seen), -1, np.int64) for _ in range(2))
    every = np.ones(len(seen), np.bool_)
    pairs = mutual_pairs(seen, every, every, 1, is_wanted)
    following[pairs.rows], preceding[pairs.others] = pairs.others, pairs.rows
    return Links(following, preceding)


def mutual_pairs(
    seen: Sightings,
    earlier: BoolArray,
    later: BoolArray,
    steps: int,
    is_wanted: Callable[[], bool],
) -> Pairs:
    """Pair detections with those of the same class ``steps`` frames later.

    Both overlap each other most of all, and the frames in between were scanned.

    Args:
        seen: N detections.
        earlier: (N,) which may be the earlier one.
        later: (N,) which may be the later one.
        steps: number of frames from one to the other.
        is_wanted: asked now and then.
    """
    frames, total = seen.frames, len(seen.frame_index)
    goes_on = np.zeros(total, np.bool_)
    goes_on[: max(total - steps, 0)] = seen.frame_index[steps:] - seen.frame_index[:-steps] == steps
    rows, others = np.flatnonzero(earlier & goes_on[frames]), np.flatnonzero(later)
    classes = int(seen.class_ids.max(initial=0)) + 1
    keys = frames * classes + seen.class_ids
    room = np.tile(seen.sides * np.float32(REACH), 2) * _OUTWARDS
    grown = np.asarray(seen.xyxy + room, np.float32)
    near, overlap = near_pairs(
        grown[rows],
        keys[rows] + steps * classes,
        grown[others],
        keys[others],
        LEAST_IOU,
        is_wanted,
    )
    pairs = Pairs(rows[near.rows], others[near.others])
    is_best = np.ones(len(overlap), np.bool_)
    for side in (pairs.rows, pairs.others):
        order = np.lexsort((-overlap, side))
        is_best[order[1:][side[order[1:]] == side[order[:-1]]]] = False
    return pairs.take(is_best)
