"""Exports of the repositories of YOLOv3, v5, v6, v7 and v9.

Sources: export.py of ultralytics/yolov5, WongKinYiu/yolov7 and WongKinYiu/yolov9, and
deploy/ONNX/export_onnx.py of meituan/YOLOv6. v5 and v9 write ``stride`` and ``names``, the others
nothing. Without names, three rows per cell with an objectness are v5's or v7's, or of their
offspring with keypoints: deepcam-cn/yolov5-face, derronqi/yolov7-face, yolov7's branch pose.
"""

from collections.abc import Mapping
from typing import Any

from kpviewer.models.names.coco_keypoints import NAMES as COCO
from kpviewer.models.names.coco_keypoints import skeleton_of
from kpviewer.models.onnx.cells import rows_per_cell
from kpviewer.models.onnx.description import GUIDE, OutputKind
from kpviewer.models.onnx.facts import FileFacts, Shape
from kpviewer.models.onnx.families.base import Recognised, Unreadable, mask_fields
from kpviewer.models.onnx.families.names import LAYOUTS
from kpviewer.models.onnx.families.naming import Naming, naming, own_names
from kpviewer.models.onnx.families.point_names import FACE
from kpviewer.models.onnx.families.ultralytics import (
    MASK_COEFFICIENTS,
    ROW_COLUMNS,
    describes_itself,
)
from kpviewer.models.onnx.graph import Graph

_PREPARED = {
    "input": [640, 640],
    "sampling": "linear",
    "padding": [114, 114, 114],
    "score_threshold": 0.25,
}
_STRIDE = 64
"""Step of inputs of open size, px: that of a P6, of which others' is a divisor."""
_WITH_KEYPOINTS: Mapping[int, tuple[str, str, tuple[str, ...]]] = {
    16: ("yolov5-face", "face", FACE),
    21: ("yolov7-face", "face", FACE),
    57: ("yolov7-pose", "person", COCO),
}
"""Layout, class and keypoints by the columns of three rows per cell."""
_ANGLES = 180
"""Columns of angles, one for each degree, behind the class scores of a YOLOv5-OBB."""
_DISTANCES = 4 * 8
"""Columns of a NanoDet that are no scores: a distribution of eight for each side of a box."""
_PLUG_IN = ("num_dets", "det_boxes", "det_scores", "det_classes")
"""Outputs of TensorRT's EfficientNMS, and of graphs that do the same in ONNX."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layouts of these repositories that fit.

    Raises:
        Unreadable: if the outputs weren't decoded.
    """
    if describes_itself(facts):
        return []  # of the package of Ultralytics
    shapes = {name: (1, *shape)[-3:] for name, shape in facts.outputs.items()
              if len(shape) in (2, 3)}  # fmt: skip
    if not shapes:
        _refuse_undecoded(facts)
    _refuse_nanodet(facts, shapes)
    if (alone := _end_to_end(facts) or _yolov4(facts)) is not None:
        return [alone]
    if _has_boxes_apart(facts):
        return []
    candidates: list[list[Recognised]] = []
    names = own_names(facts)
    for name, shape in shapes.items():
        found = _named(facts, name, shape, len(names)) if names else []
        candidates += filter(None, [found or _unnamed(facts, name, shape)])
    kinds = {each.description.output.kind for found in candidates for each in found}
    # YOLOv9 with an auxiliary head outputs that first, and the main one last
    chosen = -1 if len(kinds) == 1 else 0
    return candidates[chosen] if candidates else []


def _named(facts: FileFacts, name: str, shape: Shape, classes: int) -> list[Recognised]:
    """Return the layout of an output that has the right size for the classes in the metadata."""
    masks = mask_fields(facts, MASK_COEFFICIENTS)
    extra = masks.get("extra_columns", 0)
    named = naming(facts, classes)
    is_certain = "stride" in facts.metadata
    if shape[2] == 5 + classes + extra and (is_certain or rows_per_cell(facts, shape[1]) == 3):
        return [_objectness(name, named, "YOLOv5", masks)]
    if shape[1] == 5 + classes + extra and rows_per_cell(facts, shape[2]) == 3:
        return [_objectness(name, named, "YOLOv5", masks)]
    is_raw = shape[1] == 4 + classes + extra or (is_certain and shape[1] is None)
    has_rows = shape[2] == 4 + classes + extra and rows_per_cell(facts, shape[1]) == 1
    if not is_raw and not has_rows:
        return []
    output = _without_objectness(name, transposed=not has_rows)
    if facts.metadata.get("model_type") == "YOLO":  # model_info of Ultralytics' files of OpenVINO
        return [_recognised(named, output, "yolov8", "YOLO of Ultralytics", masks)]
    return [_recognised(named, output, "yolov9", "YOLOv9", masks, is_certain=is_certain)]


