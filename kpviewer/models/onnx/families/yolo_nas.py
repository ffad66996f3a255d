"""Exports of YOLO-NAS and YOLO-NAS-Pose (Deci-AI/super-gradients).

``model.export()`` makes a graph that takes uint8 BGR and does NMS itself, in the formats "batch"
and "flat"; with ``preprocessing=False`` it takes RGB in [0, 1]; with ``postprocessing=None`` it
outputs boxes and scores. Source: training/processing/processing.py and conversion/ there.
"""

from dataclasses import replace
from typing import Any

from kpviewer.models.names.coco_keypoints import NAMES, skeleton_of
from kpviewer.models.onnx.cells import rows_per_cell
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.naming import Naming, naming
from kpviewer.models.onnx.graph import Graph

_FLAT = "flat_predictions"
_KEYPOINT_COLUMNS = 6 + 3 * len(NAMES)


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of YOLO-NAS that fits: by names, or boxes and scores of each cell."""
    by_part = {_part(name): name for name in facts.outputs}
    if {"num_predictions", "pred_boxes", "pred_scores"} <= set(by_part):
        return _batch(facts, by_part)
    if len(facts.outputs) == 1:
        return _flat(facts, *next(iter(facts.outputs.items())))
    return _raw(facts)


def _part(name: str) -> str:
    """Return a name without the prefix of the graph: "graph2_pred_boxes" -> "pred_boxes"."""
    return name.partition("_")[2] if name.startswith("graph") else name


def _batch(facts: FileFacts, by_part: dict[str, str]) -> list[Recognised]:
    scores = by_part["pred_scores"]
    output: dict[str, Any] = {
        "kind": OutputKind.LISTS,
        "boxes": by_part["pred_boxes"],
        "scores": scores,
        "count": by_part["num_predictions"],
    }
    if "pred_poses" in by_part:
        pose = {**output, "points": by_part["pred_poses"]}
        return [_pose(facts, pose, "YOLO-NAS-Pose, NMS inside")]
    if "pred_classes" not in by_part:
        return []
    output["labels"] = by_part["pred_classes"]
    named = naming(facts, Graph(facts.path).count_classes(scores))
    return [_recognised(facts, named, output, "YOLO-NAS, NMS inside", nms="none")]


def _flat(facts: FileFacts, name: str, shape: tuple[int | None, ...]) -> list[Recognised]:
    is_certain = _FLAT in name or _takes_bytes(facts)
    output = {"kind": OutputKind.FLAT, "rows": name}
    if len(shape) != 2:
        return []
    if shape[1] == _KEYPOINT_COLUMNS and is_certain:
        return [_pose(facts, output, "YOLO-NAS-Pose, flat, NMS inside")]
    if shape[1] != 7 or "classid" in name:
        return []
    graph = Graph(facts.path)
    named = naming(facts, graph.columns_of_maximum(name) or graph.classes_of_nms())
    found = _recognised(facts, named, output, "YOLO-NAS, flat, NMS inside", nms="none")
    return [Recognised(found.description, "yolo-nas-flat", found.summary, is_certain)]


def _raw(facts: FileFacts) -> list[Recognised]:
    """Return the layout of two outputs with a row for each cell: boxes, then class scores."""
    if len(facts.outputs) != 2 or facts.metadata.get("task"):
        return []
    (boxes, box_shape), (scores, score_shape) = facts.outputs.items()
    are_rows = len(box_shape) == len(score_shape) == 3 and box_shape[1] == score_shape[1]
    if not are_rows or box_shape[2] != 4 or rows_per_cell(facts, box_shape[1]) != 1:
        return []
    columns = score_shape[2]
    if columns is None or "score" in boxes.lower() or "box" in scores.lower():
        return []
    output = {"kind": OutputKind.SSD, "boxes": boxes, "scores": scores, "multi_label": False}
    found = _recognised(facts, naming(facts, columns), output, "YOLO-NAS")
    return [replace(found, is_certain=_takes_bytes(facts))]  # others have the same shapes


def _takes_bytes(facts: FileFacts) -> bool:
    return any(port.element == "uint8" for port in facts.inputs)


def _pose(facts: FileFacts, output: dict[str, Any], summary: str) -> Recognised:
    named = Naming(("person",), f"{len(NAMES)} keypoints", ())
    more = {"nms": "none", "keypoints": NAMES, "skeleton": skeleton_of(NAMES)}
    return _recognised(facts, named, output, summary, **more)


def _recognised(
    facts: FileFacts, named: Naming, output: dict[str, Any], summary: str, **more: Any
) -> Recognised:
    table = named.described(
        output=output,
        input=[640, 640],
        sampling="linear",
        padding=[114, 114, 114],
        score_threshold=0.25,
        iou_threshold=0.7,
        **more,
    )
    if facts.input_hw == (640, 640):
        table["content"] = [636, 636]  # the maker's margin; other inputs are those of users
    if _takes_bytes(facts):
        table |= {"channels": "bgr", "value_range": [0, 255]}
    return Recognised.of(table, "yolo-nas", f"{summary}, {named.summary}")
