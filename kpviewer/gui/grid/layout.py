"""Arrangement of the tiles of a grid. No widgets."""

import math
from typing import NamedTuple

MOST_STREAMS = 16
"""Most streams of a grid."""


class Cell(NamedTuple):
    """Place of a tile, in px from the upper left corner of the grid."""

    left: int
    top: int
    width: int
    height: int


def shape_of(count: int) -> tuple[int, int]:
    """Return columns and rows for a number of tiles: 1, 2 x 1, 2 x 2, 3 x 2, 3 x 3 … 4 x 4."""
    columns = max(math.ceil(math.sqrt(count)), 1)
    return columns, max(math.ceil(count / columns), 1)


def cells(count: int, width: int, height: int, gap: int = 0) -> list[Cell]:
    """Return the places of tiles that fill an area, row by row.

    Sizes and ``gap``, the room between tiles, are in px.
    """
    columns, rows = shape_of(count)
    lefts, tops = _edges(columns, width, gap), _edges(rows, height, gap)
    places = [(lefts[index % columns], tops[index // columns]) for index in range(count)]
    return [
        Cell(left, top, max(right - left, 0), max(bottom - top, 0))
        for (left, right), (top, bottom) in places
    ]


def _edges(count: int, length: int, gap: int) -> list[tuple[int, int]]:
    """Return begin and end of equal parts of a length."""
    part = (length - gap * (count - 1)) / count
    begins = [round(index * (part + gap)) for index in range(count)]
    return [(begin, round(index * (part + gap) + part)) for index, begin in enumerate(begins)]


def moved(index: int, count: int, right: int, down: int) -> int:
    """Return the tile beside another one; the same at an edge.

    ``right`` and ``down`` are columns and rows; negative to the left and up.
    """
    columns, _rows = shape_of(count)
    if right and not 0 <= index % columns + right < columns:
        return index
    wanted = index + right + down * columns
    if down > 0 and wanted >= count and index // columns < (count - 1) // columns:
        return count - 1  # the last row is shorter
    return wanted if 0 <= wanted < count else index
