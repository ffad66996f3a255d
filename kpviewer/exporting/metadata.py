"""Metadata of exported files: the entries that Ultralytics writes, and kpviewer's own.

Source of the entries: ultralytics 8.4.190, engine/exporter.py.
"""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kpviewer import __version__
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.families.kpviewer import KIND_ENTRY, SPEC_ENTRY
from kpviewer.models.spec import ModelSpec, Task

_LARGEST_STRIDE_PX = 32


def metadata_of(
    spec: ModelSpec,
    kind: OutputKind,
    input_hw: tuple[int, int],
    output_shape: tuple[int, ...],
    arguments: dict[str, Any],
) -> dict[str, Any]:
    """Return the entries of a file by key, as plain values."""
    is_pose = bool(spec.keypoint_names) and kind is not OutputKind.CLASSES
    entries: dict[str, Any] = {
        "description": f"{spec.name}, exported by kpviewer",
        "author": "kpviewer",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "license": spec.licence,
        "task": "classify" if spec.task is Task.CLASSIFY else "pose" if is_pose else "detect",
        "batch": 1,
        "channels": 3,
        "imgsz": list(input_hw),
        "stride": math.gcd(*input_hw, _LARGEST_STRIDE_PX),  # readers round imgsz to multiples
        "names": dict(enumerate(spec.class_names)),
        "args": {**arguments, "nms": kind is OutputKind.BOXES},
        "end2end": False,
    }
    if is_pose:
        names = list(spec.keypoint_names)
        is_rows = kind is OutputKind.BOXES
        others = 6 if is_rows else 4 + len(spec.class_names)
        numbers = output_shape[-1 if is_rows else -2] - others
        entries["kpt_shape"] = [len(names), numbers // len(names)]
        entries["kpt_names"] = {number: list(spec.keypoint_names) for number in entries["names"]}
    entries[SPEC_ENTRY] = replace(spec, activation_ranges=()).to_json()
    entries[KIND_ENTRY] = str(kind)
    return entries


def as_texts(entries: dict[str, Any]) -> dict[str, str]:
    """Return entries as texts, as ONNX files hold them."""
    return {key: value if isinstance(value, str) else str(value) for key, value in entries.items()}
