"""Outlines of objects while a data set is read: rotated boxes, or masks."""

from array import array
from collections.abc import Callable, Sequence

import numpy as np

from kpviewer.structures import BOX_CORNERS, FloatArray, IntArray, box_outlines

MAX_CORNERS = 10_000_000
"""Most corners of a set: more masks would take a gigabyte."""
MOST_CORNERS = 256
"""Most corners of a mask; of one that has more, some are left out evenly."""
_SAME = 0.02
"""Distance up to which a corner is that of the upright box, in shares of its sides."""


class OutlineColumns:
    """Corners of some objects, by the rows of all.

    A set whose outlines all have four corners has rotated boxes, any other masks.
    """

    def __init__(self) -> None:
        self._rows = array("q")
        self._counts = array("q")
        self._corners = array("f")
        self.are_too_many = False
        """Whether there are more than MAX_CORNERS, and all were left out."""

    def add(self, row: int, corners: Sequence[float]) -> None:
        """Add x and y of an object's corners, px; none: it has an upright box."""
        count = len(corners) // 2
        if not count or self.are_too_many:
            return
        if count > MOST_CORNERS:
            kept = np.arange(MOST_CORNERS) * count // MOST_CORNERS
            corners, count = np.reshape(corners, (count, 2))[kept].ravel().tolist(), MOST_CORNERS
        self._rows.append(row)
        self._counts.append(count)
        self._corners.extend(corners)
        if len(self._corners) > 2 * MAX_CORNERS:
            self.are_too_many = True
            del self._rows[:], self._counts[:], self._corners[:]

    @property
    def masks(self) -> int:
        """Number of objects with a mask; 0 if the outlines are rotated boxes."""
        return len(self._counts) if {*self._counts} - {BOX_CORNERS} else 0

    def in_order(self, order: IntArray, xyxy: FloatArray) -> Callable[[slice], FloatArray | None]:
        """Return a function of a slice of objects, which returns their outlines: (N, V, 2).

        Args:
            order: (T,) rows of all objects, as the slices count them.
            xyxy: (T, 4) boxes in this order, which are the outlines of other objects.
        """
        sizes = np.array(self._counts, np.int64)
        corners = np.array(self._corners, np.float32).reshape(-1, 2)
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        places = places[np.array(self._rows, np.int64)]
        are_masks = self.masks > 0
        if not are_masks:
            rotated = _untangled(corners.reshape(-1, BOX_CORNERS, 2))
            corners = rotated.reshape(-1, 2)
            if _are_upright(rotated, xyxy[places]):
                return lambda _: None
        counts, starts = np.zeros((2, len(order)), np.int64)
        counts[places], starts[places] = sizes, np.cumsum(sizes) - sizes

        def of(own: slice) -> FloatArray | None:
            has_own = counts[own] > 0
            if are_masks and not has_own.any():
                return None
            size = max(int(counts[own].max(initial=0)), BOX_CORNERS + are_masks)
            found = box_outlines(xyxy[own], size)
            last = counts[own][has_own, None] - 1
            found[has_own] = corners[starts[own][has_own, None] + np.minimum(np.arange(size), last)]
            return found

        return of


def _are_upright(corners_xy: FloatArray, xyxy: FloatArray) -> bool:
    """Return whether (N, 4, 2) corners are all those of their (N, 4) boxes."""
    ends = xyxy.reshape(-1, 1, 2, 2)
    reach = _SAME * (ends[:, :, 1] - ends[:, :, 0])
    near = abs(corners_xy[:, :, None] - ends) <= reach[:, :, None]
    return bool(near.any(2).all())


def _untangled(corners_xy: FloatArray) -> FloatArray:
    """Return (N, 4, 2) corners in an order around each box: tools may write them row by row."""
    sides = np.roll(corners_xy, -1, 1) - corners_xy
    following = np.roll(sides, -1, 1)
    turns = np.sign(sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0])
    rays = corners_xy - corners_xy.mean(1, keepdims=True)
    around = np.argsort(np.arctan2(rays[..., 1], rays[..., 0]), axis=1)
    is_crossed = turns.sum(1) == 0
    order = np.where(is_crossed[:, None], around, np.arange(BOX_CORNERS))
    return np.take_along_axis(corners_xy, order[..., None], 1)
