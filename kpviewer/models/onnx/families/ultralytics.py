"""Exports of Ultralytics: their metadata says what the outputs mean.

A raw head outputs one column per box; a graph with built-in NMS and an end-to-end head output rows
of corners, score and class. With two classes both have six numbers per box. The metadata therefore
decides the layout, and an output of another shape contradicts it.

Source of the entries and of the post-processing: ultralytics 8.4.190, engine/exporter.py,
nn/backends/base.py, utils/nms.py, data/augment.py and models/rtdetr/predict.py.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kpviewer.models.limits import MAX_KEYPOINTS, clean_name
from kpviewer.models.names.coco_keypoints import skeleton_of
from kpviewer.models.onnx.cells import rows_per_cell
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts, Shape
from kpviewer.models.onnx.families.base import (
    LEFT_OUT,
    Recognised,
    Unreadable,
    mask_fields,
)
from kpviewer.models.onnx.families.entries import is_true, literal, named_classes
from kpviewer.models.onnx.families.naming import counted
from kpviewer.models.onnx.families.point_names import points_of
from kpviewer.models.tables import shown

RT_DETR_HEAD = "RTDETRDecoder"
_RT_DETR = re.compile(r"rt-?detr", re.IGNORECASE)
_YOLO = re.compile("yolo", re.IGNORECASE)
MASK_COEFFICIENTS = 32
ROW_COLUMNS = 6
PREPARED: Mapping[str, Any] = {
    "sampling": "linear",
    "padding": [114, 114, 114],
    "score_threshold": 0.25,
    "iou_threshold": 0.7,
}
"""Fields of a description that all exports share."""


class Layout(NamedTuple):
    """Meaning of an output."""

    output: dict[str, Any]
    resize: str
    nms: str
    summary: str
    name: str = ""
    """Name for ``--layout``, where the metadata leaves the layout open."""

    def fields(self) -> dict[str, Any]:
        """Return the fields of a description that say it."""
        return {"output": self.output, "resize": self.resize, "nms": self.nms}


_SHARES = {"normalised": True, "box_format": "cxcywh", "transposed": False}
RT_DETR_ROWS = Layout(
    {"kind": OutputKind.BOXES, **_SHARES}, "stretch", "none", "RT-DETR, rows", "ultralytics-rtdetr"
)
"""RT-DETR since 2026: centre, size, score, class."""
RT_DETR_SCORES = Layout(
    {"kind": OutputKind.YOLOV8, **_SHARES},
    "stretch",
    "none",
    "RT-DETR before 2026, scores",
    "ultralytics-rtdetr-scores",
)
"""RT-DETR before: centre, size, class scores."""


def describes_itself(facts: FileFacts) -> bool:
    """Return whether a file has the entries that say what its outputs mean."""
    return {"task", "names"} <= facts.metadata.keys() and not is_of_libreyolo(facts)


def is_of_libreyolo(facts: FileFacts) -> bool:
    """Return whether a file has the entries of LibreYOLO, among which are these two."""
    return {"libreyolo_version", "model_family"} <= facts.metadata.keys()


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout that the metadata of Ultralytics' export names.

    Raises:
        Unreadable: if the model has no boxes.
        ValueError: if an entry is invalid, or contradicts another.
    """
    if not describes_itself(facts):
        return []
    metadata = facts.metadata
    task = metadata["task"]
    if task not in ("detect", "pose", "segment", "obb"):
        found = "classes of whole images" if task == "classify" else f"task {shown(task)}"
        raise Unreadable(f"it predicts {found}, and kpviewer shows boxes and keypoints")
    names = named_classes(metadata, "names")
    points = _keypoints(metadata, names) if task == "pose" else ()
    size = literal(metadata, "imgsz", "[640, 640]")
    lacks_masks = task == "segment" and not mask_fields(facts)
    table = {
        "classes": names,
        "keypoints": points,
        "skeleton": skeleton_of(points),
        "input": [size, size] if isinstance(size, int) else size,
        "stride": literal(metadata, "stride", "32"),
        **PREPARED,
        "notes": (LEFT_OUT.format("masks"),) if lacks_masks else (),
        "licence": clean_name(metadata.get("license", "")),
    }
    counts = counted(len(names)) + (f", {len(points)} keypoints" if points else "")
    layouts = _layouts(facts, task, len(names), len(points))
    return [_recognised(table, layout, counts, is_certain=len(layouts) == 1) for layout in layouts]


def _recognised(
    table: dict[str, Any], layout: Layout, counts: str, *, is_certain: bool
) -> Recognised:
    name, summary = "ultralytics" if is_certain else layout.name, f"{layout.summary}, {counts}"
    try:
        return Recognised.of(table | layout.fields(), name, summary, is_certain)
    except ValueError as error:
        raise ValueError(str(error).replace("input", "imgsz", 1)) from error


