"""Messages of the live page's state channel: what viewers change, and what they are shown."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec

from kpviewer.errors import InputError
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.overlay.palette import class_color
from kpviewer.structures import NmsKind, Thresholds

LONGEST_MESSAGE = 1 << 18
"""Largest message of a viewer, in bytes: switches of ten thousand classes."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
ClassId = Annotated[int, msgspec.Meta(ge=0)]


class LiveChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A viewer's change of the settings that all viewers share; None leaves one as it is."""

    score: Share | None = None
    """Confidence threshold."""
    iou: Share | None = None
    nms: NmsKind | None = None
    classes: dict[ClassId, bool] | None = None
    """Whether to show detections of a class, by class id; others stay as they are."""
    paused: bool | None = None


class LiveState(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows beside the stream."""

    kind: str = "state"
    source: str
    """Display name of the source."""
    state: str
    """A value of ``PipelineState``."""
    is_camera: bool
    """Whether the camera of a viewer is the source."""
    problem: str | None
    """What is wrong with source or model, for the viewers; None if nothing is."""
    frame: int
    """Number of the painted frame; 0 before the first."""
    size_wh: tuple[int, int] | None
    """Width and height of the painted frame in the source, px; before it, those of the source."""
    score: float
    iou: float
    nms: NmsKind
    hidden: list[int]
    """Ids of the classes that aren't shown."""
    counts: dict[int, int]
    """Number of detections by class id in the painted frame."""
    fps: float
    """Frames that the model processed, per second."""
    model_ms: float | None
    """Median time of the model for a frame."""
    latency_ms: float | None
    """Median time from capture until the frame is painted."""
    viewers: int


def change_of(message: str | bytes) -> LiveChange:
    """Read a viewer's message.

    Raises:
        InputError: if it isn't a valid change.
    """
    if len(message) > LONGEST_MESSAGE:
        raise InputError(f"A change must have at most {LONGEST_MESSAGE} bytes.")
    try:
        return msgspec.json.decode(message, type=LiveChange)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"A change must be JSON as the page sends it: {error}.") from error


def changed(thresholds: Thresholds, change: LiveChange, spec: ModelSpec) -> Thresholds:
    """Return thresholds with a viewer's change.

    Raises:
        InputError: if the model has no such class.
    """
    if change.score is not None:  # the slider is for all classes
        thresholds = replace(thresholds, score=change.score, class_scores={})
    if change.iou is not None:
        thresholds = replace(thresholds, iou=change.iou)
    if change.nms is not None:
        thresholds = replace(thresholds, nms=change.nms)
    if not change.classes:
        return thresholds
    known = range(len(spec.class_names))
    unknown = [each for each in change.classes if each not in known]
    if unknown:
        raise InputError(f"The model has {len(known)} classes, got id {unknown[0]}.")
    shown = set(known if thresholds.classes is None else thresholds.classes)
    for class_id, is_shown in change.classes.items():
        (shown.add if is_shown else shown.discard)(class_id)
    return replace(thresholds, classes=None if len(shown) == len(known) else frozenset(shown))


def hidden_classes(thresholds: Thresholds, spec: ModelSpec) -> list[int]:
    """Return the ids of the classes that thresholds leave out."""
    shown = thresholds.classes
    return [] if shown is None else [i for i in range(len(spec.class_names)) if i not in shown]


def greeting(spec: ModelSpec, viewer: str) -> dict[str, Any]:
    """Return the first message to a viewer: its name, and what stays the same."""
    return {
        "kind": "hello",
        "viewer": viewer,
        "model": spec.name,
        "has_boxes": spec.task is not Task.CLASSIFY,
        "nms": [kind.value for kind in NmsKind],
        "classes": [
            {"name": name, "color": "#{:02x}{:02x}{:02x}".format(*class_color(index))}
            for index, name in enumerate(spec.class_names)
        ],
    }
