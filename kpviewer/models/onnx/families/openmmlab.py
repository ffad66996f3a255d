"""Models of OpenMMLab, deployed by mmdeploy: RTMDet and others, RTMO, RTMPose.

Detectors share the names of their outputs whatever they are; the name of the file decides, or the
user. Source: mmdeploy, configs/mmdet and configs/mmpose; mmdetection, configs/rtmdet and yolox;
mmpose, projects/rtmpose.
"""

from typing import Any

from kpviewer.models.names.coco_keypoints import skeleton_of
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.crops import (
    COMMON,
    MEAN_RGB,
    STD_RGB,
    crop_fields,
    names_of_pose,
)
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.families.point_names import assumed
from kpviewer.models.onnx.graph import Graph
from kpviewer.models.onnx.readers.crops import SIMCC_X, SIMCC_Y
from kpviewer.models.onnx.readers.openmmlab import BOXES, KEYPOINTS, LABELS

_GREY, _BLACK = [114, 114, 114], [0, 0, 0]
_DETECTORS: dict[str, dict[str, Any]] = {
    "rtmdet": {
        "channels": "bgr",
        "mean": MEAN_RGB[::-1],
        "std": STD_RGB[::-1],
        "padding": _GREY,
    },
    "mmdet-yolox": {"channels": "bgr", "padding": _GREY},
    "mmdet": {"mean": MEAN_RGB, "std": STD_RGB, "padding": _BLACK},
}
"""Pre-processing by layout; "mmdet" is that of most other detectors, such as Faster R-CNN."""
_SUMMARIES = {
    "rtmdet": "RTMDet",
    "mmdet-yolox": "YOLOX of mmdetection",
    "mmdet": "another detector of mmdetection",
}


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the models of OpenMMLab whose outputs a file has."""
    outputs = facts.outputs
    if all(len(outputs.get(name, ())) == 3 for name in (SIMCC_X, SIMCC_Y)):
        return [_simcc(facts)]
    dets = outputs.get(BOXES, ())
    if len(dets) != 3 or dets[-1] != 5:
        return []
    if KEYPOINTS in outputs and len(outputs[KEYPOINTS]) == 4:
        return [_rtmo(facts)]
    if LABELS in outputs and len(outputs[LABELS]) == 2:
        return _detectors(facts)
    return []


def _detectors(facts: FileFacts) -> list[Recognised]:
    stem, named = facts.stem.lower(), naming(facts, _class_count(facts))
    by_file = [layout for layout in ("rtmdet", "mmdet-yolox") if layout.split("-")[-1] in stem]
    return [
        _recognised(
            OutputKind.MMDET,
            layout,
            f"{_SUMMARIES[layout]}, NMS inside, {named.summary}",
            named.described(**_DETECTORS[layout]),
            is_certain=len(by_file) == 1,
        )
        for layout in by_file or _DETECTORS
    ]


def _class_count(facts: FileFacts) -> int | None:
    graph = Graph(facts.path)
    columns = graph.columns_of_scores(BOXES)
    if columns is None:
        return graph.columns_of_maximum(LABELS)
    return columns.width - columns.has_background


def _rtmo(facts: FileFacts) -> Recognised:
    keypoints = names_of_pose(facts, _count(facts, KEYPOINTS, -2))
    table = {
        "classes": ["person"],
        "keypoints": list(keypoints),
        "skeleton": skeleton_of(keypoints),
        "channels": "bgr",
        "padding": _GREY,
        "notes": assumed(keypoints),
        "nms": "hard",  # done in the model at 0.5, and by rtmlib once more
        "iou_threshold": 0.45,
    }
    return _recognised(OutputKind.RTMO, "rtmo", f"RTMO, {len(keypoints)} keypoints", table)


def _simcc(facts: FileFacts) -> Recognised:
    count = _count(facts, SIMCC_X, -2)
    table = crop_fields(facts, count) | {"output": {"kind": OutputKind.SIMCC}}
    summary = f"RTMPose (SimCC), {count} keypoints of one object in a crop"
    return Recognised.of(table, "rtmpose", summary)


def _count(facts: FileFacts, name: str, axis: int) -> int:
    """Return a side of an output, from the graph where the file leaves it open."""
    side = facts.outputs[name][axis] or Graph(facts.path).shape(name)[axis]
    if not side:
        raise ValueError(f"its output {name!r} doesn't say how many keypoints there are")
    return side


def _recognised(
    kind: OutputKind, layout: str, summary: str, table: dict[str, Any], *, is_certain: bool = True
) -> Recognised:
    table = COMMON | {"input": [640, 640]} | table | {"output": {"kind": kind}}
    return Recognised.of(table, layout, summary, is_certain)
