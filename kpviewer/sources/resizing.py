"""Resizing pictures on the host, with OpenCV. The engine resizes on its device instead."""

from __future__ import annotations

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray


def resized(bgr: ImageArray, size_hw: tuple[int, int]) -> ImageArray:
    """Resize a picture by bilinear interpolation.

    Args:
        bgr: (H, W, 3) uint8.
        size_hw: wanted height and width, px.

    Returns:
        (height, width, 3) uint8; ``bgr`` itself where it has that size.
    """
    if bgr.shape[:2] == size_hw:
        return bgr
    return np.asarray(cv2.resize(bgr, size_hw[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
