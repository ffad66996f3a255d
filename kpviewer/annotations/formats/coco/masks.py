"""Boxes of COCO's segmentations: of polygons, and of run lengths, plain or compressed.

Format: maskApi.c of pycocotools (rleToBbox, rleFrString). Runs go down the columns of the image and
begin with one outside the mask.
"""

from itertools import accumulate
from typing import Any

import msgspec

from kpviewer.annotations.formats.coco.records import Annotation
from kpviewer.annotations.reading.values import Location, number
from kpviewer.errors import DatasetError

Box = tuple[float, float, float, float]
MAX_SIDE_PX = 1_000_000


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
        return box_of_runs(*runs_of(found, where))
    rings = [ring for ring in found if isinstance(ring, list) and len(ring) >= 6] if (
        isinstance(found, list)) else []  # fmt: skip
    if not rings:
        return None
    x, y = ([number(each, "segmentation", where) for ring in rings for each in ring[axis::2]]
            for axis in (0, 1))  # fmt: skip
    return min(x), min(y), max(x), max(y)


def runs_of(mask: dict[str, Any], where: Location) -> tuple[int, list[tuple[int, int]]]:
    """Return the height of a mask, and first and last pixel of each run inside it.

    Raises:
        DatasetError: if it is malformed.
    """
    counts, size = mask.get("counts"), mask.get("size")
    runs = _decompressed(counts) if isinstance(counts, str) else counts
    sides = size if isinstance(size, list) and len(size) == 2 else [0, 0]
    if (
        not isinstance(runs, list)
        or not all(type(each) is int and each >= 0 for each in (*sides, *runs))
        or not 0 < max(sides) <= MAX_SIDE_PX
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


def box_of_runs(height: int, inside: list[tuple[int, int]]) -> Box | None:
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
