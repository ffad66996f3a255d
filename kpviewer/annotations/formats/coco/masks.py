"""Boxes and outlines of COCO's segmentations: of polygons, and of run lengths, plain or compressed.

Format: maskApi.c of pycocotools (rleToBbox, rleFrString). Runs go down the columns of the image and
begin with one outside the mask.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from kpviewer.annotations.formats.coco.records import Annotation
from kpviewer.annotations.reading.values import Location, number
from kpviewer.errors import DatasetError
from kpviewer.geometry import bridged
from kpviewer.structures import signed_areas

Box = tuple[float, float, float, float]
Float64Array = NDArray[np.float64]
_MAX_SIDE_PX = 1_000_000
_MOST_PX = 100_000_000
"""Most pixels of a mask that is traced."""
_MOST_CORNERS, _MOST_PARTS = 256, 16
_LEAST_PART = 0.02
"""Area of the smallest part that is kept, as share of the largest."""
_APART = 0.98
"""Area of a union of polygons that don't overlap, at least, as share of the sum of their areas."""


def segmentation_box(record: Annotation, where: Location) -> Box | None:
    """Return left, top, right and bottom of an annotation's segmentation; None if it has none.

    Raises:
        DatasetError: if it is malformed.
    """
    raw = record.segmentation
    try:
        found = msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        return _around(*_runs(found, where))
    rings = [ring for ring in found if isinstance(ring, list) and len(ring) >= 6] if (
        isinstance(found, list)) else []  # fmt: skip
    if not rings:
        return None
    x, y = ([number(each, "segmentation", where) for ring in rings for each in ring[axis::2]]
            for axis in (0, 1))  # fmt: skip
    return min(x), min(y), max(x), max(y)


def outline_of(record: Annotation, where: Location, *, is_region: bool) -> Sequence[float]:
    """Return x and y of the corners of a mask, px; empty without a valid mask.

    Parts and holes are joined by bridges without width; small ones are left out.

    Args:
        record: the annotation.
        where: location of the annotation.
        is_region: whether nothing may be left out, as the mask is a region to ignore.
    """
    raw = record.segmentation
    try:
        if isinstance(raw, msgspec.Raw):
            found = msgspec.json.decode(raw, type=list[list[float]] | dict[str, Any])
        else:
            found = msgspec.convert(raw, list[list[float]] | dict[str, Any])
        if isinstance(found, dict):
            parts = _traced(*_runs(found, where))
        else:
            rings = [ring for ring in found if len(ring) >= 6 and len(ring) % 2 == 0]
            if len(rings) == 1 and len(rings[0]) <= 2 * _MOST_CORNERS:
                return rings[0] if _is_near(rings[0]) else ()
            parts = _apart([ring for ring in rings if _is_near(ring)], where)
    except (ValueError, RecursionError, DatasetError):
        return ()
    return _joined(parts, is_region=is_region)


def _apart(rings: list[list[float]], where: Location) -> list[Float64Array]:
    """Return the (V, 2) corners of each part of the union of polygons."""
    from pycocotools import mask  # noqa: PLC0415 - the window starts without it

    parts = [_turned(np.reshape(ring, (-1, 2))) for ring in rings]
    if len(parts) < 2:
        return parts
    corners = np.concatenate(parts)
    origin = np.floor(corners.min(0))
    width, height = (np.ceil(corners.max(0) - origin).astype(int) + 1).tolist()
    if width * height > _MOST_PX:
        return parts
    runs = mask.frPyObjects([(part - origin).ravel().tolist() for part in parts], height, width)
    whole = mask.merge(runs)
    if mask.area(whole) > _APART * sum(float(mask.area(each)) for each in runs):
        return parts
    union = {"counts": whole["counts"].decode(), "size": [height, width]}
    return [part + origin for part in _traced(*_runs(union, where))]


def _turned(ring: Float64Array) -> Float64Array:
    return ring if signed_areas(ring[None])[0] >= 0 else ring[::-1]


