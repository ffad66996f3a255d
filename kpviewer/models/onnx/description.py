"""Descriptions of ONNX models: what the file itself lacks, read from a TOML beside it or shipped.

``docs/guide/other-models.md`` shows a complete one. It has the fields of ``OnnxDescription``, and a
table ``[output]`` with those of ``OutputFormat``. This module needs neither torch nor onnxruntime.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from kpviewer.errors import WeightsError
from kpviewer.models.limits import (
    ClassNames,
    Count,
    KeypointNames,
    Level,
    Name,
    Share,
    SizeHW,
    Spread,
    Stride,
    check_skeleton,
)
from kpviewer.models.onnx.facts import Shape
from kpviewer.models.spec import CommonSpec, Resize
from kpviewer.models.tables import check_keys, converted, read_toml

GUIDE = "docs/guide/other-models.md"
UNNAMED = "The file names no classes"
UNNAMED_POINTS = "The file names no keypoints"
"""Beginnings of the notes on a file whose names of classes, or keypoints, come from elsewhere."""
SHIPPED_DIR = Path(__file__).parent / "shipped"


class OutputKind(StrEnum):
    """Layout of a model's outputs."""

    SSD = "ssd"
    """Two outputs: (1, P, C) scores and (1, P, 4) boxes."""
    YOLOV5 = "yolov5"
    """(1, P, 5 + C): centre, width, height, objectness, class scores."""
    YOLOV8 = "yolov8"
    """(1, 4 + C + K*D, P): centre, width, height, class scores, keypoints."""
    BOXES = "boxes"
    """(1, P, 6 + K*D): corners, score, class, keypoints; NMS was done in the model."""
    ROTATED = "rotated"
    """(1, 4 + C + 1, P) or (1, P, 7): centre, size, class scores or score and class, angle."""
    YOLOX = "yolox"
    """(1, P, 5 + C) as YOLOV5, but centres in cells from their own and sizes as logarithms."""
    FLAT = "flat"
    """(N, 7 + K*3): image, corners, score, class in one of several orders, or image, corners,
    score, keypoints; or (N, 6), without the image. NMS was done in the model."""
    LISTS = "lists"
    """Outputs of boxes, scores, and labels if there are several classes, one row per detection."""
    DETR = "detr"
    """Two outputs: (1, Q, 4) boxes and (1, Q, C) scores, of which the best pairs count."""
    CANDIDATES = "candidates"
    """(1, 4 + C + K*D, P) as YOLOV8, but each class of a box counts: kpviewer's own exports."""
    CLASSES = "classes"
    """(1, C) scores of the classes of an image: kpviewer's own exports."""
    YUNET = "yunet"
    """cls_S, obj_S, bbox_S, kps_S of strides 8, 16 and 32 (Wu et al. 2023)."""
    YUNET_2021 = "yunet-2021"
    """loc (P, 14), conf (P, 2) and iou (P, 1): YuNet of 2021 and 2022."""
    SCRFD = "scrfd"
    """Scores, sides of boxes and perhaps points, each for 3 or 5 strides."""
    RETINAFACE = "retinaface"
    """(1, P, 4) offsets from anchors, (1, P, 2) scores, (1, P, 10) points."""
    BLAZEFACE = "blazeface"
    """(1, 896, 16) boxes with six points, (1, 896, 1) logits."""
    MMDET = "mmdet"
    """dets (1, P, 5) and labels (1, P) of OpenMMLab's detectors; NMS was done in the model."""
    RTMO = "rtmo"
    """dets (1, P, 5) and keypoints (1, P, K, 3); NMS was done in the model."""
    SIMCC = "simcc"
    """simcc_x and simcc_y (1, K, bins): keypoints of one object in a crop, as of RTMPose."""
    HEATMAPS = "heatmaps"
    """(1, K, h, w): a map for each keypoint of one object in a crop, as of HRNet."""
    HEATMAPS_UDP = "heatmaps-udp"
    """The same of a model with unbiased data processing, as ViTPose."""
    SLEAP = "sleap"
    """peaks and peak_vals of one animal, or with centroids those of several: SLEAP's exports."""
    MOVENET = "movenet"
    """(1, 1, 17, 3): y, x and score, shares of the input."""
    MOVENET_MULTI = "movenet-multi"
    """(1, 6, 56): 17 keypoints, a box and its score."""


