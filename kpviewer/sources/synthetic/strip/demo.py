"""Strip demo: a generated video of 20 s along glowing steel strips, with exact ground truth."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kpviewer.sources.synthetic.strip.exposure import Exposure, expose
from kpviewer.sources.synthetic.strip.scenes import SIZE_HW, ground_truth_of
from kpviewer.sources.synthetic.strip.world import CLASS_NAMES, MARGIN_PX, StripWorld, random_world
from kpviewer.sources.synthetic.video import GeneratedGroundTruth, GeneratedVideo
from kpviewer.structures import GroundTruth, ImageArray, StreamInfo

FPS = 30.0
FRAMES_PER_STRIP = 200
SPEED_PX = 7.3
"""Speed per frame; the fraction shifts each image differently between the pixels."""
MARKS_PER_PX = 1 / 640
"""Density of marks of each class: about three are visible at a time."""
_SEED_KEY = 0x64656D6F
"""Key of the random seeds, which separates the video's strips from those of training."""


class _Strip(NamedTuple):
    """Number of a strip, and its direction in the video."""

    number: int
    runs_left: bool


STRIPS = (_Strip(1, True), _Strip(2, False), _Strip(3, True))
FRAME_COUNT = FRAMES_PER_STRIP * len(STRIPS)
INFO = StreamInfo("strip", SIZE_HW[1], SIZE_HW[0], FPS, FRAME_COUNT, False, True)


class StripSource(GeneratedVideo):
    """FrameSource of a video along ``STRIPS``, which stay cached in memory."""

    def __init__(self) -> None:
        ground_truth = GeneratedGroundTruth(ground_truth_at, CLASS_NAMES, ("centre",))
        super().__init__(INFO, lambda: _world(STRIPS[0].number), _paint, ground_truth)


def _paint(index: int, bgr: ImageArray) -> GroundTruth:
    image, ground_truth = render(index)
    np.copyto(bgr, image)
    return ground_truth


def render(index: int) -> tuple[ImageArray, GroundTruth]:
    """Paint a frame and return its ground truth.

    Returns:
        (320, 1920, 3) uint8 BGR, and the marks with the classes and the keypoint
        of ``strip_world``. A mark whose box is cut off by the image's edge is difficult.
    """
    seconds = index / FPS
    exposure = Exposure(
        shift_xy=_shift_at(index),
        gain=0.9 + 0.2 * float(np.sin(0.9 * seconds)),
        tilt=0.3 * float(np.sin(0.35 * seconds + 1)),
        warmth=float(np.sin(0.5 * seconds)),
        blur_px=max(0.0, 1.4 * float(np.sin(0.8 * seconds))),
        noise=3.0,
        noise_seed=index,
    )
    bgr, _ = expose(_world_at(index), exposure, SIZE_HW)
    return bgr, ground_truth_at(index)


def ground_truth_at(index: int) -> GroundTruth:
    """Return the ground truth of a frame without painting it; see ``render``."""
    world = _world_at(index)
    return ground_truth_of(world.seen_from(_shift_at(index)), world.class_ids, SIZE_HW)


def _shift_at(index: int) -> tuple[float, float]:
    """Return the position of the camera over its strip, px."""
    strip, moment = STRIPS[index // FRAMES_PER_STRIP], index % FRAMES_PER_STRIP
    travel = moment if strip.runs_left else FRAMES_PER_STRIP - 1 - moment
    return SPEED_PX * travel, 2.0 * float(np.sin(5.1 * index / FPS))


def _world_at(index: int) -> StripWorld:
    return _world(STRIPS[index // FRAMES_PER_STRIP].number)


@lru_cache(maxsize=len(STRIPS))
def _world(number: int) -> StripWorld:
    """Return a strip that is long enough for its part of the video."""
    length = SIZE_HW[1] + int(SPEED_PX * FRAMES_PER_STRIP) + MARGIN_PX
    rng = np.random.default_rng([_SEED_KEY, number])
    return random_world(rng, (SIZE_HW[0], length), marks_per_px=MARKS_PER_PX)
