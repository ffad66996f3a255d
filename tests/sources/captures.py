"""Fake of ``cv2.VideoCapture``: a camera with scripted faults."""

import numpy as np
from videos import numbered_image

from kpviewer.sources.opencv import cv2


class FakeCapture:
    """Camera with ``frames`` numbered images, after which it is lost.

    Args:
        frames: number of images before the loss.
        is_open: False for a missing camera.
        failing_reads: number of first reads that fail.
        fills: whether ``retrieve`` fills the given array, as OpenCV does if the size matches.
    """

    def __init__(
        self,
        frames: int = 1000,
        *,
        is_open: bool = True,
        failing_reads: int = 0,
        fills: bool = True,
        fps: float = 30.0,
    ) -> None:
        self.frames, self.failing_reads, self.fills = frames, failing_reads, fills
        self.is_open, self.fps = is_open, fps
        self.asked: list[int] = []
        self.values: dict[int, float] = {}
        self.grabbed = -1
        self.crop_rows = 0
        self.releases = 0

    def isOpened(self) -> bool:
        return self.is_open

    def set(self, prop: int, value: float, /) -> bool:
        self.asked.append(prop)
        self.values[prop] = value
        return False

    def get(self, prop: int, /) -> float:
        return self.fps if prop == cv2.CAP_PROP_FPS else 0.0

    def grab(self) -> bool:
        if self.failing_reads:
            self.failing_reads -= 1
            return False
        self.grabbed += 1
        return self.grabbed < self.frames

    def retrieve(self, buffer=None, /):
        image = numbered_image(self.grabbed % 256)
        image = np.ascontiguousarray(image[: image.shape[0] - self.crop_rows])
        if self.fills and buffer is not None and buffer.shape == image.shape:
            buffer[:] = image
            return True, buffer
        return True, image

    def release(self) -> None:
        self.releases += 1
