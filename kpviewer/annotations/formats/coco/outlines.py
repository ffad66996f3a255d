"""Outlines of COCO's segmentations, each of one polygon: parts and holes are joined."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from kpviewer.annotations.formats.coco.masks import MAX_SIDE_PX, box_of_runs, runs_of
from kpviewer.annotations.formats.coco.records import Annotation
from kpviewer.annotations.reading.outlines import MOST_CORNERS
from kpviewer.annotations.reading.values import Location
from kpviewer.errors import DatasetError
from kpviewer.geometry import bridged, largest_parts
from kpviewer.structures import signed_areas

Float64Array = NDArray[np.float64]
_MOST_PX = 100_000_000
"""Most pixels of a mask that is traced."""
_MOST_PARTS = 16
_APART = 0.98
"""Area of a union of polygons that don't overlap, at least, as share of the sum of their areas."""


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
            parts = _traced(*runs_of(found, where))
        else:
            rings = [ring for ring in found if len(ring) >= 6 and len(ring) % 2 == 0]
            if len(rings) == 1 and len(rings[0]) <= 2 * MOST_CORNERS:
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
    return [part + origin for part in _traced(*runs_of(union, where))]


def _turned(ring: Float64Array) -> Float64Array:
    return ring if signed_areas(ring[None])[0] >= 0 else ring[::-1]


def _is_near(ring: list[float]) -> bool:
    return -MAX_SIDE_PX <= min(ring) <= max(ring) <= MAX_SIDE_PX


def _joined(parts: Sequence[Float64Array], *, is_region: bool) -> Sequence[float]:
    """Return x and y of the corners of one polygon for (V, 2) parts, of not too many corners."""
    areas = np.array([abs(float(signed_areas(part[None])[0])) for part in parts])
    kept = [parts[row] for row in largest_parts(areas, _MOST_PARTS)]
    if not kept or (is_region and len(kept) < len(parts)):
        return ()
    share = MOST_CORNERS / (sum(map(len, kept)) + 2 * len(kept))
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

    left, top, right, bottom = map(int, box_of_runs(height, inside) or (0, 0, 0, 0))
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