def _unnamed(facts: FileFacts, name: str, shape: Shape) -> list[Recognised]:
    """Return the layouts of an output without class names, by its number of rows."""
    _, rows, columns = shape
    if rows is not None and rows > 5 and rows_per_cell(facts, columns) == 3:
        rows, columns = columns, rows
    each, masks = rows_per_cell(facts, rows), mask_fields(facts, MASK_COEFFICIENTS)
    extra = masks.get("extra_columns", 0)
    if columns is not None and columns > 5 + extra and (each is not None or rows is None):
        named = naming(facts, columns - 5 - extra)
        is_unnamed = own_names(facts) is None  # other names say that columns are no scores
        if each == 3:
            is_usual = columns not in _WITH_KEYPOINTS and columns <= 5 + _ANGLES
            # without its operations, a DeepStream's rows are the same
            is_told = columns != ROW_COLUMNS or Graph(facts.path).is_read
            is_certain = is_unnamed and is_usual and is_told
            output: dict[str, Any] = {"kind": OutputKind.YOLOV5, "rows": name}
            if len(named.names) == 1:
                # YOLOv7 doesn't train the class score, and leaves it out (non_max_suppression)
                output = {"kind": OutputKind.YOLOV8, "rows": name, "extra_columns": extra + 1}
            maker = "YOLOv5 or YOLOv7"
            found = _recognised(named, output, "yolov5", maker, masks, is_certain=is_certain)
            return [*_with_keypoints(name, columns), found]
        if each == 1 and name == "outputs":
            return [_objectness(name, named, "YOLOv6", masks, is_certain=is_unnamed)]
        if rows is None:
            return [_objectness(name, named, "YOLOv5 or YOLOv7", masks, is_certain=False)]
    if rows is not None and rows > 4 + extra and rows_per_cell(facts, columns) == 1:
        named = naming(facts, rows - 4 - extra)
        output, maker = _without_objectness(name), "YOLOv8 or YOLOv9"
        return [_recognised(named, output, "yolov8", maker, masks, is_certain=False)]
    return []


def _with_keypoints(name: str, columns: int) -> list[Recognised]:
    """Return the layout of a model with keypoints that has so many columns, if there is one."""
    if columns not in _WITH_KEYPOINTS:
        return []
    layout, what, points = _WITH_KEYPOINTS[columns]
    named = Naming((what,), f"{len(points)} keypoints", ())
    output = {"kind": OutputKind.YOLOV5, "rows": name}
    maker = LAYOUTS[layout].partition(":")[0]
    more: dict[str, Any] = {"keypoints": points, "skeleton": skeleton_of(points)}
    return [_recognised(named, output, layout, maker, {}, is_certain=False, **more)]


def _without_objectness(name: str, *, transposed: bool = True) -> dict[str, Any]:
    return {"kind": OutputKind.YOLOV8, "rows": name, "transposed": transposed}


def _has_boxes_apart(facts: FileFacts) -> bool:
    """Return whether an output holds the boxes alone, so that another one holds scores alone."""
    tables = [set(shape[1:]) for shape in facts.outputs.values() if len(shape) == 3]
    counts = set().union(*(sides - {4} for sides in tables if 4 in sides))
    return any(counts & sides for sides in tables if 4 not in sides)


def _yolov4(facts: FileFacts) -> Recognised | None:
    """Return the layout of pytorch-YOLOv4: corners as shares (1, P, 1, 4), scores (1, P, C).

    Source: tool/yolo_layer.py and tool/utils.py (do_detect) of Tianxiaomo/pytorch-YOLOv4.
    """
    boxes, scores = (facts.outputs.get(name, ()) for name in ("boxes", "confs"))
    if len(boxes) != 4 or boxes[2:] != (1, 4) or len(scores) != 3 or scores[2] is None:
        return None
    named = naming(facts, scores[2])
    output = {"kind": OutputKind.SSD, "scores": "confs", "normalised": True, "multi_label": False}
    table = named.described(
        input=[416, 416], sampling="linear", score_threshold=0.4, iou_threshold=0.6
    )
    table |= {"output": output, "resize": "stretch"}
    summary = f"YOLOv4 of pytorch-YOLOv4, {named.summary}"
    return Recognised.of(table, "yolov4", summary)


