"""Outputs of kpviewer's own exports."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import BoxFormat, OnnxDescription
from kpviewer.models.onnx.readers.columns import (
    Outputs,
    corners,
    keypoints,
    picked,
    require,
)
from kpviewer.models.ranking import Rows


def read_candidates(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read (4 + C + K*D, P) columns as those of YOLOv8, where each class of a box counts.

    They are rows where the description says that they aren't transposed.
    """
    name, form = next(iter(outputs)), description.output
    classes, points = len(description.classes), len(description.keypoints)
    value = picked(outputs, name)
    columns = value if form.transposed is False else np.ascontiguousarray(value.T)
    widths = {4 + classes + size * points for size in (2, 3)}
    if columns.shape[1] not in widths:
        expected = " or ".join(map(str, sorted(widths)))
        raise WeightsError(
            f"Output {name!r} must have {expected} numbers per box, got {columns.shape[1]}. "
            "Export the model again."
        )
    boxes = corners(columns[:, :4], form, BoxFormat.CXCYWH)
    scores = columns[:, 4 : 4 + classes]
    return Rows(boxes, scores, *keypoints(columns[:, 4 + classes :], points))


def read_classes(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (1, C) scores of the classes of an image; the box is the whole input."""
    name = next(iter(outputs))
    scores = picked(outputs, name)[:1]
    require(name, scores, len(description.classes), "one per class")
    height, width = input_hw
    box = np.array([[0, 0, width, height]], np.float32)
    return Rows(box, scores, np.zeros((1, len(description.keypoints), 2), np.float32))
