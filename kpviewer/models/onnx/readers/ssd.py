"""Outputs of SSDs that decode their boxes: scores and boxes apart."""

from __future__ import annotations

from kpviewer.models.onnx.description import Activation, BoxFormat, OnnxDescription
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.columns import corners, picked, require
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
    return Rows(corners(boxes, form, BoxFormat.XYXY), scores, boxes.new_zeros(len(boxes), 0, 2))
