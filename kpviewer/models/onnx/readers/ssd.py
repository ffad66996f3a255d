"""Scores and boxes in two outputs: SSDs that decode their boxes, and DETRs."""

from __future__ import annotations

import torch

from kpviewer.models.onnx.description import Activation, BoxFormat, OnnxDescription
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.columns import best_class, corners, picked, require
from kpviewer.models.ranking import Rows


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
        scores = scores.softmax(-1)
    elif form.activation is Activation.SIGMOID:
        scores = scores.sigmoid()
    if form.background is not None:
        kept = [column for column in range(columns) if column != form.background % columns]
        scores = scores[:, kept]
    if not form.multi_label:
        scores = best_class(scores)
    return Rows(corners(boxes, form, BoxFormat.XYXY), scores, boxes.new_zeros(len(boxes), 0, 2))


def read_detr(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read as ``read_ssd``, and keep the best pairs of query and class: as many as queries.

    A query may be of several classes, each with a sigmoid of its own. Source: RF-DETR 1.11,
    export/_runtime/decode.py.
    """
    rows = read_ssd(outputs, description, input_hw)
    pairs = rows.scores.flatten()
    best = pairs.topk(min(len(rows.scores), len(pairs)))
    kept = torch.zeros_like(pairs).scatter(0, best.indices, best.values)
    return rows._replace(scores=kept.reshape(rows.scores.shape))