def _layouts(facts: FileFacts, task: str, classes: int, points: int) -> list[Layout]:
    """Return the layout of the outputs; several if the metadata leaves that open."""
    metadata = facts.metadata
    is_end_to_end = is_true(metadata, "end2end")
    head, network = metadata.get("head"), _network(metadata)
    if head == RT_DETR_HEAD or (head is None and _RT_DETR.search(network)):
        return [_rt_detr(facts, classes, is_end_to_end=is_end_to_end)]
    masks: dict[str, Any] = {}
    if task == "segment":
        masks = mask_fields(facts) or {"extra_columns": MASK_COEFFICIENTS}
    extra = masks.get("extra_columns", 0)
    raw = [4 + classes + (task == "obb") + extra + size * points for size in (2, 3)]
    rows = [6 + (task == "obb") + extra + size * points for size in (2, 3)]
    output, shape = _predictions(facts, raw + rows)
    output |= masks
    usual = _usual(metadata, task, output, is_end_to_end=is_end_to_end)
    if usual.output["transposed"] is False or len(shape) != 3:
        return [usual]
    if task != "obb" and shape[2] in raw and rows_per_cell(facts, shape[1]) == 1:
        usual.output["transposed"] = False  # as converters leave it: a row for each cell
        return [usual]
    is_explicit = "args" in metadata and "end2end" in metadata
    if is_explicit or shape[1] is None or shape[1] in raw:
        return [usual]
    is_yolo = head is not None or _YOLO.search(network) is not None
    fitting: list[Layout] = []
    if shape[2] in rows:  # as of YOLOv10 before exporters wrote end2end
        fitting.append(_rows(task, output, "rows, no NMS needed"))
    if task == "detect" and not is_yolo:
        if shape[2] == 4 + classes:
            fitting.append(RT_DETR_SCORES)
        if shape[2] == ROW_COLUMNS:
            fitting.append(RT_DETR_ROWS)
    return fitting or [usual]


def _network(metadata: Mapping[str, str]) -> str:
    """Return the network in "Ultralytics NETWORK model trained on DATA", where DATA is a path."""
    return metadata.get("description", "").partition(" model ")[0]


def _predictions(facts: FileFacts, widths: list[int]) -> tuple[dict[str, Any], Shape]:
    """Return the name, unless it is the first, and the shape of the output with predictions."""
    first = next(iter(facts.outputs), "")
    tables = {name: shape for name, shape in facts.outputs.items() if len(shape) == 3}
    fitting = (name for name, shape in tables.items() if not {*widths, None}.isdisjoint(shape[1:]))
    name = next(fitting, next(iter(tables), first))
    return {} if name == first else {"rows": name}, facts.outputs.get(name, ())


def _rows(task: str, output: dict[str, Any], summary: str) -> Layout:
    """Return the layout of rows of what was found."""
    kind = OutputKind.ROTATED if task == "obb" else OutputKind.BOXES
    output = {"kind": kind, "transposed": False, **output}
    return Layout(output, "letterbox", "none", summary, "ultralytics-rows")


def _usual(
    metadata: Mapping[str, str], task: str, output: dict[str, Any], *, is_end_to_end: bool
) -> Layout:
    arguments = literal(metadata, "args", "{}")
    has_nms = isinstance(arguments, Mapping) and arguments.get("nms") in (True, 1, "True")
    has_nms = has_nms or is_true(metadata, "nms")
    if is_end_to_end or has_nms:
        summary = "NMS inside" if has_nms else "end to end, no NMS needed"
        return _rows(task, output, summary)
    kind = OutputKind.ROTATED if task == "obb" else OutputKind.YOLOV8
    output = {"kind": kind, "transposed": True, **output}
    return Layout(output, "letterbox", "hard", "no NMS inside")


def _rt_detr(facts: FileFacts, classes: int, *, is_end_to_end: bool) -> Layout:
    """Return the layout of an RT-DETR: rows with score and class, or scores by class before 2026.

    With two classes both have six columns; only newer exporters write the entry ``head``.
    """
    shape = next(iter(facts.outputs.values()), ())
    is_newer = is_end_to_end or facts.metadata.get("head") == RT_DETR_HEAD
    has_rows = is_newer and shape[-1:] in ((ROW_COLUMNS,), (None,))
    if not has_rows and shape[-1:] not in ((4 + classes,), (None,)):
        raise ValueError(f"an RT-DETR of {classes} classes has no output of shape {shape}")
    return RT_DETR_ROWS if has_rows else RT_DETR_SCORES


def _keypoints(metadata: Mapping[str, str], classes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the keypoints: the file's, COCO's for 17 of a person, or numbers.

    Trainings write the numbers from 0 as names, if data.yaml has none.
    """
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
    names = [str(name) for name in lists[0]] if lists and isinstance(lists[0], list | tuple) else []
    if len(names) != count or names == [str(index) for index in range(count)]:
        return points_of(classes, count)
    return tuple(clean_name(name) for name in names)
