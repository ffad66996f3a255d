"""Areas beside the boxes of a COCO file: they tell corner and sides from two corners."""

from typing import Any

from kpviewer.annotations.formats.coco.masks import Box
from kpviewer.annotations.problems import BY_AREA, Problem
from kpviewer.annotations.reading.values import EntryLocation

_TOLERANCE = 0.01
"""Relative difference up to which two areas are the same."""


class Areas:
    """Count of the boxes whose area is that of their sides, and of two corners."""

    def __init__(self) -> None:
        self._all = self._corners = 0
        self._has_sides = False
        self._first: EntryLocation | None = None

    def count(self, box: Box, area: Any, where: EntryLocation) -> None:
        """Count an object whose box was read as corner and sides, and became corners.

        The area of a mask is smaller than that of its box, and counts for neither, nearly always.
        """
        if type(area) not in (int, float) or not area > 0:
            return
        self._all += 1
        left, top, right, bottom = box
        width, height = right - left, bottom - top
        if _is_near(width * height, area):
            self._has_sides = True
        elif width > left and height > top and _is_near((width - left) * (height - top), area):
            self._corners += 1
            self._first = self._first or where

    def problem(self) -> Problem | None:
        """Return the problem of a file most of whose areas are those of two corners, none of sides.

        The area of a mask may be that of two corners by chance.
        """
        if self._first is None or self._has_sides or 2 * self._corners <= self._all:
            return None
        return Problem(BY_AREA, str(self._first), is_error=False)


def mask_area(area: Any, box: Box) -> float:
    """Return the area that a file states for an object, px^2; 0 if it can't be that of its mask."""
    left, top, right, bottom = box
    of_box = (right - left) * (bottom - top)
    is_inside = type(area) in (int, float) and 0 < area <= of_box * (1 + _TOLERANCE)
    return float(area) if is_inside else 0.0


def _is_near(found: float, area: float) -> bool:
    return abs(found - area) <= _TOLERANCE * area
