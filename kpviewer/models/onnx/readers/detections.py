"""Detections of graphs that choose them: one row each, in one output or in several."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, BoxFormat, OnnxDescription
from kpviewer.models.onnx.readers.columns import (
    Outputs,
    corners,
    floats,
    keypoints,
    output_of,
    own_masks,
    picked,
    require,
    whole,
)
from kpviewer.models.ranking import Rows, one_hot_scores
from kpviewer.structures import FloatArray


def read_flat(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read rows of image, corners, score and class, in the order that the description says.

    Rows of 6 lack the image. With keypoints (N, 6 + K*3): image, corners, score, keypoints; all are
    of the first class.
    """
    form, points = description.output, len(description.keypoints)
    name = form.rows if form.rows is not None else next(iter(outputs))
    rows = picked(outputs, name)
    if points or rows.shape[1] != 6:
        require(name, rows, 6 + 3 * points if points else 7, "image, four per box, score, class")
        rows = rows[rows[:, 0] == 0][:, 1:]
    if points:
        scores, labels = rows[:, 4], np.zeros_like(rows[:, 4])
    else:
        pair, boxes = (rows[:, :2], rows[:, 2:]) if form.box_last else (rows[:, 4:], rows[:, :4])
        labels, scores = pair.T if form.class_first else pair.T[::-1]
        rows = boxes
    columns = _columns(name, scores, labels - form.first_label, description)
    xyxy = corners(rows[:, :4], form, BoxFormat.XYXY)
    return Rows(xyxy, columns, *keypoints(rows[:, 5:], points))


def read_lists(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read outputs of boxes, scores and labels, with or without a batch axis of 1."""
    form = description.output
    boxes = picked(outputs, form.boxes)
    require(form.boxes, boxes, 4, "four per box")
    scores = _list(outputs, form.scores, len(boxes))
    labels = np.zeros_like(scores)
    if form.labels is not None:
        labels = _list(outputs, form.labels, len(boxes)) - form.first_label
    points, confidences = _points(outputs, description, len(boxes))
    filled = len(boxes) if form.count is None else _count(outputs, form.count)
    columns = _columns(form.labels or form.scores, scores[:filled], labels[:filled], description)
    boxes = corners(boxes[:filled], form, BoxFormat.XYXY)
    if confidences is not None:
        confidences = confidences[:filled]
    masks = own_masks(outputs, form, len(scores), input_hw)
    masks = None if masks is None else masks[np.arange(len(boxes))]
    return Rows(boxes, columns, points[:filled], confidences, masks=masks)


def _points(
    outputs: Outputs, description: OnnxDescription, boxes: int
) -> tuple[FloatArray, FloatArray | None]:
    """Return keypoints (N, K, 2) and their scores (N, K); None if there are none."""
    name, count = description.output.points, len(description.keypoints)
    if name is None:
        return np.zeros((boxes, 0, 2), np.float32), None
    values = floats(output_of(outputs, name))
    if values.ndim not in (3, 4) or values.shape[-2:] not in ((count, 2), (count, 3)):
        raise WeightsError(
            f"Output {name!r} must have {count} keypoints of 2 or 3 numbers per box, got shape "
            f"{values.shape}. See {GUIDE}."
        )
    if not description.output.scored_points:
        values = values[..., :2]
    return keypoints(
        values.reshape(boxes, 2 * count if values.shape[-1] == 2 else 3 * count), count
    )


def _columns(
    name: str, scores: FloatArray, labels: FloatArray, description: OnnxDescription
) -> FloatArray:
    """Return (N, C) scores by class."""
    numbers = whole(labels)
    classes = len(description.classes)
    highest = int(numbers.max()) if len(numbers) else 0
    if highest >= classes and not (scores[numbers >= classes] <= 0).all():
        first = description.output.first_label
        raise WeightsError(
            f"Output {name!r} must have labels {first} to {first + classes - 1}, one per class, "
            f"got {highest + first}. Name all classes: see {GUIDE}."
        )
    return one_hot_scores(scores, numbers, classes)


def _count(outputs: Outputs, name: str) -> int:
    """Return how many rows are filled: 0 for what isn't a number, or negative."""
    value = output_of(outputs, name)
    if not value.size:
        raise WeightsError(
            f"Output {name!r} must be the number of boxes, got shape {value.shape}. See {GUIDE}."
        )
    return max(0, int(whole(floats(value)).flat[0]))


def _list(outputs: Outputs, name: str, count: int) -> FloatArray:
    """Return an output with one number per box: (N,) float."""
    values = output_of(outputs, name)
    if values.size != count:
        raise WeightsError(
            f"Output {name!r} must have one value for each of {count} boxes, got shape "
            f"{values.shape}. See {GUIDE}."
        )
    return floats(values.reshape(-1))
