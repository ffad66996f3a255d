"""What an ONNX file doesn't say of itself: a small TOML beside it, or one that is shipped.

``docs/guide/other-models.md`` shows a complete one; it has the fields of ``OnnxDescription``, and a
table ``[output]`` with those of ``OutputFormat``. Nothing here needs torch or onnxruntime.
"""

from __future__ import annotations

import ast
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from kpviewer.errors import WeightsError
from kpviewer.models.spec import Resize

GUIDE = "docs/guide/other-models.md"
SHIPPED_DIR = Path(__file__).parent / "onnx_descriptions"
MAX_TOML_BYTES = 1024**2

Shape: TypeAlias = tuple[int | None, ...]
"""Of an input or output; None is a side that the file leaves open."""


class OutputKind(StrEnum):
    """How a model lays out what it gives."""

    SSD = "ssd"
    """Two outputs: (1, P, C) scores and (1, P, 4) boxes."""
    YOLOV5 = "yolov5"
    """(1, P, 5 + C): centre, width, height, objectness, class scores."""
    YOLOV8 = "yolov8"
    """(1, 4 + C + K*D, P): centre, width, height, class scores, keypoints."""
    BOXES = "boxes"
    """(1, P, 6 + K*D): corners, score, class, keypoints; NMS was done in the model."""
    YUNET = "yunet"
    """cls_S, obj_S, bbox_S, kps_S of strides 8, 16 and 32 (Wu et al. 2023)."""


class BoxFormat(StrEnum):
    """The four numbers of a box."""

    XYXY = "xyxy"
    CXCYWH = "cxcywh"
    XYWH = "xywh"


class Activation(StrEnum):
    """What is still to be done to the scores of an ssd."""

    NONE = "none"
    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


class Channels(StrEnum):
    """The order of the input's colours."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The table ``[output]``."""

    kind: OutputKind
    rows: str | None = None
    """Name of the output of yolov5, yolov8 and boxes; None is the first."""
    scores: str = "scores"
    boxes: str = "boxes"
    """Names of the outputs of ssd."""
    box_format: BoxFormat | None = None
    """None is that of the kind: cxcywh for YOLO, else xyxy."""
    normalised: bool = False
    """Whether coordinates are in [0, 1] of the input instead of its pixels."""
    activation: Activation = Activation.NONE
    background: int | None = None
    """Column of an ssd's scores that is no class."""


@dataclass(frozen=True, slots=True)
class OnnxDescription:
    """How to feed a model, and what its numbers mean."""

    classes: tuple[str, ...]
    output: OutputFormat
    name: str = ""
    """Empty is the file's."""
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices joined by a line."""
    input: tuple[int, int] | None = None
    """Height and width, px, of the largest input, where the file leaves them open."""
    stride: int | None = None
    """Where they are open: other inputs are allowed in multiples of it."""
    resize: Resize = Resize.LETTERBOX
    channels: Channels = Channels.RGB
    value_range: tuple[float, float] = (0.0, 1.0)
    """What 0 and 255 become before mean and std."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """In the order of ``channels``, like ``std``: input = (value - mean) / std."""
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    score_threshold: float = 0.5
    iou_threshold: float = 0.45
    licence: str = ""
    trained_on: str = ""
    match: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of shipped descriptions: shapes by output name, -1 for any side."""


def describe(
    path: Path, outputs: Mapping[str, Shape], metadata: Mapping[str, str]
) -> OnnxDescription:
    """Find the description of an ONNX file: beside it, else shipped, else in the file itself.

    Args:
        path: the ONNX file.
        outputs: their shapes by name.
        metadata: what the file says of itself; Ultralytics writes there what is needed.

    Raises:
        WeightsError: if there is none, or it can't be read.
    """
    beside = path.with_suffix(".toml")
    if beside.is_file():
        return read_description(beside)
    for shipped in sorted(SHIPPED_DIR.glob("*.toml")):
        description = read_description(shipped)
        if _matches(description.match, outputs):
            return description
    described = _ultralytics(metadata)
    if described is not None:
        return described
    shapes = ", ".join(f"{name} {_shape_text(shape)}" for name, shape in outputs.items())
    raise WeightsError(
        f"{path.name} doesn't say what its outputs mean ({shapes}). "
        f"Write {beside.name} beside it: {GUIDE} shows how."
    )


def read_description(path: Path) -> OnnxDescription:
    """Read a description.

    Raises:
        WeightsError: if it isn't TOML, or a field is missing, unknown or of another type.
    """
    try:
        if path.stat().st_size > MAX_TOML_BYTES:
            raise WeightsError(f"{path.name} is larger than 1 MiB: no description of a model.")
        table = tomllib.loads(path.read_text("utf-8"))
        table["output"] = _made(OutputFormat, table.get("output"), "[output]")
        description: OnnxDescription = _made(OnnxDescription, table, "The description")
        _check(description)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise WeightsError(f"{path.name} can't be used: {error}. See {GUIDE}.") from error
    return description


