"""Exports of LibreYOLO: their entries name the family of the model, which says how it is read.

They have the entries ``task`` and ``names`` as those of Ultralytics, but other outputs: boxes of
YOLOv9 are corners, images of YOLOX are BGR from 0 to 255. Source: libreyolo 1.6,
backends/base.py (_preprocess, _parse_outputs) and preprocess/.
"""

from collections.abc import Mapping
from typing import Any

from kpviewer.models.limits import clean_name
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import IMAGENET, Recognised, Unreadable, resized_inside
from kpviewer.models.onnx.families.entries import literal
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.families.ultralytics import is_of_libreyolo

_RAW = "raw"
"""Second output of a graph with NMS inside."""
_LARGEST_PX = 636
"""Largest side of an image in the input of a YOLO-NAS."""
_GREY = [114, 114, 114]
_LEVELS = {"value_range": [0, 255]}
_BGR = {"channels": "bgr", **{key: values[::-1] for key, values in IMAGENET.items()}}
_STRETCHED = {"resize": "stretch", "sampling": "antialiased"}
_LINEAR = {"resize": "stretch", "sampling": "linear"}
_IN_CORNER = {"placement": "top-left", "sampling": "antialiased", "padding": _GREY}
_DARKNET = {**_IN_CORNER, "padding": [128, 128, 128]}

_COLUMNS: dict[str, Any] = {"kind": OutputKind.CANDIDATES, "box_format": "xyxy"}
_ROWS: dict[str, Any] = {**_COLUMNS, "transposed": False}
_PAIR: dict[str, Any] = {"kind": OutputKind.SSD}
_NMS_INSIDE: dict[str, Any] = {"kind": OutputKind.BOXES, "transposed": False}
_LISTS: dict[str, Any] = {"kind": OutputKind.LISTS, "labels": "labels"}
_QUERIES: dict[str, Any] = {
    "kind": OutputKind.DETR,
    "boxes": "pred_boxes",
    "scores": "pred_logits",
    "box_format": "cxcywh",
    "normalised": True,
    "activation": "sigmoid",
    "best": 300,
}
_SOFTMAX: dict[str, Any] = {
    **_QUERIES,
    "kind": OutputKind.SSD,
    "activation": "softmax",
    "background": -1,
    "multi_label": False,
}

_FAMILIES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "yolo9": (_COLUMNS, {"sampling": "linear", "padding": _GREY}),
    "yolo9_p2": (_COLUMNS, {"sampling": "linear", "padding": _GREY}),
    "yolo9_e2e": (_COLUMNS, {"sampling": "linear", "padding": _GREY, "nms": "none"}),
    "yolo7": (_COLUMNS, _IN_CORNER),
    "yolo4": (_COLUMNS, _DARKNET),
    "yolo3": (_COLUMNS, _DARKNET),
    "yolo2": (_COLUMNS, _DARKNET),
    "yolo1": (_COLUMNS, _STRETCHED),
    "yolox": ({"kind": OutputKind.YOLOV5}, {**_IN_CORNER, **_LEVELS, "channels": "bgr"}),
    "rtmdet": (_ROWS, {**_IN_CORNER, **_BGR}),
    "picodet": (_ROWS, {**_LINEAR, **IMAGENET}),
    "ppyoloe": (_PAIR, {**_LINEAR, **IMAGENET}),
    "yolonas": ({**_PAIR, "multi_label": False}, {"sampling": "antialiased", "padding": _GREY}),
    "ssd": (
        _COLUMNS,
        {
            "resize": "stretch",
            "sampling": "linear-float",
            "mean": (0.48235, 0.45882, 0.40784),
            "std": (1 / 255, 1 / 255, 1 / 255),
        },
    ),
    "efficientdet": (_NMS_INSIDE, {**_IN_CORNER, **IMAGENET, "padding": [124, 116, 104]}),
    "faster_rcnn": (_LISTS, {"sampling": "linear", "nms": "none"}),
    "detr": (_SOFTMAX, {**_STRETCHED, **IMAGENET, "nms": "none"}),
    "rtdetr": (_QUERIES, {**_LINEAR, "nms": "none"}),
    "rtdetrv2": (_QUERIES, {**_LINEAR, "nms": "none"}),
    **dict.fromkeys(("dfine", "rtdetrv4", "deim"), (_QUERIES, {**_STRETCHED, "nms": "none"})),
    **dict.fromkeys(
        ("ec", "lwdetr", "deformable_detr", "dinodetr", "tinyformer", "gtr"),
        (_QUERIES, {**_STRETCHED, **IMAGENET, "nms": "none"}),
    ),
    "deimv2": (_QUERIES, {**_STRETCHED, "nms": "none"}),
}
"""Output and preparation of images by family."""
_OF_DINO = ("s", "m", "l", "x")
"""Sizes of DEIMv2 whose colours are those of ImageNet."""
_BEST = {"t": 100}
"""Pairs that count in an LW-DETR, by its size."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of the family that an export of LibreYOLO names.

    Raises:
        Unreadable: if it is no detector, or one whose images kpviewer can't prepare.
        ValueError: if an entry is invalid.
    """
    entries = facts.metadata
    family = entries.get("model_family", "")
    if not is_of_libreyolo(facts) or family == "rfdetr":  # as RF-DETR's own
        return []
    what = f"{clean_name(family)} of LibreYOLO"
    if entries.get("task") != "detect":
        raise Unreadable(f"it is a {what} for {clean_name(entries.get('task', ''))}, no detector")
    if family not in _FAMILIES:
        raise Unreadable(
            f"it is a {what}, and kpviewer doesn't know how its images are prepared. Export "
            "another family, such as yolo9 or dfine"
        )
    output, prepared = _FAMILIES[family]
    if _RAW in facts.outputs:
        output, prepared = _NMS_INSIDE, {**prepared, "nms": "none"}
    output = {**output, **_own_output(facts, family, output)}
    columns = facts.outputs.get(output.get("scores", ""), ())[2:3]
    count = columns[0] - ("background" in output) if columns and columns[0] else None
    named = naming(facts, count, is_by_id=True)
    table = named.described(
        input=[640, 640], output=output, score_threshold=0.25, iou_threshold=0.45, **prepared
    )
    table |= _own_preparation(facts, family)
    return [Recognised.of(table, "libreyolo", f"{what}, {named.summary}")]


def _own_output(facts: FileFacts, family: str, output: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs in the output of this file."""
    if output["kind"] is OutputKind.SSD and "boxes" not in output:
        boxes, scores, *_ = (*facts.outputs, "", "")
        return {"boxes": boxes, "scores": scores}
    if family == "lwdetr":
        return {"best": _BEST.get(facts.metadata.get("size", ""), 300)}
    return {}


def _own_preparation(facts: FileFacts, family: str) -> dict[str, Any]:
    """Return what differs in the preparation of this file's images."""
    entries = facts.metadata
    if family.startswith("yolo9") and entries.get("letterbox_pad") != "center":
        return {"placement": "top-left"}
    if family == "yolonas":
        sides = facts.fixed_hw or (literal(entries, "imgsz", "640"),) * 2
        return {"content": [min(_LARGEST_PX, side) for side in sides]}
    if family == "deimv2" and entries.get("size") in _OF_DINO:
        return dict(IMAGENET)
    if family == "faster_rcnn":
        return resized_inside(facts)
    return {}
