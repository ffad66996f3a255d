"""Synthetic source: a minute of frames that are painted once and then copied from memory.

Reading one costs what a camera's driver costs, a copy, so that a benchmark measures the rest.
"""

import re
from functools import lru_cache

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.sources.base import LARGEST_SIDE_PX
from kpviewer.sources.naming import SYNTHETIC
from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic import demo_scene
from kpviewer.sources.synthetic.video import GeneratedVideo
from kpviewer.structures import ImageArray, StreamInfo

DEFAULT_SIZE_WH = (1280, 720)
FPS, FRAMES = 30.0, 1800
_SMALLEST_SIDE_PX = 16
_KEPT_BYTES = 96 * 1024 * 1024
"""Most memory of the painted frames: 36 of 1280x720."""
_MOST_KEPT = 60
_FIRST = 180
"""Frame of the demo to begin with: two people who move, and no cut behind it."""
_NAMED = re.compile(rf"{SYNTHETIC}(?::(\d{{1,5}})x(\d{{1,5}}))?", re.IGNORECASE)


def synthetic_source(text: str = SYNTHETIC) -> GeneratedVideo:
    """Return the source of a name: "synthetic", or "synthetic:WIDTHxHEIGHT".

    Its frames are those of the demo, enlarged to cover the size, without ground truth. They run
    forwards and backwards, so that the video moves and has no cut.

    Raises:
        SourceError: if the name has no size that images may have.
    """
    found = _NAMED.fullmatch(text)
    size = DEFAULT_SIZE_WH
    if found is not None and found[1]:
        size = (int(found[1]), int(found[2]))
    if found is None or not all(_SMALLEST_SIDE_PX <= side <= LARGEST_SIDE_PX for side in size):
        raise SourceError(
            f"A synthetic source is named {SYNTHETIC}:WIDTHxHEIGHT, as {SYNTHETIC}:1280x720, with "
            f"sides of {_SMALLEST_SIDE_PX} to {LARGEST_SIDE_PX} px. Got {text[:80]!r}."
        )
    info = StreamInfo(SYNTHETIC, *size, FPS, FRAMES, is_live=False, is_seekable=True)

    def paint(index: int, out: ImageArray) -> None:
        frames = _painted(size)
        last = len(frames) - 1
        np.copyto(out, frames[last - abs(index % (2 * last or 1) - last)])

    return GeneratedVideo(info, lambda: _painted(size), paint)


@lru_cache(maxsize=2)
def _painted(size_wh: tuple[int, int]) -> tuple[ImageArray, ...]:
    """Return consecutive frames of the demo, each (height, width, 3) uint8 BGR."""
    width, height = size_wh
    count = min(max(_KEPT_BYTES // (3 * width * height), 1), _MOST_KEPT)
    return tuple(_covering(_FIRST + index, width, height) for index in range(count))


def _covering(index: int, width: int, height: int) -> ImageArray:
    """Return a frame of the demo that covers a size: enlarged alike both ways, and cut."""
    frame = np.empty((demo_scene.HEIGHT, demo_scene.WIDTH, 3), np.uint8)
    demo_scene.render(index, frame)
    scale = max(width / demo_scene.WIDTH, height / demo_scene.HEIGHT)
    wide = max(round(demo_scene.WIDTH * scale), width)
    high = max(round(demo_scene.HEIGHT * scale), height)
    left, top = (wide - width) // 2, (high - height) // 2
    enlarged = cv2.resize(frame, (wide, high))
    return np.ascontiguousarray(enlarged[top : top + height, left : left + width])
