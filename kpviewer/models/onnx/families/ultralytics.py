"""Exports of Ultralytics: their metadata says what the outputs mean.

A raw head outputs one column per box; a graph with built-in NMS and an end-to-end head output rows
of corners, score and class. With two classes both have six numbers per box. The metadata therefore
decides the layout, and an output of another shape contradicts it.

Source of the entries and of the post-processing: ultralytics 8.4.190, engine/exporter.py,
nn/backends/base.py, utils/nms.py, data/augment.py and models/rtdetr/predict.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from kpviewer.models.coco_keypoints import NAMES, skeleton_of
from kpviewer.models.limits import MAX_KEYPOINTS, clean_name
from kpviewer.models.onnx.description import OnnxDescription, OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.entries import class_names, is_true, literal
from kpviewer.models.tables import converted, shown

RT_DETR_HEAD = "RTDETRDecoder"
_RT_DETR = re.compile(r"rt-?detr", re.IGNORECASE)
_MASK_COEFFICIENTS = 32
_NOTES = {
    "segment": ("The masks of this model are left out: kpviewer shows its boxes.",),
    "obb": ("The angles of this model are left out: kpviewer shows upright boxes around them.",),
}


class _Layout(NamedTuple):
    output: dict[str, Any]
    resize: str
    nms: str
    summary: str


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout that the metadata of Ultralytics' export names.

    Raises:
        ValueError: if an entry is invalid, contradicts another, or belongs to a model without
            boxes.
    """
    metadata = facts.metadata
    task = metadata.get("task")
    if task is None or "names" not in metadata:
        return []
    if task not in ("detect", "pose", "segment", "obb"):
        found = "classes of whole images" if task == "classify" else f"task {shown(task)}"
        raise ValueError(f"it predicts {found}, and kpviewer shows boxes and keypoints")
    names = class_names(literal(metadata, "names", ""))
    points = _keypoints(metadata) if task == "pose" else ()
    size = literal(metadata, "imgsz", "[640, 640]")
    layout = _layout(facts, task, len(names))
    table = {
        "classes": names,
        "output": layout.output,
        "keypoints": points,
        "skeleton": skeleton_of(points),
        "input": [size, size] if isinstance(size, int) else size,
        "stride": literal(metadata, "stride", "32"),
        "resize": layout.resize,
        "sampling": "linear",
        "padding": [114, 114, 114],
        "score_threshold": 0.25,
        "iou_threshold": 0.7,
        "nms": layout.nms,
        "notes": _NOTES.get(task, ()),
        "licence": clean_name(metadata.get("license", "")),
    }
    with_points = f", {len(points)} keypoints" if points else ""
    try:
        description = converted(table, OnnxDescription)
    except ValueError as error:
        raise ValueError(str(error).replace("input", "imgsz", 1)) from error
    summary = f"{layout.summary}, {len(names)} classes{with_points}"
    return [Recognised(description, "ultralytics", summary)]


def _layout(facts: FileFacts, task: str, classes: int) -> _Layout:
    metadata = facts.metadata
    is_end_to_end = is_true(metadata, "end2end")
    if metadata.get("head") == RT_DETR_HEAD or _RT_DETR.search(metadata.get("description", "")):
        return _rt_detr(facts, classes, is_end_to_end=is_end_to_end)
    arguments = literal(metadata, "args", "{}")
    has_nms = isinstance(arguments, Mapping) and arguments.get("nms") in (True, 1, "True")
    has_nms = has_nms or is_true(metadata, "nms")
    extra = {"extra_columns": _MASK_COEFFICIENTS} if task == "segment" else {}
    if is_end_to_end or has_nms:
        kind = OutputKind.ROTATED if task == "obb" else OutputKind.BOXES
        summary = "NMS inside" if has_nms else "end to end, no NMS needed"
        output = {"kind": kind, "transposed": False, **extra}
        return _Layout(output, "letterbox", "none", summary)
    kind = OutputKind.ROTATED if task == "obb" else OutputKind.YOLOV8
    nms = "none" if task == "obb" else "hard"  # rotated boxes are compared when they are read
    output = {"kind": kind, "transposed": True, **extra}
    return _Layout(output, "letterbox", nms, "no NMS inside")


def _rt_detr(facts: FileFacts, classes: int, *, is_end_to_end: bool) -> _Layout:
    """Return the layout of an RT-DETR: rows with score and class, or scores by class before 2026.

    With two classes both have six columns; only newer exporters write the entry ``head``.
    """
    boxes = {"normalised": True, "box_format": "cxcywh", "transposed": False}
    shape = next(iter(facts.outputs.values()), ())
    is_newer = is_end_to_end or facts.metadata.get("head") == RT_DETR_HEAD
    has_rows = is_newer and shape[-1:] in ((6,), (None,))
    if not has_rows and shape[-1:] not in ((4 + classes,), (None,)):
        raise ValueError(f"an RT-DETR of {classes} classes has no output of shape {shape}")
    if has_rows:
        return _Layout({"kind": OutputKind.BOXES, **boxes}, "stretch", "none", "RT-DETR, rows")
    return _Layout({"kind": OutputKind.YOLOV8, **boxes}, "stretch", "none", "RT-DETR, scores")


def _keypoints(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the keypoints: the file's, COCO's for 17 of a person, or numbers."""
    shape = literal(metadata, "kpt_shape", "[0, 0]")
    if not isinstance(shape, list | tuple) or not all(type(each) is int for each in shape):
        raise ValueError(f"kpt_shape must be two whole numbers, got {shown(shape)}")
    if len(shape) != 2 or not 0 < shape[0] <= MAX_KEYPOINTS or shape[1] not in (2, 3):
        raise ValueError(
            f"kpt_shape must be 1 to {MAX_KEYPOINTS:,} keypoints of 2 or 3 numbers, got "
            f"{shown(shape)}"
        )
    count = int(shape[0])
    named = literal(metadata, "kpt_names", "{}")
    lists = list(named.values()) if isinstance(named, Mapping) else [named]
    if lists and isinstance(lists[0], list | tuple) and len(lists[0]) == count:
        return tuple(clean_name(str(name)) for name in lists[0])
    if count == len(NAMES):
        return NAMES
    return tuple(f"point {index}" for index in range(count))