OF_CROPS = (OutputKind.SIMCC, OutputKind.HEATMAPS, OutputKind.HEATMAPS_UDP)
"""Kinds of models that read one object in a crop."""
_WITHOUT_KEYPOINTS = (OutputKind.SSD, OutputKind.YOLOX)
_POINTS_APART = (OutputKind.LISTS, OutputKind.DETR)


class BoxFormat(StrEnum):
    """Meaning of the four numbers of a box."""

    XYXY = "xyxy"
    CXCYWH = "cxcywh"
    XYWH = "xywh"
    YXYX = "yxyx"


class Activation(StrEnum):
    """Activation that an ssd's scores still need."""

    NONE = "none"
    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


class Channels(StrEnum):
    """Colour order of the input."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Table ``[output]`` of a description."""

    kind: OutputKind
    rows: Name | None = None
    """Name of the output of yolov5, yolov8 and boxes; None: the first output."""
    scores: Name = "scores"
    boxes: Name = "boxes"
    """Names of the outputs of ssd, detr and lists."""
    labels: Name | None = None
    """Name of the output of lists that holds class numbers; None: there is one class."""
    first_label: int = 0
    """Number of the first class in the labels of lists and flat."""
    count: Name | None = None
    """Name of the output of lists that says how many rows are filled; None: all."""
    points: Name | None = None
    """Name of the output that holds the keypoints of lists, (1, N, K, 2 or 3), or of detr,
    (1, Q, C * K, 3 or more) with logits of scores."""
    scored_points: bool = True
    """Whether the third number of a keypoint of lists is its score, and not always 1."""
    class_first: bool = False
    """Whether the rows of flat have the class before the score."""
    box_last: bool = False
    """Whether the rows of flat have the corners behind score and class."""
    best: Count | None = None
    """Number of pairs of box and class of detr that count; None: as many as boxes."""
    multi_label: bool = True
    """Whether a box of ssd may be of several classes; otherwise only its best one counts."""
    box_format: BoxFormat | None = None
    """Box format; None: cxcywh for YOLO, else xyxy."""
    normalised: bool = False
    """Whether coordinates are shares of the input, in [0, 1], instead of pixels."""
    activation: Activation = Activation.NONE
    background: int | None = None
    """Column of an ssd's scores that holds the background."""
    extra_columns: int = 0
    """Columns behind those of the kind: coefficients of ``masks``, or what is left out."""
    masks: Name | None = None
    """Name of the output (1, D, h, w) that holds the prototypes of masks, whose D coefficients are
    the last of the extra columns of yolov5, yolov8 and boxes; of detr and lists, the output with a
    mask for each box, (1, P, h, w) or (P, 1, h, w). None: no masks."""
    mask_limit: float = 0.0
    """Value above which a pixel belongs to a mask: 0.5 for shares."""
    scale: Spread = 1.0
    """Pixels of sleap's grouped keypoints in one of the input."""
    transposed: bool | None = None
    """Whether each prediction of a yolov8 is a column instead of a row; None: the shape decides."""


