"""Resizing pictures on the host, with OpenCV. On a GPU the engine resizes there instead."""

from __future__ import annotations

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray


def resized(bgr: ImageArray, size_hw: tuple[int, int]) -> ImageArray:
    """Resize a picture: by area averages where it shrinks, so that nothing thin gets lost.

    Args:
        bgr: (H, W, 3) uint8.
        size_hw: wanted height and width, px.

    Returns:
        (height, width, 3) uint8; ``bgr`` itself where it has that size.
    """
    if bgr.shape[:2] == size_hw:
        return bgr
    shrinks = size_hw[0] <= bgr.shape[0] and size_hw[1] <= bgr.shape[1]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(bgr, size_hw[::-1], interpolation=kind), np.uint8)
