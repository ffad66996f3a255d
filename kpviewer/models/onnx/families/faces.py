"""Face detectors: SCRFD of insightface, RetinaFace of biubug6, YuNet, BlazeFace of MediaPipe.

Source of the pre-processing: insightface, model_zoo/retinaface.py; Pytorch_Retinaface, detect.py;
MediaPipe, face_detection_short_range_common.pbtxt.
"""

from typing import Any

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts, Shape
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.point_names import BLAZEFACE, FACE, numbered
from kpviewer.models.onnx.readers.faces import (
    BLAZEFACE_LAYERS,
    RETINAFACE_ANCHORS,
    SCRFD_STRIDES,
    SLIM_ANCHORS,
    anchor_count,
)

_RETINA_MEAN_BGR = [104, 117, 123]
_LARGEST_HW = [1088, 1920]
"""RetinaFace of open size runs on images as they are, up to this size."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the face detectors whose outputs a file has."""
    tables = [shape for shape in facts.outputs.values() if len(shape) in (2, 3)]
    if len(tables) != len(facts.outputs) or None in (shape[-1] for shape in tables):
        return []
    found = [each(facts, tables) for each in (_scrfd, _retinaface, _yunet_2021, _blazeface)]
    return [each for each in found if each is not None]


def _scrfd(facts: FileFacts, tables: list[Shape]) -> Recognised | None:
    """Recognise 3 or 5 outputs of 1, 4 and perhaps 10 columns, with one row per anchor."""
    rows = {columns: _rows(tables, columns) for columns in (1, 4, 10)}
    levels, points = len(rows[1]), len(rows[10])
    if levels not in (3, 5) or len(rows[4]) != levels or points not in (0, levels):
        return None
    if len(tables) != 2 * levels + points:
        return None
    expected = _scrfd_rows(facts, levels)
    are_known = expected is not None and all(None not in each for each in rows.values())
    if are_known and any(sorted(each) != expected for each in rows.values() if each):
        return None
    names = " ".join((*facts.outputs, facts.stem)).lower()
    says_so = "scrfd" in names or ("score" in names and "bbox" in names)
    is_traced = facts.inputs[0].name == "input.1"  # as insightface's own files
    # its person detector gives the corners of the visible part as points
    is_person = "person" in facts.stem.lower()
    keypoints = numbered(5) if is_person else FACE
    table = {
        "classes": ["person" if is_person else "face"],
        "keypoints": list(keypoints) if points else [],
        "value_range": [0, 255],
        "mean": [127.5] * 3,
        "std": [128.0] * 3,
        "score_threshold": 0.5,
        "iou_threshold": 0.4,
        "input": [640, 640],
        "stride": 32 if levels == 3 else 128,
        "whole_input": True,
    }
    summary = f"SCRFD, {levels} strides, {'5 points' if points else 'no points'}"
    is_certain = bool(points) or are_known or says_so or is_traced
    return _recognised(OutputKind.SCRFD, table, summary, is_certain=is_certain)


def _scrfd_rows(facts: FileFacts, levels: int) -> list[int] | None:
    """Return the ascending rows of the outputs; None if the input's size is open."""
    if facts.fixed_hw is None:
        return None
    anchors = (1,) * (2 if levels == 3 else 1)
    return sorted(anchor_count(facts.fixed_hw, {each: anchors}) for each in SCRFD_STRIDES[:levels])


def _retinaface(facts: FileFacts, tables: list[Shape]) -> Recognised | None:
    """Recognise outputs of 4, 2 and 10 columns, with one row for each of its anchors."""
    if sorted(shape[-1] or 0 for shape in tables) != [2, 4, 10]:
        return None
    count, size = tables[0][-2], facts.fixed_hw
    if len({shape[-2] for shape in tables}) != 1 or facts.input_hw is None:
        return None
    if count is not None and size is not None:
        known = (RETINAFACE_ANCHORS, SLIM_ANCHORS)
        if count not in (anchor_count(size, each) for each in known):
            return None
    table = {
        "channels": "bgr",
        "value_range": [0, 255],
        "mean": _RETINA_MEAN_BGR,
        "score_threshold": 0.6,
        "iou_threshold": 0.4,
        "input": _LARGEST_HW,
        "stride": 1,
        "resize": "letterbox" if size is not None else "none",
    }
    return _recognised(OutputKind.RETINAFACE, table, "RetinaFace, 5 points")


def _yunet_2021(facts: FileFacts, tables: list[Shape]) -> Recognised | None:
    """Recognise outputs of 14, 2 and 1 columns; YuNet of 2023 has a shipped description."""
    if sorted(shape[-1] or 0 for shape in tables) != [1, 2, 14]:
        return None
    table = {
        "channels": "bgr",
        "value_range": [0, 255],
        "score_threshold": 0.9,
        "iou_threshold": 0.3,
        "input": [640, 640],
        "stride": 64,
    }
    return _recognised(OutputKind.YUNET_2021, table, "YuNet of 2021 or 2022, 5 points")


def _blazeface(facts: FileFacts, tables: list[Shape]) -> Recognised | None:
    """Recognise outputs of 16 and 1 columns, with the rows of one of MediaPipe's models."""
    if sorted(shape[-1] or 0 for shape in tables) != [1, 16]:
        return None
    size, count = facts.fixed_hw, tables[0][-2]
    if size is None or (size, count) not in [((s, s), rows) for s, rows in BLAZEFACE_LAYERS]:
        return None
    table = {
        "keypoints": list(BLAZEFACE),
        "placement": "centre",
        "value_range": [-1, 1],
        "score_threshold": 0.5,
        "iou_threshold": 0.3,
    }
    return _recognised(OutputKind.BLAZEFACE, table, f"BlazeFace of {size[0]} px, 6 points")


def _rows(tables: list[Shape], columns: int) -> list[int]:
    """Return the rows of all outputs of so many columns; 0 for open ones."""
    return [shape[-2] or 0 for shape in tables if shape[-1] == columns]


def _recognised(
    kind: OutputKind, table: dict[str, Any], summary: str, *, is_certain: bool = True
) -> Recognised:
    usual = {
        "classes": ["face"],
        "keypoints": list(FACE),
        "placement": "top-left",
        "sampling": "linear",
        "padding": [0, 0, 0],
    }
    table = {**usual, **table, "output": {"kind": kind}}
    return Recognised.of(table, str(kind), summary, is_certain)
