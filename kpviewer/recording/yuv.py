"""Conversion of images into frames of an encoder: YUV 4:2:0 of even sides.

OpenCV converts in a quarter of the time that FFmpeg's swscale takes, which has no SIMD for it. It
knows BT.601 alone, so the videos are marked as BT.601.
"""

import av
import numpy as np
from av.video.reformatter import ColorRange

from kpviewer.overlay.images import fit_image
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray

_CODES = {3: cv2.COLOR_BGR2YUV_I420, 4: cv2.COLOR_BGRA2YUV_I420}
"""OpenCV's code of the conversion, by the number of channels."""


class YuvConverter:
    """Converts images to frames of one size, for one thread.

    All frames share one buffer: the encoder must copy it, or be done with it, before the next.
    """

    FORMAT, RANGE = "yuv420p", ColorRange.MPEG
    MATRIX = 6
    """Number of BT.601's matrix in ITU-T H.273."""

    def __init__(self, size_hw: tuple[int, int]) -> None:
        """Prepare.

        Args:
            size_hw: height and width of the first image. Odd ones are rounded up.
        """
        self._size_hw = size_hw
        self.height, self.width = (side + side % 2 for side in size_hw)
        """Even sides of the frames, px."""
        self._planes = np.empty((self.height * 3 // 2, self.width), np.uint8)

    def convert(self, image: ImageArray) -> av.VideoFrame:
        """Return an image as a frame, valid until the next call.

        Args:
            image: (H, W, 3) BGR or (H, W, 4) BGRA, uint8; the fourth channel isn't used. One of
                another size is fitted in between black borders. Odd sides get a copy of their
                last row or column.
        """
        image = self._sized(image)
        cv2.cvtColor(image, _CODES[image.shape[2]], dst=self._planes)
        return self.last()

    def last(self) -> av.VideoFrame:
        """Return the last converted image as a frame, valid until the next call of ``convert``."""
        # PyAV 18 shares the buffer as one whose height is a multiple of 4.
        to_frame = (
            av.VideoFrame.from_ndarray if self.height % 4 else av.VideoFrame.from_numpy_buffer
        )
        return to_frame(self._planes, format=self.FORMAT)

    def _sized(self, image: ImageArray) -> ImageArray:
        """Return an image at the size of the frames."""
        if image.shape[:2] != self._size_hw:
            image = self._fitted(image)
        below, right = self.height - image.shape[0], self.width - image.shape[1]
        if below or right:
            padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
            return np.asarray(padded, np.uint8)
        return image

    def _fitted(self, image: ImageArray) -> ImageArray:
        """Return an image at the size of the first, with black borders."""
        canvas = np.zeros((*self._size_hw, image.shape[2]), np.uint8)
        fit_image(image, canvas)
        return canvas
