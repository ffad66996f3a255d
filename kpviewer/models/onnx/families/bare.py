"""Exports of Ultralytics that lost their metadata: the user chooses what their outputs mean.

Raw columns of boxes and scores alone are in ``yolo``, as the repositories export the same.
"""

from typing import Any

from kpviewer.models.names.coco_keypoints import NAMES, skeleton_of
from kpviewer.models.onnx.cells import rows_per_cell
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts, Shape
from kpviewer.models.onnx.families.base import Recognised, mask_fields
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.families.ultralytics import (
    MASK_COEFFICIENTS,
    PREPARED,
    ROW_COLUMNS,
    RT_DETR_ROWS,
    RT_DETR_SCORES,
    Layout,
    describes_itself,
)

_COCO_CLASSES = 80
_PERSON: dict[str, Any] = {"keypoints": NAMES, "skeleton": skeleton_of(NAMES)}
_MOST_ROWS = 1000
"""Rows of chosen detections; heads have more predictions."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layouts of Ultralytics' package that fit a file which says nothing of itself."""
    if describes_itself(facts):
        return []
    shapes = [shape for shape in facts.outputs.values() if len(shape) == 3]
    if len(shapes) != 1:
        return []
    is_in_cells = any(rows_per_cell(facts, count) is not None for count in shapes[0][1:])
    has_masks = any(len(shape) == 4 for shape in facts.outputs.values())
    if is_in_cells:
        return [] if has_masks else _raw(facts, shapes[0])
    return _rows(facts, shapes[0], has_masks=has_masks)


def _raw(facts: FileFacts, shape: Shape) -> list[Recognised]:
    """Return the layouts of columns that hold more than boxes and scores, and of their transpose.

    Converters may leave rows in the place of columns.
    """
    columns, cells = shape[1:]
    if rows_per_cell(facts, columns) == 1 and cells is not None and cells > 4:
        own: dict[str, Any] = {"output": {"kind": OutputKind.YOLOV8, "transposed": False}}
        return [_recognised(facts, "yolov8", "YOLOv8 or YOLOv9, in rows", cells - 4, own)]
    if columns is None or columns < 6 or rows_per_cell(facts, cells) != 1:
        return []
    found: list[Recognised] = []
    if columns == 5 + 3 * len(NAMES):
        output = {"kind": OutputKind.YOLOV8, "transposed": True}
        own = {"output": output, **_PERSON}
        found.append(_recognised(facts, "yolov8-pose", "YOLO, pose", 1, own))
    if columns - 4 != _COCO_CLASSES:
        output = {"kind": OutputKind.ROTATED, "transposed": True}
        own = {"output": output}
        found.append(_recognised(facts, "yolov8-obb", "YOLO, OBB", columns - 5, own))
    return found


def _rows(facts: FileFacts, shape: Shape, *, has_masks: bool) -> list[Recognised]:
    """Return the layouts of rows of what was found, at most a thousand."""
    count, width = shape[1:]
    if width is None or (count is not None and count > _MOST_ROWS):
        return []
    output: dict[str, Any] = {"kind": OutputKind.BOXES, "transposed": False}
    own: dict[str, Any] = {"output": output, "nms": "none"}
    classes, what = None, "rows"
    if has_masks:
        masks = mask_fields(facts, MASK_COEFFICIENTS)
        if not masks or width != ROW_COLUMNS + MASK_COEFFICIENTS:
            return []
        output |= masks
        what = "rows with masks"
    elif width == ROW_COLUMNS + 3 * len(NAMES):
        own, classes, what = {**own, **_PERSON}, 1, "rows with keypoints"
    elif width == ROW_COLUMNS + 1:
        output["kind"], what = OutputKind.ROTATED, "rows of OBB"
    elif width != ROW_COLUMNS:
        return _rt_detr(facts, width)
    found = _recognised(facts, "ultralytics-rows", f"{what}, NMS inside", classes, own)
    return [found, *_rt_detr(facts, width)]


def _rt_detr(facts: FileFacts, width: int) -> list[Recognised]:
    layouts: list[tuple[Layout, int | None]] = []
    if width in (ROW_COLUMNS, 4 + _COCO_CLASSES):  # others might be anything
        layouts.append((RT_DETR_SCORES, width - 4))
    if width == ROW_COLUMNS:
        layouts.append((RT_DETR_ROWS, None))
    return [
        _recognised(facts, each.name, each.summary, classes, each.fields())
        for each, classes in layouts
    ]


def _recognised(
    facts: FileFacts, layout: str, summary: str, classes: int | None, own: dict[str, Any]
) -> Recognised:
    named = naming(facts, classes)
    table = named.described(**PREPARED, input=[640, 640]) | own
    table["notes"] = named.notes
    return Recognised.of(table, layout, f"{summary}, {named.summary}", is_certain=False)
