"""Outputs of YOLOX that were exported without --decode_in_inference."""

from __future__ import annotations

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.cells import cells_of
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.columns import best_class, cxcywh_to_xyxy
from kpviewer.models.onnx.readers.yolo import rows_of
from kpviewer.models.ranking import Rows


def read_yolox(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (P, 5 + C) rows, one per cell of each stride, from the finest.

    Centre = (output + cell) * stride, size = exp(output) * stride. Source: ``demo_postprocess`` of
    yolox/utils/demo_utils.py in Megvii-BaseDetection/YOLOX.
    """
    classes = len(description.classes)
    rows = rows_of(outputs, description.output, (5 + classes,), "4 + 1 + classes")
    grid = cells_of(input_hw, len(rows))
    if grid is None:
        raise WeightsError(
            f"A YOLOX must have a row for each cell of an input of {input_hw[1]}x{input_hw[0]} px, "
            f"got {len(rows)} rows. Is the kind of output right? See {GUIDE}."
        )
    cells, strides = grid
    centres = (rows[:, :2] + cells) * strides
    sizes = np.exp(rows[:, 2:4].clip(max=20)) * strides  # a larger one has no place in any image
    scores = best_class(rows[:, 4:5] * rows[:, 5:])
    boxes = cxcywh_to_xyxy(centres, sizes)
    return Rows(boxes, scores, np.zeros((len(rows), 0, 2), np.float32))