@dataclass(frozen=True, slots=True)
class OnnxDescription(CommonSpec):
    """Preprocessing of a model's input and meaning of its outputs."""

    classes: ClassNames
    output: OutputFormat
    name: Name = ""
    """Name of the model; empty: that of the file."""
    keypoints: KeypointNames = ()
    input: SizeHW | None = None
    """Height and width of the largest input, px, for a file that leaves them open."""
    stride: Stride | None = None
    """Step of the input's sides, px, for a file that leaves them open."""
    content: SizeHW | None = None
    """Largest height and width of a letterboxed image within the input, px; None: the input's."""
    channels: Channels = Channels.RGB
    value_range: tuple[Level, Level] = (0.0, 1.0)
    """Values of pixels 0 and 255 before mean and std are applied."""
    mean: tuple[Level, Level, Level] = (0.0, 0.0, 0.0)
    """Mean by channel, in the order of ``channels``, like ``std``: input = (value - mean) / std."""
    std: tuple[Spread, Spread, Spread] = (1.0, 1.0, 1.0)
    keypoint_threshold: Share = 0.5
    """Score below which a keypoint counts as not predicted, for outputs with such scores."""
    match: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes by output name that select a shipped description; -1 fits any size."""


def shipped_description(outputs: Mapping[str, Shape]) -> OnnxDescription | None:
    """Return the shipped description that fits a model's outputs; None if there is none."""
    for shipped in sorted(SHIPPED_DIR.glob("*.toml")):
        description = read_description(shipped)
        if _matches(description.match, outputs):
            return description
    return None


def is_partial(path: Path) -> bool:
    """Return whether a description leaves out the table ``[output]``.

    Raises:
        WeightsError: if it isn't TOML.
    """
    return "output" not in read_toml(path)


def read_description(path: Path, base: OnnxDescription | None = None) -> OnnxDescription:
    """Read a description.

    Args:
        path: path of the TOML.
        base: description that this one completes, if it leaves out the table ``[output]``.

    Raises:
        WeightsError: if it isn't TOML, or a field is missing, unknown, of the wrong type or out of
            range.
    """
    table = read_toml(path)
    try:
        if base is None:
            check_keys(table.get("output"), OutputFormat, "[output]")
        check_keys(table, OnnxDescription, "The description")
        if base is not None:
            table = {**msgspec.to_builtins(base), **_replaced(base, table), **table}
        description = converted(table, OnnxDescription)
        _check(description)
    except ValueError as error:
        raise WeightsError(f"{path.name} can't be used: {error}. See {GUIDE}.") from error
    return description


def _replaced(base: OnnxDescription, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a description that the names in a table make wrong."""
    named = {"classes": UNNAMED, "keypoints": UNNAMED_POINTS}
    gone = tuple(beginning for key, beginning in named.items() if key in table)
    notes = [note for note in base.notes if not note.startswith(gone)]
    return {"notes": notes} | ({"skeleton": []} if "keypoints" in table else {})


def _check(description: OnnxDescription) -> None:
    if description.value_range[0] >= description.value_range[1]:
        raise ValueError(f"value_range must rise, got {list(description.value_range)}")
    if description.resize is Resize.AREA and description.stride is None:
        raise ValueError('resize = "area" requires a stride: the step of the input\'s sides')
    if description.keypoints and description.output.kind in _WITHOUT_KEYPOINTS:
        raise ValueError(f"the kind {description.output.kind} has no keypoints")
    are_apart = description.output.kind in _POINTS_APART
    if are_apart and bool(description.keypoints) != (description.output.points is not None):
        raise ValueError(
            f"keypoints of the kind {description.output.kind} need both their names and points"
        )
    background = description.output.background
    if background is not None and not -1 <= background <= len(description.classes):
        raise ValueError(
            f"background must be -1, the last column, or 0 to {len(description.classes)}, "
            f"got {background}"
        )
    check_skeleton(description.skeleton, len(description.keypoints))


def _matches(expected: Mapping[str, tuple[int, ...]], outputs: Mapping[str, Shape]) -> bool:
    return set(expected) == set(outputs) and all(
        len(shape) == len(outputs[name])
        and all(side in (-1, got) for side, got in zip(shape, outputs[name], strict=True))
        for name, shape in expected.items()
    )
