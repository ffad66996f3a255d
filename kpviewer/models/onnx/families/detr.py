"""Exports of RT-DETR, D-FINE and RF-DETR. Their boxes need no NMS; images are stretched.

Sources: tools/export_onnx.py of lyuwenyu/RT-DETR and tools/deployment/export_onnx.py of
Peterande/D-FINE; rfdetr 1.11, export/_runtime (preprocess.py, decode.py).
"""

from typing import Any

from kpviewer.models.names.coco_keypoints import skeleton_of
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import IMAGENET, LEFT_OUT, Recognised
from kpviewer.models.onnx.families.naming import naming, own_names
from kpviewer.models.onnx.families.point_names import assumed, points_of
from kpviewer.models.onnx.graph import Graph
from kpviewer.models.onnx.inputs import ORIGINAL_SIZES

_COCO_COLUMNS = 91
_PERSON = ("person",)


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of RT-DETR's and D-FINE's, or of RF-DETR's outputs, by their names."""
    names = set(facts.outputs)
    asks_for_sizes = any(port.name == ORIGINAL_SIZES for port in facts.inputs)
    if {"labels", "boxes", "scores"} <= names and asks_for_sizes:
        return [_rt_detr(facts)]
    shapes = facts.outputs
    if {"dets", "labels"} <= names and len(shapes["dets"]) == len(shapes["labels"]) == 3:
        return _rf_detr(facts)
    return []


def _rt_detr(facts: FileFacts) -> Recognised:
    columns = Graph(facts.path).columns_of_scores("scores")
    named = naming(facts, columns.width if columns else None)
    output = {"kind": OutputKind.LISTS, "labels": "labels"}
    table = named.described(
        output=output,
        input=[640, 640],
        resize="stretch",
        sampling="antialiased",
        nms="none",
    )
    summary = f"RT-DETR or D-FINE, no NMS needed, {named.summary}"
    return Recognised.of(table, "rt-detr", summary)


def _rf_detr(facts: FileFacts) -> list[Recognised]:
    """Return the layout of RF-DETR: its last column of scores is for no object.

    Checkpoints of COCO have a column for each id from 0 to 90, and none for no object.
    """
    columns = facts.outputs["labels"][2]
    if facts.outputs["dets"][2] not in (4, None) or columns is None or columns < 2:
        return []
    is_coco = columns == _COCO_COLUMNS
    is_complete = is_coco or len(own_names(facts) or ()) == columns
    named = naming(facts, columns if is_complete else columns - 1, is_by_id=True)
    output: dict[str, Any] = {
        "kind": OutputKind.DETR,
        "boxes": "dets",
        "scores": "labels",
        "box_format": "cxcywh",
        "normalised": True,
        "activation": "sigmoid",
    }
    if len(named.names) < columns:
        output["background"] = -1
    table = named.described(
        output=output,
        input=[560, 560],
        resize="stretch",
        sampling="linear-float",
        nms="none",
        **IMAGENET,
    )
    points = _keypoints(facts, named.names)
    if points:
        output["points"] = "keypoints"
        table |= {"keypoints": points, "skeleton": skeleton_of(points)}
        table["notes"] = (*named.notes, *assumed(points))
    elif "keypoints" in facts.outputs:
        table["notes"] = (LEFT_OUT.format("keypoints"), *named.notes)
    elif maps := [name for name, shape in facts.outputs.items() if len(shape) == 4]:
        output["masks"] = maps[0]  # logits, whatever the exporter called them
    summary = f"RF-DETR, no NMS needed, {named.summary}"
    return [Recognised.of(table, "rf-detr", summary)]


def _keypoints(facts: FileFacts, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the keypoints: COCO's for 17, else numbers; none without that output.

    A file that names its classes has COCO's for persons alone.
    """
    shape = facts.outputs.get("keypoints", ())
    if len(shape) != 4 or shape[2] is None or shape[2] % len(classes):
        return ()
    return points_of(own_names(facts) or _PERSON, shape[2] // len(classes))
