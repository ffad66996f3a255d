"""Description of a model: names, input, defaults and origin; stored inside its weight file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from kpviewer.errors import WeightsError
from kpviewer.models.limits import (
    Byte,
    ClassNames,
    KeypointNames,
    Level,
    Mirrored,
    Name,
    Ranges,
    Share,
    SizeHW,
    Skeleton,
    Spread,
    Stride,
    Text,
    check_input,
    check_skeleton,
    is_writable,
)
from kpviewer.models.names.tensors import current_name, is_used
from kpviewer.models.tables import converted, decode_json, shown
from kpviewer.structures import NmsKind, Shape, Thresholds

MAX_TTA_RUNS = 3
"""Most runs of a point network on one image, for the mean: test-time augmentation."""
_RENAMED = {"looks": "tta_runs"}
"""Keys in files of version 0.1, and what they are called now."""


class Task(StrEnum):
    """Kind of a model's predictions."""

    DETECT = "detect"
    KEYPOINTS = "keypoints"
    DETECT_KEYPOINTS = "detect+keypoints"
    CLASSIFY = "classify"


class Resize(StrEnum):
    """How an image is resized to a network's input."""

    LETTERBOX = "letterbox"
    """Scaled into the input, whose sides are the limit."""
    AREA = "area"
    """Scaled into an input of the image's own proportions, with as many pixels at most."""
    EDGES = "edges"
    """Scaled to a shortest side, unless the longest side would exceed a limit, and then to
    multiples of the stride: DETR's way. The input is as large as the image."""
    STRETCH = "stretch"
    """Scaled to the input's size, without keeping proportions."""
    NONE = "none"
    """Left at its own size, for models that resize. Images larger than the input are fitted in."""


class Placement(StrEnum):
    """Position of a letterboxed image in the input."""

    CENTRE = "centre"
    TOP_LEFT = "top-left"
    """Sides are rounded down to whole pixels."""


class Sampling(StrEnum):
    """How pixels are computed when an image is resized."""

    SMOOTH = "smooth"
    """Averages over areas where the image shrinks, so that nothing thin is lost."""
    LINEAR = "linear"
    """Bilinear over the four nearest pixels, as ``cv2.INTER_LINEAR``: most makers' own way."""
    LINEAR_FLOAT = "linear-float"
    """As ``LINEAR``, and not rounded to whole levels, as RF-DETR does."""
    ANTIALIASED = "antialiased"
    """Bilinear over all pixels that one of the input covers, as Pillow does: RT-DETR's way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSpec:
    """Fields that ``ModelSpec`` and the descriptions of files (``models.onnx``) have in common."""

    skeleton: Skeleton = ()
    """Pairs of indices of keypoints that a line joins."""
    resize: Resize = Resize.LETTERBOX
    placement: Placement = Placement.CENTRE
    """Position of a letterboxed image."""
    sampling: Sampling = Sampling.SMOOTH
    whole_input: bool = False
    """Whether letterboxed images are padded to the largest input, whatever the stride allows."""
    score_threshold: Share = 0.5
    iou_threshold: Share = 0.45
    nms: NmsKind = NmsKind.HARD
    """Kind of NMS; "none" for models whose predictions are distinct already."""
    padding: tuple[Byte, Byte, Byte] | None = None
    """RGB colour around an image that doesn't fill the input, in [0, 255]; None: the mean, which
    becomes 0 in the input."""
    notes: tuple[Text, ...] = ()
    """Sentences on what is left out of the model's output; shown when it opens."""
    licence: Text = ""
    trained_on: Text = ""


