"""Decoding of ONNX outputs to boxes, scores and keypoints in input pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.boxes import cxcywh_to_xyxy
from kpviewer.models.onnx.description import (
    GUIDE,
    Activation,
    BoxFormat,
    OnnxDescription,
    OutputFormat,
    OutputKind,
)
from kpviewer.models.ranking import MAX_CANDIDATES, Rows, one_hot_scores

Outputs: TypeAlias = Mapping[str, Tensor]
"""Outputs of one image by name, with a batch axis of 1."""

YUNET_STRIDES = (8, 16, 32)


def read_outputs(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Return the predictions of one image.

    Raises:
        WeightsError: if an output is missing or its shape contradicts the description.
    """
    rows = _READERS[description.output.kind](outputs, description, input_hw)
    if not description.output.normalised:
        return rows
    height, width = input_hw
    scale = rows.xyxy.new_tensor([width, height])
    return rows._replace(xyxy=rows.xyxy * scale.repeat(2), keypoints_xy=rows.keypoints_xy * scale)


def _read_ssd(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    form = description.output
    scores = _picked(outputs, form.scores)
    boxes = _picked(outputs, form.boxes)
    columns = len(description.classes) + (form.background is not None)
    _require(
        form.scores, scores, columns, "one per class, and one for the background if there is one"
    )
    _require(form.boxes, boxes, 4, "four per box")
    if form.activation is Activation.SOFTMAX:
        scores = scores.softmax(-1)
    elif form.activation is Activation.SIGMOID:
        scores = scores.sigmoid()
    if form.background is not None:
        kept = [column for column in range(columns) if column != form.background % columns]
        scores = scores[:, kept]
    return Rows(_corners(boxes, form, BoxFormat.XYXY), scores, boxes.new_zeros(len(boxes), 0, 2))


def _read_yolov5(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    form = description.output
    classes, points = len(description.classes), len(description.keypoints)
    rows = _rows(outputs, form, (5 + classes,), "4 + 1 + classes")
    scores = rows[:, 4:5] * rows[:, 5 : 5 + classes]
    boxes = _corners(rows[:, :4], form, BoxFormat.CXCYWH)
    return Rows(boxes, scores, rows.new_zeros(len(rows), points, 2))


def _read_yolov8(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    form = description.output
    classes, points = len(description.classes), len(description.keypoints)
    widths = tuple(4 + classes + size * points for size in (3, 2))
    rows = _rows(outputs, form, widths, "4 + classes + 2 or 3 per keypoint")
    boxes = _corners(rows[:, :4], form, BoxFormat.CXCYWH)
    return Rows(boxes, rows[:, 4 : 4 + classes], _points(rows[:, 4 + classes :], points))


def _read_boxes(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    form = description.output
    classes, points = len(description.classes), len(description.keypoints)
    widths = tuple(6 + size * points for size in (3, 2))
    rows = _rows(outputs, form, widths, "x1, y1, x2, y2, score, class, and 2 or 3 per keypoint")
    is_known = (rows[:, 5] > -0.5) & (rows[:, 5] < classes - 0.5)  # -1 is padding
    best = (rows[:, 4] * is_known).topk(min(MAX_CANDIDATES, len(rows))).indices
    rows = rows[best]  # rows x classes would need much memory
    scores = one_hot_scores(rows[:, 4], rows[:, 5].round().long(), classes)
    return Rows(_corners(rows[:, :4], form, BoxFormat.XYXY), scores, _points(rows[:, 6:], points))


def _read_yunet(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read one box and five points per cell of each stride, as offsets from its corner in strides.

    Source: the decoding of cv2.FaceDetectorYN, which a test compares with.
    """
    parts = []
    for stride in YUNET_STRIDES:
        height, width = (side // stride for side in input_hw)
        names = [f"{name}_{stride}" for name in ("cls", "obj", "bbox", "kps")]
        classes, objects, boxes, points = (_picked(outputs, name) for name in names)
        _require(names[2], boxes, 4, "four per box")
        if len(boxes) != height * width:
            raise WeightsError(
                f"Output {names[2]!r} must have {height * width} rows for an input of "
                f"{width}x{height} cells, got {len(boxes)}. See {GUIDE}."
            )
        cells = torch.cartesian_prod(
            torch.arange(height, device=boxes.device), torch.arange(width, device=boxes.device)
        ).flip(1)  # (h * w, 2): column, row
        centres = (boxes[:, :2] + cells) * stride
        sizes = boxes[:, 2:].exp() * stride
        scores = (classes.clamp(0, 1) * objects.clamp(0, 1)).sqrt()
        points = (points.reshape(len(cells), -1, 2) + cells[:, None]) * stride
        parts.append(Rows(cxcywh_to_xyxy(torch.cat([centres, sizes], 1)), scores, points))
    xyxy, scores, keypoints = (torch.cat(each) for each in zip(*parts, strict=True))
    return Rows(xyxy, scores, keypoints[:, : len(description.keypoints)])


_READERS: Mapping[OutputKind, Callable[[Outputs, OnnxDescription, tuple[int, int]], Rows]] = {
    OutputKind.SSD: _read_ssd,
    OutputKind.YOLOV5: _read_yolov5,
    OutputKind.YOLOV8: _read_yolov8,
    OutputKind.BOXES: _read_boxes,
    OutputKind.YUNET: _read_yunet,
}


def _picked(outputs: Outputs, name: str) -> Tensor:
    """Return an output by name, without its batch axis: (P, D) float."""
    if name not in outputs:
        raise WeightsError(
            f"The model must have an output {name!r}, got {', '.join(outputs)}. "
            f"Name the right one under [output]: see {GUIDE}."
        )
    value = outputs[name].float()
    if value.ndim == 3 and len(value) == 1:
        value = value[0]
    if value.ndim != 2:
        raise WeightsError(
            f"Output {name!r} must have shape (1, P, D), got {tuple(outputs[name].shape)}. "
            f"kpviewer can't read such an output: see {GUIDE}."
        )
    return value


def _require(name: str, value: Tensor, columns: int, meaning: str) -> None:
    if value.shape[1] != columns:
        raise WeightsError(
            f"Output {name!r} must have {columns} columns ({meaning}), got {value.shape[1]}. "
            f"Are the classes and the kind of output right? See {GUIDE}."
        )


def _rows(outputs: Outputs, form: OutputFormat, widths: tuple[int, ...], meaning: str) -> Tensor:
    """Return the output of a YOLO with one prediction per row: (P, D)."""
    name = form.rows if form.rows is not None else next(iter(outputs))
    value = _picked(outputs, name)
    may_be_columns = form.kind is OutputKind.YOLOV8 and form.transposed is not False
    for width in widths:
        if may_be_columns and value.shape[0] == width:
            return value.T
        if form.transposed is not True and value.shape[1] == width:
            return value
    expected = " or ".join(str(width) for width in dict.fromkeys(widths))
    axes = {True: " in columns", False: " in rows", None: ""}
    raise WeightsError(
        f"Output {name!r} must have {expected} numbers per box ({meaning}){axes[form.transposed]}, "
        f"got shape {tuple(value.shape)}. Are classes, keypoints and the kind of output right? "
        f"See {GUIDE}."
    )


def _corners(boxes: Tensor, form: OutputFormat, default: BoxFormat) -> Tensor:
    """Convert (P, 4) boxes of the described format to corners."""
    box_format = form.box_format or default
    if box_format is BoxFormat.CXCYWH:
        return cxcywh_to_xyxy(boxes)
    if box_format is BoxFormat.XYWH:
        return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    return boxes


def _points(columns: Tensor, count: int) -> Tensor:
    """Convert (P, K*D) columns to (P, K, 2); the third number of a point is its visibility."""
    if not count:
        return columns.new_zeros(len(columns), 0, 2)
    return columns.reshape(len(columns), count, columns.shape[1] // count)[..., :2]
