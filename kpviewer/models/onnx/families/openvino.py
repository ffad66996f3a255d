"""Detectors of OpenVINO's zoo and of Geti (OpenVINO Training Extensions), and what they convert.

Sources: DetectionOutput of OpenVINO's operation sets; the models' pages of open_model_zoo; entries
of ``model_info`` as openvino_model_api reads them (models/image_model.py, models/utils.py).
"""

import math
from collections.abc import Mapping
from typing import Any

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised, Unreadable
from kpviewer.models.onnx.families.entries import is_true
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.tables import shown

_ASSUMED = (
    "The file doesn't say how images are prepared. As for models of OpenVINO's zoo, its input is "
    "BGR from 0 to 255; channels and value_range in a TOML beside it change that."
)
_ENTRIES = ("resize_type", "mean_values", "scale_values", "reverse_input_channels", "pad_value")
"""Entries of ``model_info`` on how images are prepared, each of which may be absent."""
_RESIZES: Mapping[str, dict[str, str]] = {
    "standard": {"resize": "stretch"},
    "fit_to_window": {"resize": "letterbox", "placement": "top-left"},
    "fit_to_window_letterbox": {"resize": "letterbox"},
}


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of DetectionOutput, or of boxes with scores and labels, by their shapes.

    Raises:
        Unreadable: if the graph resizes images itself, as ``Model.save`` of openvino_model_api adds
            it: boxes are px of a size inside.
        ValueError: if an entry of ``model_info`` is malformed.
    """
    shapes = list(facts.outputs.items())
    if len(shapes) == 1 and len(shapes[0][1]) == 4 and shapes[0][1][1::2] == (1, 7):
        # image, label, score, corners as shares of the input
        output = {"kind": OutputKind.FLAT, "class_first": True, "box_last": True}
        output |= {"rows": shapes[0][0], "normalised": True}
        return [_recognised(facts, output, "detection-output", "DetectionOutput of OpenVINO")]
    boxes, labels = facts.outputs.get("boxes", ()), facts.outputs.get("labels", ())
    if boxes[-1:] == (5,) and len(labels) == len(boxes) - 1:
        output = {"kind": OutputKind.MMDET}
        return [_recognised(facts, output, "openvino", "OpenVINO's zoo or Geti")]
    return []


def _recognised(facts: FileFacts, output: dict[str, Any], layout: str, what: str) -> Recognised:
    # an ONNX file has the entries of ``model_info`` under such names
    entries = {key.removeprefix("model_info "): text for key, text in facts.metadata.items()}
    if is_true(entries, "embedded_processing"):
        raise Unreadable(
            "its graph resizes images itself (embedded_processing), and its boxes have another "
            "size. Use the file from before Model.save of openvino_model_api."
        )
    named, prepared = naming(facts, None), _prepared(entries)
    table = named.described(
        output=output, sampling="linear", value_range=[0, 255], nms="none", **prepared
    )
    if "mean" not in prepared:
        table["notes"] = (_ASSUMED, *named.notes)
    return Recognised.of(table, layout, f"{what}, NMS inside, {named.summary}")


def _prepared(entries: Mapping[str, str]) -> dict[str, Any]:
    """Return how images are prepared: as ``model_info`` says, or as for the zoo."""
    if entries.keys().isdisjoint(_ENTRIES):
        return {"resize": "stretch", "channels": "bgr"}
    resize = entries.get("resize_type", "standard")
    if resize not in _RESIZES:
        raise ValueError(f"its resize_type must be {' or '.join(_RESIZES)}, got {shown(resize)}")
    grey = float(entries.get("pad_value", "0"))
    if not math.isfinite(grey):
        raise ValueError(f"its pad_value must be a number, got {grey}")
    return {
        **_RESIZES[resize],
        "channels": "rgb" if is_true(entries, "reverse_input_channels") else "bgr",
        "mean": _numbers(entries, "mean_values", 0),
        "std": _numbers(entries, "scale_values", 1),
        "padding": [int(grey)] * 3,
    }


def _numbers(entries: Mapping[str, str], key: str, default: float) -> list[float]:
    """Return the three numbers of a text such as "0.0 0.0 0.0"; one counts for all channels."""
    numbers = [float(word) for word in entries.get(key, "").split()] or [default]
    if len(numbers) not in (1, 3):
        raise ValueError(f"its {key} must be 1 or 3 numbers, got {len(numbers)}")
    return numbers if len(numbers) == 3 else numbers * 3
