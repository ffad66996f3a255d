"""The strip demo: a film of 20 s along glowing steel strips, which knows its own ground truth."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kpviewer.sources.painted import PaintedFilm
from kpviewer.sources.strip_scenes import (
    MARGIN_PX,
    SIZE_HW,
    Exposure,
    StripWorld,
    expose,
    ground_truth_of,
    random_world,
)
from kpviewer.structures import GroundTruth, ImageArray, StreamInfo

FPS = 30.0
FRAMES_A_STRIP = 200
SPEED_PX = 7.3
"""A frame; the fraction makes every image fall differently between the pixels."""
MARKS_PER_PX = 1 / 640
"""Of each class: about three in sight at a time."""
_SEED_KEY = 0x64656D6F
"""Keeps the film's strips apart from those of training."""


class _Strip(NamedTuple):
    """How one strip is filmed."""

    number: int
    runs_left: bool


STRIPS = (_Strip(1, True), _Strip(2, False), _Strip(3, True))
FRAME_COUNT = FRAMES_A_STRIP * len(STRIPS)
INFO = StreamInfo("strip", SIZE_HW[1], SIZE_HW[0], FPS, FRAME_COUNT, False, True)


class StripSource(PaintedFilm):
    """The film along ``STRIPS``, which stay in memory for the next time."""

    def __init__(self) -> None:
        super().__init__(INFO, lambda: _world(STRIPS[0].number), _paint)


def _paint(index: int, bgr: ImageArray) -> GroundTruth:
    image, ground_truth = render(index)
    np.copyto(bgr, image)
    return ground_truth


def render(index: int) -> tuple[ImageArray, GroundTruth]:
    """Paint one frame and tell where its marks are.

    Args:
        index: frame number in [0, FRAME_COUNT).

    Returns:
        (320, 1920, 3) uint8 BGR, and the marks: class ids and the one keypoint of
        ``strip_scenes``. A mark whose box is cut by the image's edge is difficult.
    """
    strip, moment = STRIPS[index // FRAMES_A_STRIP], index % FRAMES_A_STRIP
    world = _world(strip.number)
    way = moment if strip.runs_left else FRAMES_A_STRIP - 1 - moment
    seconds = index / FPS
    exposure = Exposure(
        shift_xy=(SPEED_PX * way, 2.0 * float(np.sin(5.1 * seconds))),
        gain=0.9 + 0.2 * float(np.sin(0.9 * seconds)),
        tilt=0.3 * float(np.sin(0.35 * seconds + 1)),
        warmth=float(np.sin(0.5 * seconds)),
        blur_px=max(0.0, 1.4 * float(np.sin(0.8 * seconds))),
        noise=3.0,
        noise_seed=index,
    )
    bgr, centres_xy = expose(world, exposure, SIZE_HW)
    return bgr, ground_truth_of(centres_xy, world.class_ids, SIZE_HW)


@lru_cache(maxsize=len(STRIPS))
def _world(number: int) -> StripWorld:
    """Roll out a strip that is long enough for its part of the film."""
    length = SIZE_HW[1] + int(SPEED_PX * FRAMES_A_STRIP) + MARGIN_PX
    rng = np.random.default_rng([_SEED_KEY, number])
    return random_world(rng, (SIZE_HW[0], length), marks_per_px=MARKS_PER_PX)
