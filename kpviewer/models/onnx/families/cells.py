"""Rows of a grid of cells: how many predictions a cell has says which YOLO a file is."""

from __future__ import annotations

from kpviewer.models.onnx.facts import FileFacts

PYRAMIDS = ((8, 16, 32), (8, 16, 32, 64), (16, 32))
"""Strides of feature maps; the last ones are those of YOLOv3-tiny."""


def rows_per_cell(facts: FileFacts, rows: int | None) -> int | None:
    """Return how many of ``rows`` predictions each cell of the input has, 1 or 3.

    None if sizes are open, or no usual number of cells fits.
    """
    size = facts.input_hw
    if size is None or rows is None:
        return None
    height, width = size
    if height is None or width is None:
        return None
    for pyramid in PYRAMIDS:
        cells = sum((height // stride) * (width // stride) for stride in pyramid)
        for each in (1, 3):
            if rows == each * cells:
                return each
    return None
