"""Hard light on objects from one side, as from a window or on a stage."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from kpviewer.structures import FloatArray, ImageArray
from kpviewer.training.data.samples import Sample


def light_from_side(sample: Sample, rng: np.random.Generator, share: float) -> Sample:
    """Light some objects, each with probability ``share``, from a random side."""
    if not share:
        return sample
    chosen = (rng.random(len(sample.xyxy)) < share) & ~sample.ignore
    if not chosen.any():
        return sample
    rgb = sample.rgb.copy()
    for box in sample.xyxy[chosen]:
        _shade(rgb, box, rng)
    return replace(sample, rgb=rgb)


def _shade(rgb: ImageArray, box: FloatArray, rng: np.random.Generator) -> None:
    """Multiply an object and its surroundings by a smooth step; it fades out at twice the box."""
    centre, half = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], 1) / 2
    left, top = np.floor(centre - 2 * half).astype(int).clip(0)
    right, bottom = np.ceil(centre + 2 * half).astype(int)
    region = rgb[top:bottom, left:right]
    rows, columns = np.mgrid[top : top + region.shape[0], left : left + region.shape[1]] + 0.5
    x, y = (columns - centre[0]) / half[0], (rows - centre[1]) / half[1]  # -1 to 1 in the box
    angle = rng.uniform(0, 2 * math.pi)
    depth = x * math.cos(angle) + y * math.sin(angle) - rng.uniform(-0.4, 0.4)
    dark = 0.5 + 0.5 * np.tanh(depth / rng.uniform(0.1, 0.8))
    gain = rng.uniform(-0.95, -0.5) * dark + rng.uniform(0, 0.7) * (1 - dark)
    near = np.clip(2 - np.hypot(x, y), 0, 1)
    region[:] = np.clip(region * (1 + near * gain)[..., None], 0, 255).astype(np.uint8)
