"""Exports of Ultralytics: their metadata says what the outputs mean.

A raw head outputs one column per box; a graph with built-in NMS outputs rows of corners, score and
class. With two classes both have six numbers per box. The metadata therefore decides the layout,
and an output of another shape contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kpviewer.models.limits import MAX_KEYPOINTS, clean_name
from kpviewer.models.onnx.description import OnnxDescription, OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.entries import class_names, is_true, literal
from kpviewer.models.tables import converted, shown

RT_DETR_HEAD = "RTDETRDecoder"
_RT_DETR = re.compile(r"rt-?detr", re.IGNORECASE)
_OTHER_TASKS = {
    "segment": "masks",
    "classify": "classes of whole images",
    "obb": "rotated boxes",
}


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
    if task not in ("detect", "pose"):
        found = _OTHER_TASKS.get(task, f"something else (task {shown(task)})")
        raise ValueError(f"it predicts {found}, and kpviewer shows boxes and keypoints")
    names = class_names(literal(metadata, "names", ""))
    points = _keypoints(literal(metadata, "kpt_shape", "[0, 0]")) if task == "pose" else 0
    size = literal(metadata, "imgsz", "[640, 640]")
    output, resize, layout = _layout(metadata)
    table = {
        "classes": names,
        "output": output,
        "keypoints": [f"point {index}" for index in range(points)],
        "input": [size, size] if isinstance(size, int) else size,
        "stride": literal(metadata, "stride", "32"),
        "resize": resize,
        "score_threshold": 0.25,
        "licence": clean_name(metadata.get("license", "")),
    }
    with_points = f", {points} keypoints" if points else ""
    try:
        description = converted(table, OnnxDescription)
    except ValueError as error:
        raise ValueError(str(error).replace("input", "imgsz", 1)) from error
    summary = f"{layout}, {len(names)} classes{with_points}"
    return [Recognised(description, "ultralytics", summary)]


def _layout(metadata: Mapping[str, str]) -> tuple[dict[str, Any], str, str]:
    """Return the table ``[output]``, the resize method, and a summary of the layout."""
    is_end_to_end = is_true(metadata, "end2end")
    if metadata.get("head") == RT_DETR_HEAD or _RT_DETR.search(metadata.get("description", "")):
        if (metadata.get("head") == RT_DETR_HEAD) != is_end_to_end:
            raise ValueError("it is an RT-DETR whose entries head and end2end don't agree")
        boxes = {"normalised": True, "box_format": "cxcywh"}
        if is_end_to_end:
            return {"kind": OutputKind.BOXES, **boxes}, "stretch", "RT-DETR, end to end"
        return {"kind": OutputKind.YOLOV8, **boxes, "transposed": False}, "stretch", "RT-DETR"
    arguments = literal(metadata, "args", "{}")
    has_nms = isinstance(arguments, Mapping) and arguments.get("nms") in (True, 1, "True")
    if is_end_to_end or has_nms or is_true(metadata, "nms"):
        return {"kind": OutputKind.BOXES}, "letterbox", "NMS inside"
    return {"kind": OutputKind.YOLOV8, "transposed": True}, "letterbox", "no NMS inside"


def _keypoints(shape: object) -> int:
    """Return the number of keypoints from ``kpt_shape``, (keypoints, 2 or 3)."""
    if not isinstance(shape, list | tuple) or not all(type(each) is int for each in shape):
        raise ValueError(f"kpt_shape must be two whole numbers, got {shown(shape)}")
    if len(shape) != 2 or not 0 < shape[0] <= MAX_KEYPOINTS or shape[1] not in (2, 3):
        raise ValueError(
            f"kpt_shape must be 1 to {MAX_KEYPOINTS:,} keypoints of 2 or 3 numbers, got "
            f"{shown(shape)}"
        )
    return int(shape[0])
