"""Cells of feature maps: how many predictions each has says which YOLO a file is."""

import numpy as np

from kpviewer.models.onnx.facts import FileFacts
from kpviewer.structures import FloatArray

PYRAMIDS = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
"""Strides of feature maps, from the finest; the last ones are those of YOLOv3-tiny."""

_STRIDES = (4, 8, 16, 32, 64, 128)
"""Strides of single feature maps."""


def rows_per_cell(facts: FileFacts, rows: int | None) -> int | None:
    """Return how many of ``rows`` predictions each cell of the input has, 1 or 3.

    None if sizes are open, or no usual number of cells fits.
    """
    if facts.fixed_hw is None or rows is None:
        return None
    height, width = facts.fixed_hw
    for pyramid in PYRAMIDS:
        cells = sum((height // stride) * (width // stride) for stride in pyramid)
        for each in (1, 3):
            if rows == each * cells:
                return each
    return None


def has_feature_maps(facts: FileFacts) -> bool:
    """Return whether several outputs are feature maps, or rows for the cells of one map each."""
    if facts.fixed_hw is None:
        return False
    height, width = facts.fixed_hw
    maps = {(-(-height // stride), -(-width // stride)) for stride in _STRIDES}
    shapes = facts.outputs.values()
    planes = [each for each in shapes if len(each) == 4 and (each[1:3] in maps or each[2:] in maps)]
    rows = [each[1] for each in shapes if len(each) == 3]
    cells = {high * wide for high, wide in maps}
    levels = [each for each in cells if not {each, 2 * each, 3 * each}.isdisjoint(rows)]
    return len(planes) > 1 or (len(levels) > 1 and len(rows) >= 2 * len(levels))


def map_cells(height: int, width: int) -> FloatArray:
    """Return column and row of each cell of a map, row by row: (height * width, 2) float32."""
    rows, columns = np.divmod(np.arange(height * width), width)
    return np.stack([columns, rows], 1).astype(np.float32)


def cells_of(input_hw: tuple[int, int], count: int) -> tuple[FloatArray, FloatArray] | None:
    """Return column and row (P, 2), and stride (P, 1), of each of ``count`` cells in order.

    None if no usual feature maps have so many.
    """
    for pyramid in PYRAMIDS:
        sides = [(input_hw[0] // stride, input_hw[1] // stride) for stride in pyramid]
        if sum(height * width for height, width in sides) != count:
            continue
        parts = [map_cells(height, width) for height, width in sides]
        strides = [
            np.full((len(each), 1), stride, np.float32)
            for each, stride in zip(parts, pyramid, strict=True)
        ]
        return np.concatenate(parts), np.concatenate(strides)
    return None