def _objectness(
    name: str, named: Naming, maker: str, masks: Mapping[str, Any], *, is_certain: bool = True
) -> Recognised:
    output = {"kind": OutputKind.YOLOV5, "rows": name}
    return _recognised(named, output, "yolov5", maker, masks, is_certain=is_certain)


def _recognised(
    named: Naming,
    output: dict[str, Any],
    layout: str,
    maker: str,
    masks: Mapping[str, Any],
    *,
    is_certain: bool = True,
    **more: Any,
) -> Recognised:
    output = {**masks, **output}
    table = named.described(**_PREPARED, stride=_STRIDE, whole_input=True, output=output, **more)
    if layout == "yolov8":
        table["iou_threshold"] = 0.7  # Ultralytics' default
    summary = f"{maker}, {named.summary}"
    return Recognised.of(table, layout, summary, is_certain)


def _end_to_end(facts: FileFacts) -> Recognised | None:
    """Return the layout of ``--end2end``: with ``--max-wh`` (N, 7), the class before the score."""
    if set(_PLUG_IN) <= set(facts.outputs):
        return _plug_in(facts)
    outputs = list(facts.outputs.items())
    if len(outputs) != 1 or len(outputs[0][1]) != 2 or outputs[0][1][1] != 7:
        return None
    name, (count, _) = outputs[0]
    if rows_per_cell(facts, count) is not None:
        return None  # of a YOLO without a batch axis, with objectness and two classes
    if any(port.element == "uint8" for port in facts.inputs) or "flat_predictions" in name:
        return None  # YOLO-NAS's, whose score comes first
    if "classid" in name:
        return None  # batchno_classid_score_x1y1x2y2, as some converters append it
    named = naming(facts, Graph(facts.path).columns_of_maximum(name))
    output = {"kind": OutputKind.FLAT, "rows": name, "class_first": True}
    table = named.described(**_PREPARED, output=output, nms="none")
    summary = f"YOLOv7 with --end2end, NMS inside, {named.summary}"
    return Recognised.of(table, "yolov7-end2end", summary, name == "output")


def _plug_in(facts: FileFacts) -> Recognised:
    count, boxes, scores, labels = _PLUG_IN
    graph = Graph(facts.path)
    named = naming(facts, graph.count_classes(scores))
    lists = {"boxes": boxes, "scores": scores, "labels": labels, "count": count}
    output = {"kind": OutputKind.LISTS, **lists}
    table = named.described(**_PREPARED, output=output, nms="none")
    if (channels := graph.order_of_levels()) is not None:  # YOLOv6's --with-preprocess
        table |= {"channels": channels, "value_range": [0, 255]}
    summary = f"YOLO with --end2end, NMS inside, {named.summary}"
    return Recognised.of(table, "end2end", summary)


def _refuse_undecoded(facts: FileFacts) -> None:
    """Raise Unreadable if a file has a 5-D output for each feature map."""
    maps = [shape for shape in facts.outputs.values() if len(shape) == 5 and shape[1] in (3, None)]
    if len(maps) >= 2:
        raise Unreadable(
            "it outputs the undecoded feature maps of a YOLO. Export it again with --grid (YOLOv7; "
            "--include-grid in its older versions) or without --train (YOLOv5)."
        )


def _refuse_nanodet(facts: FileFacts, shapes: Mapping[str, Shape]) -> None:
    """Raise Unreadable if a file has NanoDet's names, and columns for its distances to sides."""
    _, rows, columns = shapes.get("output", (None, None, None))
    if facts.inputs[0].name != "data" or rows_per_cell(facts, rows) != 1 or columns is None:
        return
    if columns > _DISTANCES:
        raise Unreadable(
            "it outputs scores and undecoded distances, as NanoDet does, and kpviewer doesn't "
            f"decode them. Export it with its decoding, and describe the boxes: {GUIDE} shows how."
        )
