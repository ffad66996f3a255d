"""Jittered crops of objects, or of whole images, with their points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import BoolArray, FloatArray, ImageArray
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import Sample, only
from kpviewer.training.ranges import Degrees, Share, ShareBelowOne


@dataclass(frozen=True, slots=True)
class JitterOptions:
    """Random changes of a crop; each is drawn evenly, up to the value either way."""

    scale: ShareBelowOne = 0.15
    """Largest change of size, as a share."""
    shift: Share = 0.08
    """Largest shift, as a share of the crop's sides."""
    rotate_deg: Degrees = 30.0
    """Largest rotation."""
    mirror: Share = 0.5
    """Share of the crops that are mirrored; points called left and right swap."""
    colours: bool = True
    """Whether light, sharpness and noise change."""


class PointSample(NamedTuple):
    """One image with the points of its object."""

    rgb: ImageArray
    """(H, W, 3) uint8."""
    points_xy: FloatArray
    """(K, 2) positions, px."""
    labelled: BoolArray
    """(K,) whether the point is known and in the image."""


def jittered(
    xyxy: FloatArray,
    margin: float,
    input_hw: tuple[int, int],
    jitter: JitterOptions,
    rng: np.random.Generator,
) -> Placement:
    """Place a box in an input like ``models.points.crops.regions_around``, then move it at random.

    Args:
        xyxy: (4,) box, px of the image.
        margin: side of the crop over that of the box.
        input_hw: size of the input, px.
        jitter: largest changes.
        rng: source of randomness.
    """
    height, width = input_hw
    sides = np.maximum(xyxy[2:] - xyxy[:2], 1.0)
    scale = min(width / sides[0], height / sides[1]) / margin
    centre = (xyxy[:2] + xyxy[2:]) / 2
    shift = rng.uniform(-jitter.shift, jitter.shift, 2) * (width, height)
    return Placement(
        anchor_xy=(float(centre[0]), float(centre[1])),
        at_xy=(float(width / 2 + shift[0]), float(height / 2 + shift[1])),
        scale=float(scale * (1 + rng.uniform(-jitter.scale, jitter.scale))),
        angle_rad=math.radians(float(rng.uniform(-jitter.rotate_deg, jitter.rotate_deg))),
        mirror=bool(rng.random() < jitter.mirror),
        output_hw=input_hw,
    )


def cut(
    sample: Sample, row: int, placement: Placement, swap: tuple[int, ...]
) -> PointSample | None:
    """Cut out one object with its points; return None if no point is inside."""
    moved = place(only(sample, row), placement, swap, cv2.BORDER_CONSTANT)
    if not moved.labelled.any():
        return None
    return PointSample(moved.rgb, moved.points_xy[0], moved.labelled[0])
