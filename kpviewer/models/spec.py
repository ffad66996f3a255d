"""What a model says of itself: names, input, defaults and origin; stored inside its weight file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from kpviewer.errors import WeightsError
from kpviewer.structures import Thresholds

MAX_LOOKS = 3
"""Of a point model at one picture: each costs a run of its network."""


class Task(StrEnum):
    """What a model predicts."""

    DETECT = "detect"
    KEYPOINTS = "keypoints"
    DETECT_KEYPOINTS = "detect+keypoints"
    CLASSIFY = "classify"


class Resize(StrEnum):
    """How a picture becomes a network input."""

    LETTERBOX = "letterbox"
    """Scaled into the input, whose sides are the limit."""
    AREA = "area"
    """Scaled into an input of the picture's own proportions, with as many pixels at most."""
    STRETCH = "stretch"
    TILE = "tile"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that a user of the weights must know. No class list stands beside a file."""

    name: str
    architecture: str
    """Key of the registry in ``models.weights``."""
    task: Task
    class_names: tuple[str, ...]
    """Without background."""
    input_hw: tuple[int, int]
    """Largest input, px; where ``resize`` is ``AREA``, that of the picture which fits it best."""
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices joined by a line."""
    mirrored_keypoints: tuple[int, ...] = ()
    """Index that each keypoint takes when the picture is mirrored; empty where nothing swaps."""
    resize: Resize = Resize.LETTERBOX
    stride: int | None = None
    """Inputs other than ``input_hw`` are allowed in multiples of it; None: one size only."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """RGB, of pixels in [0, 1]."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    score_threshold: float = 0.5
    iou_threshold: float = 0.45
    looks: int = 1
    """Of a point model: how often it looks at a picture, moved a little, for the mean."""
    activation_ranges: tuple[tuple[str, float, float], ...] = ()
    """Name of a convolution, least and greatest value of its input, of those that may be computed
    in 8-bit integers (``runtime.int8``); ``kpviewer calibrate`` finds them."""
    licence: str = ""
    trained_on: str = ""

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds that the model starts with."""
        return Thresholds(score=self.score_threshold, iou=self.iou_threshold)

    def to_json(self) -> str:
        """Serialise to JSON text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Parse what ``to_json`` wrote.

        Raises:
            WeightsError: if the text is not such a JSON object.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            known = {item.name for item in fields(cls)}
            values = {key: _frozen(value) for key, value in raw.items() if key in known}
            values["task"] = Task(values["task"])
            values["activation_ranges"] = _ranges(values.get("activation_ranges", ()))
            values["resize"] = Resize(values.get("resize", "letterbox"))
            if values.get("looks", 1) not in range(1, MAX_LOOKS + 1):
                raise ValueError(f"looks must be 1 to {MAX_LOOKS}, got {values['looks']!r}")
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsError(
                f"The model description in the file can't be read: {error}. "
                "Was the file written by another program or version?"
            ) from error


def _ranges(rows: Any) -> tuple[tuple[str, float, float], ...]:
    """Check rows of (name, least, greatest); ValueError or TypeError if they are anything else."""
    ranges = tuple((str(name), float(least), float(greatest)) for name, least, greatest in rows)
    if not all(-math.inf < least <= greatest < math.inf for _name, least, greatest in ranges):
        raise ValueError("activation_ranges must be finite, least before greatest")
    return ranges


def _frozen(value: Any) -> Any:
    """Turn JSON lists into tuples, at every depth."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
