"""Outputs of YuNet (Wu et al. 2023): four for each of three strides."""

from __future__ import annotations

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.cells import map_cells
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.columns import cxcywh_to_xyxy, joined, picked, require
from kpviewer.models.ranking import Rows

STRIDES = (8, 16, 32)


def read_yunet(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read one box and five points per cell of each stride, as offsets from its corner in strides.

    Source: the decoding of cv2.FaceDetectorYN, which a test compares with.
    """
    parts = []
    for stride in STRIDES:
        height, width = (side // stride for side in input_hw)
        names = [f"{name}_{stride}" for name in ("cls", "obj", "bbox", "kps")]
        classes, objects, boxes, points = (picked(outputs, name) for name in names)
        require(names[2], boxes, 4, "four per box")
        if len(boxes) != height * width:
            raise WeightsError(
                f"Output {names[2]!r} must have {height * width} rows for an input of "
                f"{width}x{height} cells, got {len(boxes)}. See {GUIDE}."
            )
        cells = map_cells(height, width)
        centres = (boxes[:, :2] + cells) * stride
        sizes = np.exp(boxes[:, 2:]) * stride
        scores = np.sqrt(classes.clip(0, 1) * objects.clip(0, 1))
        points = (points.reshape(len(cells), -1, 2) + cells[:, None]) * stride
        parts.append(Rows(cxcywh_to_xyxy(centres, sizes), scores, points))
    rows = joined(parts)
    return rows._replace(keypoints_xy=rows.keypoints_xy[:, : len(description.keypoints)])
