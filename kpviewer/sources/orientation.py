"""Orientation and pixel aspect of decoded images, shared by EXIF and display matrices.

The eight orientations have the numbers of EXIF's orientation tag.
"""

import struct
from fractions import Fraction

import numpy as np

from kpviewer.image_files import shown_size
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray

_ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIPS = {2: 1, 4: 0}
_MATRIX_BYTES = 36
_STRAIGHT = {(False, False): 1, (True, False): 2, (True, True): 3, (False, True): 4}
_SWAPPED = {(False, False): 5, (True, False): 6, (True, True): 7, (False, True): 8}
"""Orientations with swapped sides, by whether x and y are mirrored."""
SQUARE = Fraction(1)
_WIDEST = 10
"""Largest plausible pixel aspect; beyond it, the file is wrong."""
_ALMOST_SQUARE = Fraction(1, 500)
"""Deviation from square pixels that comes from rounding in encoders and is ignored."""


def turned(image: ImageArray, orientation: int) -> ImageArray:
    """Return an image upright by its orientation.

    Args:
        image: (H, W, 3) uint8.
        orientation: EXIF orientation, 1 to 8; other values count as 1.

    Returns:
        (H, W, 3) uint8, or (W, H, 3) for orientations 5 to 8; the image itself for 1.
    """
    if orientation in _ROTATIONS:
        return np.asarray(cv2.rotate(image, _ROTATIONS[orientation]), np.uint8)
    if orientation in _FLIPS:
        return np.asarray(cv2.flip(image, _FLIPS[orientation]), np.uint8)
    if orientation in (5, 7):
        swapped = cv2.transpose(image)
        return np.asarray(
            swapped if orientation == 5 else cv2.rotate(swapped, cv2.ROTATE_180), np.uint8
        )
    return image


def orientation_of_matrix(matrix: memoryview) -> int:
    """Return the EXIF orientation of a display matrix.

    Args:
        matrix: nine 32-bit numbers in the byte order of this machine, as from FFmpeg.

    Returns:
        1 to 8; other angles count as the nearest right angle.
    """
    if matrix.nbytes < _MATRIX_BYTES:
        return 1
    # x' = a x + c y and y' = b x + d y, with y downwards.
    a, b, _, c, d, *_ = struct.unpack_from("=9i", matrix)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return _SWAPPED[c < 0, b < 0]
    return _STRAIGHT[a < 0, d < 0]


def plausible_aspect(aspect: Fraction | None) -> Fraction:
    """Return the pixel aspect (width / height); 1 if it is missing or implausible."""
    if not aspect or not Fraction(1, _WIDEST) <= aspect <= _WIDEST:
        return SQUARE
    return SQUARE if abs(aspect - 1) < _ALMOST_SQUARE else aspect


def stretched_width(width: int, aspect: Fraction) -> int:
    """Return the width of an image with square pixels; the height stays."""
    return max(1, round(width * aspect))


def displayed_size(width: int, height: int, aspect: Fraction, orientation: int) -> tuple[int, int]:
    """Return the displayed width and height of a stored frame, px."""
    return shown_size((stretched_width(width, aspect), height), orientation)
