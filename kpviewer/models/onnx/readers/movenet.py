"""Outputs of MoveNet: one person's keypoints, or those of up to six with their boxes."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.columns import Outputs, floats
from kpviewer.models.ranking import Rows
from kpviewer.structures import FloatArray

POINTS = 17
_CERTAIN = 0.3
"""Score of keypoints that the box of a single person is drawn around."""


def read_movenet(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (1, 1, 17, 3) of y, x and score, shares of the input.

    The model has no box and no score of the person: the box is that of its certain keypoints, the
    score their mean over all.

    Source: TensorFlow Hub, movenet/singlepose.
    """
    rows = _rows(outputs, POINTS * 3)[:1]
    points, scores = _keypoints(rows.reshape(1, POINTS, 3))
    seen = ~(scores < min(_CERTAIN, float(scores.max())))  # what isn't a number counts, too
    inside = points[seen]
    xyxy = np.concatenate([inside.min(0), inside.max(0)])[None]
    return Rows(xyxy, scores.mean(1, keepdims=True), points, scores)


def read_movenet_multi(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read (1, P, 56): 17 times y, x and score, then a box as y1, x1, y2, x2 and its score.

    Source: TensorFlow Hub, movenet/multipose.
    """
    rows = _rows(outputs, POINTS * 3 + 5)
    points, scores = _keypoints(rows[:, : POINTS * 3].reshape(len(rows), POINTS, 3))
    y1, x1, y2, x2, score = rows[:, POINTS * 3 :].T
    return Rows(np.stack([x1, y1, x2, y2], 1), score[:, None], points, scores)


def _keypoints(yxs: FloatArray) -> tuple[FloatArray, FloatArray]:
    return yxs[..., 1::-1], yxs[..., 2].clip(0, 1)


def _rows(outputs: Outputs, columns: int) -> FloatArray:
    """Return the first output that holds rows of so many numbers: (P, columns) float."""
    for value in outputs.values():
        if value.size and value.size % columns == 0 and value.shape[-1] in (3, columns):
            return floats(value).reshape(-1, columns)
    shapes = ", ".join(str(each.shape) for each in outputs.values())
    raise WeightsError(
        f"MoveNet must have an output of {columns} numbers per person, got {shapes}. See {GUIDE}."
    )
