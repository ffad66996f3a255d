"""Crops of objects, and whole images, moved a little with their points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import BoolArray, FloatArray, ImageArray
from kpviewer.training.placement import Placement, place
from kpviewer.training.samples import Sample, only


@dataclass(frozen=True, slots=True)
class JitterOptions:
    """How much a crop is moved, each drawn evenly up to both sides."""

    scale: float = 0.15
    """Change of size, as a share."""
    shift: float = 0.08
    """Of the crop's sides."""
    rotate_deg: float = 30.0
    mirror: float = 0.5
    """Share of the images that are mirrored; points called left and right swap."""
    colours: bool = True
    """Whether light, sharpness and noise change too."""


class PointSample(NamedTuple):
    """One image with the points of its object."""

    rgb: ImageArray
    """(H, W, 3) uint8."""
    points_xy: FloatArray
    """(K, 2), px."""
    labelled: BoolArray
    """(K,): known, and in the image."""


def jittered(
    xyxy: FloatArray,
    margin: float,
    input_hw: tuple[int, int],
    jitter: JitterOptions,
    rng: np.random.Generator,
) -> Placement:
    """Place a box in an input as ``models.crops.regions_around`` would, then move it at random.

    Args:
        xyxy: (4,) box, px of the image.
        margin: side of what the input shows over that of the box.
        input_hw: size of the input, px.
        jitter: how far.
        rng: the chance.
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
    """Cut one object of an image out, with its points; None if it is out of sight."""
    moved = place(only(sample, row), placement, swap, cv2.BORDER_CONSTANT)
    if not moved.labelled.any():
        return None
    return PointSample(moved.rgb, moved.points_xy[0], moved.labelled[0])
