"""Letterboxing on the host, by OpenCV into a kept buffer: what a compiled graph on the CPU takes.

By default, nothing here wakes another library's threads, which would then spin on the cores that
the graph needs. Where all cores are free, OpenCV halves the time of a large image with them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import Letterbox
from kpviewer.models.spec import ModelSpec, Sampling
from kpviewer.sources.opencv import cv2, use_threads
from kpviewer.sources.resizing import (
    resized,
    resized_antialiased,
    resized_in_float,
    resized_linearly,
)
from kpviewer.structures import FloatArray, ImageArray

Resizing: TypeAlias = Callable[[ImageArray, tuple[int, int]], ImageArray | FloatArray]
"""Resizes (H, W, 3) uint8 to a height and width."""

_RESIZING: Mapping[Sampling, Resizing] = {
    Sampling.SMOOTH: resized,
    Sampling.LINEAR: resized_linearly,
    Sampling.LINEAR_FLOAT: resized_in_float,
    Sampling.ANTIALIASED: resized_antialiased,
}


def resizing_of(spec: ModelSpec) -> Resizing:
    """Return the function that resizes images on the host as a model expects."""
    return _RESIZING[spec.sampling]


def padding_of(spec: ModelSpec) -> FloatArray:
    """Return the (3,) RGB colour around an image, in [0, 255]: the spec's own, else the mean."""
    if spec.padding is not None:
        return np.array(spec.padding, np.float32)
    return np.array(spec.mean, np.float32) * np.float32(255)


class Letterboxing:
    """Resizes, pads and reorders images to RGB, into one buffer for each size of batch."""

    def __init__(self, spec: ModelSpec) -> None:
        self._resize = resizing_of(spec)
        self.dtype: type = np.float32 if spec.sampling is Sampling.LINEAR_FLOAT else np.uint8
        """Type of the pixels."""
        colour = padding_of(spec)
        self._colour = colour if self.dtype is np.float32 else colour.round()
        self._canvases: dict[int, NDArray[Any]] = {}
        self._boxes: dict[int, list[Letterbox | None]] = {}
        """Boxes of the images that a canvas holds: the padding around them is in place."""

    def __call__(self, bgr: ImageArray, box: Letterbox, threads: int = 1) -> NDArray[Any]:
        """Letterbox one image, on some threads: as ``batch`` does."""
        use_threads(threads)
        return self.batch([bgr], [box])

    def batch(self, images: Sequence[ImageArray], boxes: Sequence[Letterbox]) -> NDArray[Any]:
        """Letterbox images of one input size.

        Returns:
            (B, h, w, 3) RGB in [0, 255], uint8 unless the spec asks for more. The next call with as
            many images overwrites it.
        """
        count, shape = len(images), (len(images), *boxes[0].input_hw, 3)
        canvas = self._canvases.get(count)
        if canvas is None or canvas.shape != shape:
            canvas = self._canvases[count] = np.empty(shape, self.dtype)
            self._boxes[count] = [None] * count
        held = self._boxes[count]
        for row, (bgr, box) in enumerate(zip(images, boxes, strict=True)):
            if held[row] != box:
                canvas[row], held[row] = self._colour, box
            height, width = box.resized_hw
            inside = canvas[row, box.top : box.top + height, box.left : box.left + width]
            cv2.cvtColor(self._resize(bgr, box.resized_hw), cv2.COLOR_BGR2RGB, dst=inside)
        return canvas
