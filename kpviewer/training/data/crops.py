"""Jittered crops of objects, or of whole images."""

import math
from dataclasses import dataclass

import numpy as np

from kpviewer.structures import FloatArray
from kpviewer.training.data.placement import Placement
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


def jittered(
    xyxy: FloatArray,
    margin: float,
    input_hw: tuple[int, int],
    jitter: JitterOptions,
    rng: np.random.Generator,
) -> Placement:
    """Place a box in an input as ``points.crops.regions_around`` does, then move it at random."""
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