def _check(description: OnnxDescription) -> None:
    if not description.classes:
        raise ValueError("classes must name at least one class")
    if 0.0 in description.std:
        raise ValueError("std must not be 0")
    if description.value_range[0] >= description.value_range[1]:
        raise ValueError(f"value_range must rise, got {list(description.value_range)}")
    positive = (*(description.input or ()), *([description.stride] if description.stride else ()))
    if any(side < 1 for side in positive):
        raise ValueError("input and stride must be at least 1 px")
    if description.resize is Resize.AREA and description.stride is None:
        raise ValueError('resize = "area" wants a stride: the step of the input\'s sides')
    for name in ("score_threshold", "iou_threshold"):
        if not 0 <= getattr(description, name) <= 1:
            raise ValueError(f"{name} must be in [0, 1]")
    points = len(description.keypoints)
    if points and description.output.kind in (OutputKind.SSD, OutputKind.YOLOV5):
        raise ValueError(f"the kind {description.output.kind} has no keypoints")
    if any(not 0 <= point < points for bone in description.skeleton for point in bone):
        raise ValueError(f"skeleton must name keypoints 0 to {points - 1}")


def _made(kind: type[Any], table: object, what: str) -> Any:
    """Make a dataclass of a TOML table, every type checked; raise ValueError."""
    if not isinstance(table, dict):
        raise ValueError(f"{what} must be there as a table")
    types_of = get_type_hints(kind)
    unknown = sorted(set(table) - set(types_of))
    if unknown:
        raise ValueError(f"{what} has no {unknown[0]!r}; it has {', '.join(types_of)}")
    values = {key: _converted(value, types_of[key], key) for key, value in table.items()}
    required = [each.name for each in fields(kind) if each.name in ("classes", "output", "kind")]
    lacking = [name for name in required if name not in values]
    if lacking:
        raise ValueError(f"{what} lacks {lacking[0]!r}")
    return kind(**values)


def _converted(value: Any, wanted: Any, key: str) -> Any:
    """Turn a TOML value into the type of its field; raise ValueError."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is types.UnionType:
        return _converted(value, inner[0], key)  # T | None: TOML has no None
    if origin is tuple and isinstance(value, list):
        return _converted_list(value, inner, key)
    if origin is Mapping and isinstance(value, dict):
        return {name: _converted(each, inner[1], key) for name, each in value.items()}
    if origin is None and issubclass(wanted, StrEnum) and value in list(wanted):
        return wanted(value)
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is not type(value):
        raise ValueError(f"{key} must be {_type_name(wanted)}, got {value!r}")
    return value


def _converted_list(value: list[Any], inner: tuple[Any, ...], key: str) -> tuple[Any, ...]:
    if inner[-1] is Ellipsis:
        inner = inner[:1] * len(value)
    if len(value) != len(inner):
        raise ValueError(f"{key} must have {len(inner)} values, got {len(value)}")
    return tuple(_converted(each, kind, key) for each, kind in zip(value, inner, strict=True))


def _type_name(wanted: Any) -> str:
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return f"one of {', '.join(wanted)}"
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(wanted, "a list" if get_origin(wanted) is tuple else "a table")


def _matches(wanted: Mapping[str, tuple[int, ...]], outputs: Mapping[str, Shape]) -> bool:
    return set(wanted) == set(outputs) and all(
        len(shape) == len(outputs[name])
        and all(side in (-1, got) for side, got in zip(shape, outputs[name], strict=True))
        for name, shape in wanted.items()
    )


def _shape_text(shape: Shape) -> str:
    return "x".join("?" if side is None else str(side) for side in shape)


def _ultralytics(metadata: Mapping[str, str]) -> OnnxDescription | None:
    """Read the entries that Ultralytics' export writes; None where they aren't there."""
    if metadata.get("task") not in ("detect", "pose") or "names" not in metadata:
        return None
    try:
        names: dict[int, str] = ast.literal_eval(metadata["names"])
        size: list[int] = ast.literal_eval(metadata.get("imgsz", "[640, 640]"))
        points: list[int] = ast.literal_eval(metadata.get("kpt_shape", "[0, 0]"))
        kind = OutputKind.BOXES if metadata.get("end2end") == "True" else OutputKind.YOLOV8
        return OnnxDescription(
            classes=tuple(str(names[key]) for key in sorted(names)),
            output=OutputFormat(kind),
            keypoints=tuple(f"point {index}" for index in range(int(points[0]))),
            input=(int(size[0]), int(size[1])),
            stride=int(metadata.get("stride", "32")),
            score_threshold=0.25,
            licence=metadata.get("license", ""),
        )
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError):
        return None