@dataclass(frozen=True, slots=True)
class ModelSpec(CommonSpec):
    """Complete description of a model, without files beside it."""

    name: Name
    architecture: Name
    """Architecture, a key of ``models.networks.architectures.ARCHITECTURES``."""
    task: Task
    class_names: ClassNames
    """Names of the classes, without the background."""
    input_hw: SizeHW
    """Height and width of the largest input, px; for ``Resize.AREA``, they set its area, for
    ``Resize.EDGES``, they are its shortest side and the limit of its longest one."""
    keypoint_names: KeypointNames = ()
    mirrored_keypoints: Mirrored = ()
    """Index of each keypoint in a mirrored image; empty if none swap."""
    content_hw: SizeHW | None = None
    """Largest size of a letterboxed image within the input, px; None: that of the input."""
    stride: Stride | None = None
    """Step of the sides of inputs other than ``input_hw``, px; None: one size only."""
    mean: tuple[Level, Level, Level] = (0.485, 0.456, 0.406)
    """Mean of RGB pixels in [0, 1], like ``std``."""
    std: tuple[Spread, Spread, Spread] = (0.229, 0.224, 0.225)
    keypoint_threshold: Share | None = None
    """Score below which a keypoint counts as not predicted; None: the model predicts no scores of
    keypoints."""
    shape: Shape = Shape.UPRIGHT
    """What objects are."""
    tta_runs: Annotated[int, Meta(ge=1, le=MAX_TTA_RUNS)] = 1
    """Runs of a point network on each image, shifted by a few px, for the mean: test-time
    augmentation."""
    activation_ranges: Ranges = ()
    """Name, least and greatest input of each convolution that may be computed in 8-bit integers
    (``runtime.torch.int8``); ``kpviewer calibrate`` measures them."""

    @property
    def thresholds(self) -> Thresholds:
        """Default thresholds of the model."""
        asked = Thresholds(score=self.score_threshold, iou=self.iou_threshold, nms=self.nms)
        keypoint = self.keypoint_threshold
        return asked if keypoint is None else replace(asked, keypoint=keypoint)

    @property
    def ranges_by_name(self) -> dict[str, tuple[float, float]]:
        """Least and greatest input of convolutions, by name, from ``activation_ranges``."""
        return {name: (low, high) for name, low, high in self.activation_ranges}

    @property
    def has_outlines(self) -> bool:
        """Whether objects have outlines: the corners of rotated boxes, or those of masks."""
        return self.shape is not Shape.UPRIGHT

    @property
    def named_notes(self) -> tuple[str, ...]:
        """Notes, each behind the model's name."""
        return tuple(f"{self.name}: {note}" for note in self.notes)

    def to_json(self) -> str:
        """Serialise to JSON text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Parse JSON text from ``to_json``.

        Raises:
            WeightsError: if the text isn't such a JSON object.
        """
        try:
            spec = converted(_with_current_keys(decode_json(text)), cls)
            ranges = tuple(
                (current_name(name), low, high)
                for name, low, high in spec.activation_ranges
                if is_used(name)
            )
            spec = replace(spec, activation_ranges=ranges)
            _check(spec)
        except ValueError as error:
            raise WeightsError(
                f"the model description in the file can't be read: {error}. "
                "Was the file written by another program or version?"
            ) from error
        return spec


def _with_current_keys(table: Any) -> Any:
    """Return a decoded description by the current names of its keys."""
    if not isinstance(table, dict):
        return table
    return {_RENAMED.get(key, key): value for key, value in table.items()}


def checked(spec: ModelSpec, name: str, cure: str) -> ModelSpec:
    """Check a description whose values come from elsewhere, and return it.

    Args:
        spec: description to check.
        name: name of the described model or file, for the message.
        cure: sentence for the message on what to do.

    Raises:
        WeightsError: if a value has the wrong type or is out of range, or two contradict.
    """
    try:
        spec = converted(asdict(spec), ModelSpec)
        _check(spec)
    except ValueError as error:
        raise WeightsError(f"{name} can't be used: {error}. {cure}") from error
    return spec


def _check(spec: ModelSpec) -> None:
    """Check conditions between values; raise ValueError."""
    check_input(spec.input_hw, None if spec.resize is Resize.EDGES else spec.stride)
    content = spec.content_hw
    if content is not None and (content[0] > spec.input_hw[0] or content[1] > spec.input_hw[1]):
        raise ValueError(f"content must fit into the input {spec.input_hw}, got {content}")
    if spec.resize is Resize.AREA and spec.stride is None:
        raise ValueError('resize "area" must have a stride: the step of the input\'s sides')
    points = len(spec.keypoint_names)
    if (spec.task in (Task.KEYPOINTS, Task.DETECT_KEYPOINTS)) != bool(points):
        raise ValueError(f"the task {str(spec.task)!r} doesn't go with {points} keypoint names")
    check_skeleton(spec.skeleton, points)
    if sorted(spec.mirrored_keypoints) not in ([], list(range(points))):
        raise ValueError("mirrored_keypoints must name each keypoint once, or be empty")
    if any(least > greatest for _name, least, greatest in spec.activation_ranges):
        raise ValueError("activation_ranges must have the least value before the greatest")
    convolutions = (name for name, _least, _greatest in spec.activation_ranges)
    texts = (spec.name, spec.architecture, *spec.class_names, *spec.keypoint_names, *convolutions)
    if strange := next((text for text in texts if not is_writable(text)), None):
        raise ValueError(
            f"names must have no line breaks or other control characters, got {shown(strange)}"
        )