def _is_near(ring: list[float]) -> bool:
    return -_MAX_SIDE_PX <= min(ring) <= max(ring) <= _MAX_SIDE_PX


def _joined(parts: Sequence[Float64Array], *, is_region: bool) -> Sequence[float]:
    """Return x and y of the corners of one polygon for (V, 2) parts, of not too many corners."""
    areas = np.array([abs(float(signed_areas(part[None])[0])) for part in parts])
    large = np.flatnonzero(areas > _LEAST_PART * areas.max(initial=0))
    largest = large[np.argsort(-areas[large], kind="stable")][:_MOST_PARTS]
    if not len(largest) or (is_region and len(largest) < len(parts)):
        return ()
    kept = [parts[row] for row in largest.tolist()]
    share = _MOST_CORNERS / (sum(map(len, kept)) + 2 * len(kept))
    counts = [min(len(part), max(3, int(len(part) * share))) for part in kept]
    rings = [
        part[np.arange(count) * len(part) // count]
        for part, count in zip(kept, counts, strict=True)
    ]
    corners: list[float] = bridged(rings).ravel().tolist()
    return corners


def _traced(height: int, inside: list[tuple[int, int]]) -> list[Float64Array]:
    """Return the (V, 2) corners of each part and hole of a mask of run lengths, px."""
    from contourpy import contour_generator  # noqa: PLC0415 - few files have such masks

    left, top, right, bottom = map(int, _around(height, inside) or (0, 0, 0, 0))
    if not 0 < height * (right - left) <= _MOST_PX:
        return []
    steps = np.zeros(height * (right - left) + 1, np.int8)
    first, last = np.asarray(inside, np.int64).T - left * height
    steps[first] = 1
    steps[last + 1] -= 1
    columns = np.cumsum(steps[:-1], dtype=np.int8).reshape(-1, height)[:, top:bottom]
    lines = contour_generator(z=np.pad(columns.T, 1).astype(np.float32)).lines(0.5)
    # the frame of one pixel, and the centres of pixels, lie half a pixel off; the last corner is
    # the first
    offset = np.array([left - 0.5, top - 0.5])
    return [np.asarray(line, np.float64)[:-1] + offset for line in lines]


def _runs(mask: dict[str, Any], where: Location) -> tuple[int, list[tuple[int, int]]]:
    """Return the height of a mask, and first and last pixel of each run inside it."""
    counts, size = mask.get("counts"), mask.get("size")
    runs = _decompressed(counts) if isinstance(counts, str) else counts
    sides = size if isinstance(size, list) and len(size) == 2 else [0, 0]
    if (
        not isinstance(runs, list)
        or not all(type(each) is int and each >= 0 for each in (*sides, *runs))
        or not 0 < max(sides) <= _MAX_SIDE_PX
    ):
        raise DatasetError(f"{where}: segmentation must have counts and size of a mask.")
    height, width = sides
    ends = list(accumulate(runs, initial=0))
    if ends[-1] != height * width:
        raise DatasetError(
            f"{where}: counts of the segmentation must cover {width}x{height} pixels, got "
            f"{ends[-1]}. Is its size [height, width]?"
        )
    inside = [(start, end - 1) for start, end in zip(ends[1::2], ends[2::2], strict=False)
              if end > start]  # fmt: skip
    return height, inside


def _around(height: int, inside: list[tuple[int, int]]) -> Box | None:
    """Return the box of the pixels of a mask; None if it has none."""
    if not inside:
        return None
    rows = [
        (first % height, last % height) if first // height == last // height else (0, height - 1)
        for first, last in inside
    ]
    return (
        inside[0][0] // height,
        min(top for top, _ in rows),
        inside[-1][1] // height + 1,
        max(bottom for _, bottom in rows) + 1,
    )


def _decompressed(text: str) -> list[int]:
    """Decode run lengths of 5 bits a character, lowest first; differences from the fourth on."""
    runs: list[int] = []
    value = shift = 0
    for code in (ord(letter) - 48 for letter in text):
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20 and shift < 60:
            continue
        if code & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
