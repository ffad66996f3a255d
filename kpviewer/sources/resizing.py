"""Resizing of images on the host. A GPU computes the same (``runtime.cuda.resampling``)."""

import numpy as np
from PIL import Image

from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray


def resized(bgr: ImageArray, size_hw: tuple[int, int]) -> ImageArray:
    """Resize an image, with area averages if it shrinks, so that thin structures remain.

    The image is halved while possible, and then interpolated: averages over areas that don't align
    with pixels take ten times as long.

    Returns:
        (height, width, 3) uint8; ``bgr`` itself if it has that size.
    """
    for (height, width), kind in smooth_steps((bgr.shape[0], bgr.shape[1]), size_hw):
        bgr = np.asarray(cv2.resize(bgr, (width, height), interpolation=kind), np.uint8)
    return bgr


def smooth_steps(
    from_hw: tuple[int, int], size_hw: tuple[int, int]
) -> list[tuple[tuple[int, int], int]]:
    """Return the steps of ``resized``: the size after each, and OpenCV's interpolation."""
    (height, width), steps = from_hw, []
    while _is_twice(height, size_hw[0]) and _is_twice(width, size_hw[1]):
        height, width = height // 2, width // 2
        steps.append(((height, width), cv2.INTER_AREA))
    if (height, width) != size_hw:
        would_skip_pixels = height > 2 * size_hw[0] or width > 2 * size_hw[1]
        steps.append((size_hw, cv2.INTER_AREA if would_skip_pixels else cv2.INTER_LINEAR))
    return steps


def resized_linearly(bgr: ImageArray, size_hw: tuple[int, int]) -> ImageArray:
    """Resize an image by bilinear interpolation of the four nearest pixels.

    Returns:
        (height, width, 3) uint8; ``bgr`` itself if it has that size.
    """
    if bgr.shape[:2] == size_hw:
        return bgr
    height, width = size_hw
    return np.asarray(cv2.resize(bgr, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def resized_in_float(bgr: ImageArray, size_hw: tuple[int, int]) -> FloatArray:
    """Resize an image as ``resized_linearly``, without rounding: (height, width, 3) float32."""
    height, width = size_hw
    values = bgr.astype(np.float32)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))


def resized_antialiased(bgr: ImageArray, size_hw: tuple[int, int]) -> ImageArray:
    """Resize an image as Pillow's bilinear filter, which widens where the image shrinks."""
    height, width = size_hw
    return np.asarray(Image.fromarray(bgr).resize((width, height), Image.Resampling.BILINEAR))


def _is_twice(side: int, target: int) -> bool:
    """Return whether a side can be halved without falling below the target."""
    return side % 2 == 0 and side >= 2 * target
