"""Outputs of YOLO heads: one row or column per prediction."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.cells import cells_of
from kpviewer.models.onnx.description import (
    GUIDE,
    BoxFormat,
    OnnxDescription,
    OutputFormat,
    OutputKind,
)
from kpviewer.models.onnx.readers.columns import (
    Outputs,
    best_class,
    check_classes,
    corners,
    cxcywh_to_xyxy,
    floats,
    keypoints,
    output_of,
    picked,
    whole,
)
from kpviewer.models.ranking import (
    LEAST_SCORE,
    MAX_DENSE_CANDIDATES,
    Masks,
    Rows,
    largest,
    one_hot_scores,
)
from kpviewer.structures import FloatArray

_IN_COLUMNS = (OutputKind.YOLOV5, OutputKind.YOLOV8, OutputKind.ROTATED)


def read_yolov5(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (P, 5 + C) rows: centre, size, objectness, class scores.

    Keypoints with a score are behind the classes, as in YOLOv7-pose; those without are before them,
    as in YOLOv5-face.
    """
    form = description.output
    classes, points = len(description.classes), len(description.keypoints)
    widths = tuple(5 + classes + size * points + form.extra_columns for size in (3, 2))
    rows = rows_of(outputs, form, widths, "4 + 1 + classes + 2 or 3 per keypoint")
    masks = _masks(outputs, form, rows, input_hw)
    rows = rows[:, : rows.shape[1] - form.extra_columns]
    if rows.shape[1] == 5 + classes + 2 * points:
        places, labels = rows[:, 5:-classes], rows[:, -classes:]
    else:
        labels, places = rows[:, 5 : 5 + classes], rows[:, 5 + classes :]
    boxes = corners(rows[:, :4], form, BoxFormat.CXCYWH)
    confident = rows[:, 4:5] * labels
    return Rows(boxes, best_class(confident), *keypoints(places, points), masks=masks)


def read_yolov8(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (4 + C + K*D, P) columns: centre, size, class scores, keypoints."""
    form = description.output
    classes, points = len(description.classes), len(description.keypoints)
    widths = tuple(4 + classes + size * points + form.extra_columns for size in (3, 2))
    rows = rows_of(outputs, form, widths, "4 + classes + 2 or 3 per keypoint")
    masks = _masks(outputs, form, rows, input_hw)
    rows = rows[:, : rows.shape[1] - form.extra_columns]
    boxes = corners(rows[:, :4], form, BoxFormat.CXCYWH)
    scores = best_class(rows[:, 4 : 4 + classes])
    return Rows(boxes, scores, *keypoints(rows[:, 4 + classes :], points), masks=masks)


def read_boxes(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read (P, 6 + K*D) rows of a model that does NMS itself: corners, score, class, keypoints."""
    form = description.output
    classes, points = len(description.classes), len(description.keypoints)
    widths = tuple(6 + size * points + form.extra_columns for size in (3, 2))
    rows = rows_of(outputs, form, widths, "x1, y1, x2, y2, score, class, and 2 or 3 per keypoint")
    numbers = whole(rows[:, 5])  # -1 is padding
    check_classes(numbers[rows[:, 4] >= LEAST_SCORE], classes)
    is_known = (numbers >= 0) & (numbers < classes)
    rows = rows[
        largest(rows[:, 4] * is_known, MAX_DENSE_CANDIDATES)
    ]  # rows x classes would need much memory
    masks = _masks(outputs, form, rows, input_hw)
    rows = rows[:, : rows.shape[1] - form.extra_columns]
    scores = one_hot_scores(rows[:, 4], whole(rows[:, 5]), classes)
    boxes = corners(rows[:, :4], form, BoxFormat.XYXY)
    return Rows(boxes, scores, *keypoints(rows[:, 6:], points), masks=masks)


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


def _masks(
    outputs: Outputs, form: OutputFormat, rows: FloatArray, input_hw: tuple[int, int]
) -> Masks | None:
    """Return the masks of rows whose last columns are coefficients; None if there are none."""
    if form.masks is None:
        return None
    prototypes = floats(output_of(outputs, form.masks))
    if prototypes.ndim != 4 or not 0 < prototypes.shape[1] <= form.extra_columns:
        raise WeightsError(
            f"Output {form.masks!r} must have a prototype of masks for each coefficient, at most "
            f"{form.extra_columns} (extra_columns), got shape {prototypes.shape}. See {GUIDE}."
        )
    return Masks(prototypes[0], input_hw, rows[:, -prototypes.shape[1] :])


def rows_of(
    outputs: Outputs, form: OutputFormat, widths: tuple[int, ...], meaning: str
) -> FloatArray:
    """Return the output of a YOLO with one prediction per row: (P, D)."""
    name = form.rows if form.rows is not None else next(iter(outputs))
    value = picked(outputs, name)
    may_be_columns = form.kind in _IN_COLUMNS and form.transposed is not False
    for width in widths:
        if may_be_columns and value.shape[0] == width:
            return value.T
        if form.transposed is not True and value.shape[1] == width:
            return value
    expected = " or ".join(str(width) for width in dict.fromkeys(widths))
    axes = {True: " in columns", False: " in rows", None: ""}
    raise WeightsError(
        f"Output {name!r} must have {expected} numbers per box ({meaning}){axes[form.transposed]}, "
        f"got shape {value.shape}. Are classes, keypoints and the kind of output right? "
        f"See {GUIDE}."
    )
