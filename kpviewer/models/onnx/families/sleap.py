"""Models of SLEAP for animals, as ``sleap-nn export`` writes them.

The file says what it is, and with which settings it was trained: the size of its frames is one of
them. Its graph finds the peaks. Source: sleap-nn 0.3.5, export/cli.py, metadata.py and wrappers.
"""

import re
from contextlib import suppress
from typing import Any

from kpviewer.models.limits import clean_name
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised, Unreadable
from kpviewer.models.onnx.families.entries import class_names
from kpviewer.models.onnx.families.point_names import lines_of
from kpviewer.models.tables import UNREADABLE, decode_json

_ENTRY, _SETTINGS = "sleap_nn_metadata", "training_config"
_SIDE = re.compile(r"\bmax_(height|width)\"?: *(\d{1,5})\b")
_USUAL_PX = 512
"""Side of the frames of an export whose settings leave it open."""
_PEAK = 0.2
"""Value above which SLEAP takes a maximum for a keypoint."""
_PAIR = "Export a top-down model: sleap-nn export CENTROID CENTERED_INSTANCE -o FOLDER."
_CURES = {
    "multi_class_bottomup": f"it finds keypoints of classes without their animals. {_PAIR}",
    "centered_instance": f"it reads crops around centroids. {_PAIR}",
    "multi_class_topdown": f"it reads crops around centroids. {_PAIR}",
}
_SUMMARIES = {
    "single_instance": "one animal",
    "bottomup": "bottom-up",
    "topdown": "top-down",
    "multi_class_topdown_combined": "top-down with classes",
    "centroid": "centroids alone",
}


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of a file that describes itself as SLEAP's."""
    table = _metadata(facts)
    kind = str(table.get("model_type", ""))
    if "sleap_nn_version" not in table:
        return []
    if kind not in _SUMMARIES:
        raise Unreadable(_CURES.get(kind, f"it is a model of the kind {clean_name(kind)}. {_PAIR}"))
    points, classes = _keypoints(table, kind), _classes(table, kind)
    description = {
        "name": clean_name(str(table.get("model_name", ""))),  # each file is called model.onnx
        "classes": classes,
        "keypoints": points,
        "skeleton": lines_of(table.get("edge_inds"), len(points)),
        "input": _frame_hw(facts),
        "whole_input": True,
        "value_range": [0, 255],
        "padding": [0, 0, 0],
        "placement": "top-left",
        "nms": "none",
        "score_threshold": _PEAK,
        "keypoint_threshold": _PEAK,
        "output": {"kind": OutputKind.SLEAP, "scale": table.get("input_scale", 1.0)},
        "notes": _notes(table, classes),
    }
    summary = f"SLEAP, {_SUMMARIES[kind]}, {len(points)} keypoints"
    return [Recognised.of(description, "sleap", summary)]


def _metadata(facts: FileFacts) -> dict[str, Any]:
    with suppress(*UNREADABLE):
        found = decode_json(facts.metadata.get(_ENTRY, ""))
        if isinstance(found, dict):
            return found
    return {}


def _frame_hw(facts: FileFacts) -> tuple[int, int]:
    """Return the size that frames are fitted into, px; the graph of crops is right for it alone."""
    text = facts.metadata.get(_SETTINGS, "")
    with suppress(*UNREADABLE):
        settings = decode_json(text)
        if isinstance(settings, dict):  # of both models: the first decides
            text = str(settings.get("centroid", text))
    sides = {name: int(px) for name, px in _SIDE.findall(text)}
    return sides.get("height") or _USUAL_PX, sides.get("width") or _USUAL_PX


def _keypoints(table: dict[str, Any], kind: str) -> list[str]:
    if kind == "centroid":
        return [clean_name(str(table.get("anchor_part") or "centroid"))]
    return class_names(table.get("node_names"))


def _classes(table: dict[str, Any], kind: str) -> list[str]:
    is_of_classes = kind == "multi_class_topdown_combined"
    return class_names(table.get("class_names")) if is_of_classes else ["animal"]


def _notes(table: dict[str, Any], classes: list[str]) -> list[str]:
    most = table.get("max_instances")
    animals = "1 animal" if most == 1 else f"{most} animals"
    limit = [f"The file finds at most {animals}."] if type(most) is int else []
    each = "Each animal has its likeliest class. SLEAP gives a class to one animal alone."
    return [*limit, each] if len(classes) > 1 else limit
