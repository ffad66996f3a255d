"""Scores and boxes in two outputs: SSDs that decode their boxes, and DETRs."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, Activation, BoxFormat, OnnxDescription
from kpviewer.models.onnx.readers.columns import (
    Outputs,
    best_class,
    corners,
    floats,
    output_of,
    own_masks,
    picked,
    require,
    sigmoid,
    softmax,
)
from kpviewer.models.ranking import Rows, largest
from kpviewer.structures import FloatArray


def read_ssd(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read two outputs, (1, P, C) scores and (1, P, 4) boxes."""
    form = description.output
    scores = picked(outputs, form.scores)
    boxes = picked(outputs, form.boxes)
    columns = len(description.classes) + (form.background is not None)
    require(
        form.scores, scores, columns, "one per class, and one for the background if there is one"
    )
    require(form.boxes, boxes, 4, "four per box")
    if form.activation is Activation.SOFTMAX:
        scores = softmax(scores)
    elif form.activation is Activation.SIGMOID:
        scores = sigmoid(scores)
    if form.background is not None:
        kept = [column for column in range(columns) if column != form.background % columns]
        scores = scores[:, kept]
    if not form.multi_label:
        scores = best_class(scores)
    points = np.zeros((len(boxes), 0, 2), np.float32)
    return Rows(corners(boxes, form, BoxFormat.XYXY), scores, points)


def read_detr(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read as ``read_ssd``, and keep the best pairs of query and class.

    They are as many as the description says, or as queries. A query may be of several classes, each
    with a sigmoid of its own. Source: RF-DETR 1.11, export/_runtime/decode.py.
    """
    rows = read_ssd(outputs, description, input_hw)
    pairs = rows.scores.reshape(-1)
    count = description.output.best or len(rows.scores)
    best = largest(pairs, min(count, len(pairs)))
    kept = np.zeros_like(pairs)
    kept[best] = pairs[best]
    rows = rows._replace(scores=kept.reshape(rows.scores.shape))
    form = description.output
    rows = rows._replace(masks=own_masks(outputs, form, len(rows.xyxy), input_hw))
    name = form.points
    if name is None:
        return rows
    points, scores = _keypoints_of_best_class(outputs, name, rows.scores, description)
    return rows._replace(keypoints_xy=points, keypoint_scores=scores)


def _keypoints_of_best_class(
    outputs: Outputs, name: str, scores: FloatArray, description: OnnxDescription
) -> tuple[FloatArray, FloatArray]:
    """Return keypoints (Q, K, 2) and their scores (Q, K) of each query's best class.

    The output is (1, Q, C * K, D): x, y, the logit of the score, and more. Source: rfdetr 1.11,
    models/postprocess.py.
    """
    queries, count = len(scores), len(description.keypoints)
    values = floats(output_of(outputs, name))
    is_right = values.ndim == 4 and values.shape[:2] == (1, queries) and values.shape[3] >= 3
    if not is_right or not values.size or values.shape[2] % count:
        raise WeightsError(
            f"Output {name!r} must have {count} keypoints of 3 numbers per class and box, got "
            f"shape {values.shape}. See {GUIDE}."
        )
    groups = values.reshape(queries, -1, count, values.shape[3])
    best = scores.argmax(1).clip(max=groups.shape[1] - 1)
    chosen = groups[np.arange(queries), best]
    return chosen[..., :2], sigmoid(chosen[..., 2])
