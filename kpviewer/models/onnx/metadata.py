"""Descriptions of ONNX models from the metadata that Ultralytics' export writes.

A raw head outputs one column per box; a graph with built-in NMS outputs rows of corners, score and
class. With two classes both have six numbers per box. The metadata therefore decides the layout,
and an output of another shape contradicts it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kpviewer.errors import WeightsError
from kpviewer.models.limits import MAX_CLASSES, MAX_KEYPOINTS, clean_name
from kpviewer.models.onnx.description import (
    GUIDE,
    OnnxDescription,
    OutputKind,
    Shape,
    read_description,
    shape_text,
    shipped_description,
)
from kpviewer.models.tables import UNREADABLE, converted, first_line, shown

MAX_ENTRY_CHARACTERS = 500_000
RT_DETR_HEAD = "RTDETRDecoder"
_RT_DETR = re.compile(r"rt-?detr", re.IGNORECASE)
_OTHER_TASKS = {
    "segment": "masks",
    "classify": "classes of whole images",
    "obb": "rotated boxes",
}


class Described(NamedTuple):
    """A description, and a summary of the metadata that it was read from."""

    description: OnnxDescription
    own_summary: str
    """Text such as "NMS inside, 2 classes"; empty if the description isn't from the file itself."""


def describe(path: Path, outputs: Mapping[str, Shape], metadata: Mapping[str, str]) -> Described:
    """Return the description of an ONNX file: beside it, else shipped, else in its metadata.

    Args:
        path: path of the ONNX file.
        outputs: shapes of the outputs by name.
        metadata: entries of the file's metadata.

    Raises:
        WeightsError: if there is no description, it is invalid, or it contradicts the file.
    """
    beside = path.with_suffix(".toml")
    if beside.is_file():
        description = read_description(beside)
        _check_against(description, path, beside, metadata)
        return Described(description, "")
    shipped = shipped_description(outputs)
    if shipped is not None:
        return Described(shipped, "")
    try:
        own = read_metadata(metadata)
    except ValueError as error:
        raise WeightsError(
            f"{path.name} describes itself wrongly: {error}. Export it again, or write "
            f"{beside.name} beside it: {GUIDE} shows how."
        ) from error
    if own is None:
        shapes = ", ".join(
            f"{clean_name(name)} {shape_text(shape)}" for name, shape in list(outputs.items())[:20]
        )
        raise WeightsError(
            f"{path.name} doesn't say what its outputs mean ({shapes}). "
            f"Write {beside.name} beside it: {GUIDE} shows how."
        )
    return own


def read_metadata(metadata: Mapping[str, str]) -> Described | None:
    """Read the metadata of Ultralytics' export; return None if there is none.

    Raises:
        ValueError: if an entry is invalid, contradicts another, or belongs to a model without
            boxes.
    """
    task = metadata.get("task")
    if task is None or "names" not in metadata:
        return None
    if task not in ("detect", "pose"):
        found = _OTHER_TASKS.get(task, f"something else (task {shown(task)})")
        raise ValueError(f"it predicts {found}, and kpviewer shows boxes and keypoints")
    names = _class_names(_literal(metadata, "names", ""))
    points = _keypoints(_literal(metadata, "kpt_shape", "[0, 0]")) if task == "pose" else 0
    size = _literal(metadata, "imgsz", "[640, 640]")
    output, resize, layout = _layout(metadata)
    table = {
        "classes": names,
        "output": output,
        "keypoints": [f"point {index}" for index in range(points)],
        "input": [size, size] if isinstance(size, int) else size,
        "stride": _literal(metadata, "stride", "32"),
        "resize": resize,
        "score_threshold": 0.25,
        "licence": clean_name(metadata.get("license", "")),
    }
    with_points = f", {points} keypoints" if points else ""
    try:
        description = converted(table, OnnxDescription)
    except ValueError as error:
        raise ValueError(str(error).replace("input", "imgsz", 1)) from error
    return Described(description, f"{layout}, {len(names)} classes{with_points}")


def _layout(metadata: Mapping[str, str]) -> tuple[dict[str, Any], str, str]:
    """Return the table ``[output]``, the resize method, and a summary of the layout."""
    is_end_to_end = _is_true(metadata, "end2end")
    if metadata.get("head") == RT_DETR_HEAD or _RT_DETR.search(metadata.get("description", "")):
        if (metadata.get("head") == RT_DETR_HEAD) != is_end_to_end:
            raise ValueError("it is an RT-DETR whose entries head and end2end don't agree")
        boxes = {"normalised": True, "box_format": "cxcywh"}
        if is_end_to_end:
            return {"kind": OutputKind.BOXES, **boxes}, "stretch", "RT-DETR, end to end"
        return {"kind": OutputKind.YOLOV8, **boxes, "transposed": False}, "stretch", "RT-DETR"
    arguments = _literal(metadata, "args", "{}")
    has_nms = isinstance(arguments, Mapping) and arguments.get("nms") in (True, 1, "True")
    if is_end_to_end or has_nms or _is_true(metadata, "nms"):
        return {"kind": OutputKind.BOXES}, "letterbox", "NMS inside"
    return {"kind": OutputKind.YOLOV8, "transposed": True}, "letterbox", "no NMS inside"


def _is_true(metadata: Mapping[str, str], key: str) -> bool:
    return metadata.get(key, "").strip().lower() in ("true", "1")


def _literal(metadata: Mapping[str, str], key: str, default: str) -> Any:
    """Parse an entry that is a Python literal."""
    text = metadata.get(key, default)
    if len(text) > MAX_ENTRY_CHARACTERS:
        raise ValueError(f"its entry {key!r} has {len(text):,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd escapes and numbers
            return ast.literal_eval(text)
    except (SyntaxError, TypeError, *UNREADABLE) as error:
        raise ValueError(f"its entry {key!r} can't be read ({first_line(error)})") from error


def _class_names(names: object) -> list[str]:
    """Return the class names of ``{0: 'cat', 1: 'dog'}`` or ``['cat', 'dog']``, by column."""
    if isinstance(names, list | tuple):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not 0 < len(names) <= MAX_CLASSES:
        raise ValueError(f"names must be 1 to {MAX_CLASSES:,} classes by number")
    try:
        by_number = {int(str(key)): name for key, name in names.items()}
    except UNREADABLE as error:
        raise ValueError("names must be classes by number") from error
    if sorted(by_number) != list(range(len(names))):
        raise ValueError(f"names must be numbered from 0 to {len(names) - 1}")
    if not all(isinstance(name, str | int) for name in by_number.values()):
        raise ValueError("names must be texts")
    return [clean_name(str(by_number[number])) for number in range(len(names))]


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


def _check_against(
    description: OnnxDescription, path: Path, beside: Path, metadata: Mapping[str, str]
) -> None:
    """Refuse a description that contradicts the file's own metadata."""
    try:
        own = read_metadata(metadata)
    except ValueError:
        return  # unusable metadata is why a description was written
    if own is None:
        return
    described, named = len(description.classes), len(own.description.classes)
    if described != named:
        raise WeightsError(
            f"{beside.name} names {described} classes, {path.name} itself {named}. Name all of "
            f"them, or remove {beside.name}."
        )
    is_rows = own.description.output.kind is OutputKind.BOXES
    if is_rows and description.output.kind is not OutputKind.BOXES:
        raise WeightsError(
            f"{beside.name} says kind = {str(description.output.kind)!r}, {path.name} itself: "
            f'{own.own_summary}. Write kind = "boxes", or remove {beside.name}.'
        )
