"""Detectors of OpenVINO's zoo and of Geti (OpenVINO Training Extensions), and what they convert.

Sources: DetectionOutput of OpenVINO's operation sets; the models' pages of open_model_zoo; entries
of ``model_info`` as openvino_model_api reads them (models/image_model.py, models/utils.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kpviewer.models.limits import clean_name
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.entries import is_true
from kpviewer.models.onnx.families.naming import Naming, naming

_ASSUMED = (
    "The file doesn't say how images are prepared. As for models of OpenVINO's zoo, its input is "
    "BGR from 0 to 255; channels and value_range in a TOML beside it change that."
)
_RESIZES: Mapping[str, dict[str, str]] = {
    "standard": {"resize": "stretch"},
    "fit_to_window": {"resize": "letterbox", "placement": "top-left"},
    "fit_to_window_letterbox": {"resize": "letterbox"},
}


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of DetectionOutput, or of boxes with scores and labels, by their shapes.

    Raises:
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
    named, prepared = naming(facts, None), _prepared(facts.metadata)
    if labels := facts.metadata.get("labels", "").split():
        names = tuple(map(clean_name, labels))
        named = Naming(names, f"{len(names)} classes", ())
    table = named.described(
        output=output, sampling="linear", value_range=[0, 255], nms="none", **prepared
    )
    if "mean" not in prepared:
        table["notes"] = (_ASSUMED, *named.notes)
    return Recognised.of(table, layout, f"{what}, NMS inside, {named.summary}")


def _prepared(entries: Mapping[str, str]) -> dict[str, Any]:
    """Return how images are prepared: as ``model_info`` says, or as for the zoo."""
    if "resize_type" not in entries:
        return {"resize": "stretch", "channels": "bgr"}
    grey = float(entries.get("pad_value", "0"))
    if not math.isfinite(grey):
        raise ValueError(f"its pad_value must be a number, got {grey}")
    return {
        **_RESIZES.get(entries["resize_type"], _RESIZES["standard"]),
        "channels": "rgb" if is_true(entries, "reverse_input_channels") else "bgr",
        "mean": _numbers(entries.get("mean_values", ""), 0),
        "std": _numbers(entries.get("scale_values", ""), 1),
        "padding": [int(grey)] * 3,
    }


def _numbers(text: str, default: float) -> list[float]:
    """Return three numbers of a text such as "0.0 0.0 0.0"."""
    numbers = [float(word) for word in text.split()]
    return numbers if len(numbers) == 3 else [default] * 3
