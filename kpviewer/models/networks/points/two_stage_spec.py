"""Description of a two-stage detector: a box detector, and a point model for crops of its boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kpviewer.models.spec import ModelSpec, Task

ZOOM = 2
"""Ratio of the side of the image that crops are cut from to that of the box detector's input."""
_ZOOM_LIMIT_PX = 640
"""Largest input side that is zoomed; crops of larger ones come from the box detector's input."""


def zoom_of(boxes: ModelSpec) -> int:
    """Return the ratio of the side of the input to that of the box detector's."""
    return ZOOM if max(boxes.input_hw) <= _ZOOM_LIMIT_PX else 1


def joined_spec(boxes: ModelSpec, points: ModelSpec, **changes: Any) -> ModelSpec:
    """Return the description of a box detector that a point model completes."""
    return replace(
        boxes,
        name=f"{boxes.name}+{points.name}",
        architecture="two-stage",
        task=Task.DETECT_KEYPOINTS,
        keypoint_names=points.keypoint_names,
        skeleton=points.skeleton,
        mirrored_keypoints=points.mirrored_keypoints,
        keypoint_threshold=points.keypoint_threshold,
        licence="; ".join(dict.fromkeys(filter(None, (boxes.licence, points.licence)))),
        trained_on="; ".join(dict.fromkeys(filter(None, (boxes.trained_on, points.trained_on)))),
        **changes,
    )


def two_stage_spec(boxes: ModelSpec, points: ModelSpec) -> ModelSpec:
    """Return the description of kpviewer's own two-stage detector."""
    zoom = zoom_of(boxes)
    ranges = (*_renamed("box_network", boxes), *_renamed("point_network", points))
    return joined_spec(
        boxes,
        points,
        activation_ranges=ranges,
        input_hw=(boxes.input_hw[0] * zoom, boxes.input_hw[1] * zoom),
        stride=boxes.stride * zoom if boxes.stride else None,
    )


def _renamed(stage: str, spec: ModelSpec) -> tuple[tuple[str, float, float], ...]:
    """Return the ranges of a stage's convolutions by their names in the combined network."""
    return tuple((f"{stage}.{name}", low, high) for name, low, high in spec.activation_ranges)
