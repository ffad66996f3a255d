"""Outputs of YOLOX that were exported without --decode_in_inference."""

from __future__ import annotations

import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.boxes import cxcywh_to_xyxy
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.columns import best_class
from kpviewer.models.onnx.readers.yolo import rows_of
from kpviewer.models.ranking import Rows

PYRAMIDS = ((8, 16, 32), (8, 16, 32, 64))
"""Strides of the feature maps of a YOLOX."""


def read_yolox(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (P, 5 + C) rows, one per cell of each stride, from the finest.

    Centre = (output + cell) * stride, size = exp(output) * stride. Source: ``demo_postprocess`` of
    yolox/utils/demo_utils.py in Megvii-BaseDetection/YOLOX.
    """
    classes = len(description.classes)
    rows = rows_of(outputs, description.output, (5 + classes,), "4 + 1 + classes")
    cells, strides = _cells(rows, input_hw)
    centres = (rows[:, :2] + cells) * strides
    sizes = rows[:, 2:4].clamp(max=20).exp() * strides  # a larger one has no place in any image
    scores = best_class(rows[:, 4:5] * rows[:, 5:])
    boxes = cxcywh_to_xyxy(torch.cat([centres, sizes], 1))
    return Rows(boxes, scores, rows.new_zeros(len(rows), 0, 2))


def _cells(rows: Tensor, input_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the (P, 2) column and row, and the (P, 1) stride of each cell."""
    for pyramid in PYRAMIDS:
        sides = [(input_hw[0] // stride, input_hw[1] // stride) for stride in pyramid]
        if sum(height * width for height, width in sides) != len(rows):
            continue
        cells = [
            torch.cartesian_prod(torch.arange(height), torch.arange(width)).flip(1)
            for height, width in sides
        ]
        strides = [
            torch.full((len(each), 1), stride) for each, stride in zip(cells, pyramid, strict=True)
        ]
        return torch.cat(cells).to(rows.device), torch.cat(strides).to(rows.device)
    raise WeightsError(
        f"A YOLOX must have a row for each cell of an input of {input_hw[1]}x{input_hw[0]} px, got "
        f"{len(rows)} rows. Is the kind of output right? See {GUIDE}."
    )
