"""MoveNet of Google: SinglePose (Lightning, Thunder) and MultiPose.

Source: TensorFlow Hub, google/movenet: RGB from 0 to 255, padded at both sides with black.
"""

from typing import Any

from kpviewer.models.names import coco_keypoints
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.readers.movenet import POINTS

_ROW = POINTS * 3 + 5
_SIDE = 256
_STRIDE = 32


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return MoveNet's layout if a file has its only output."""
    if len(facts.outputs) != 1:
        return []
    (shape,) = facts.outputs.values()
    if shape[-3:] == (1, POINTS, 3) and len(shape) == 4:
        return [_recognised(facts, OutputKind.MOVENET, "MoveNet SinglePose")]
    if len(shape) == 3 and shape[-1] == _ROW and shape[1] in (6, None):
        return [_recognised(facts, OutputKind.MOVENET_MULTI, "MoveNet MultiPose")]
    return []


def _recognised(facts: FileFacts, kind: OutputKind, summary: str) -> Recognised:
    table: dict[str, Any] = {
        "classes": ["person"],
        "keypoints": list(coco_keypoints.NAMES),
        "skeleton": coco_keypoints.skeleton_of(coco_keypoints.NAMES),
        "input": [_SIDE, _SIDE],
        "stride": _STRIDE,
        "sampling": "linear",
        "value_range": [0, 255],
        "padding": [0, 0, 0],
        "score_threshold": 0.25,
        "keypoint_threshold": 0.3,
        "nms": "none",
        "output": {"kind": kind, "normalised": True},
    }
    is_whole = any(port.element in ("int32", "uint8") for port in facts.inputs)
    is_last = any(port.shape[-1:] == (3,) for port in facts.inputs)
    return Recognised.of(table, str(kind), f"{summary}, 17 keypoints", is_whole or is_last)
