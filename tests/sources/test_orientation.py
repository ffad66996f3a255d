"""Eight orientations, by EXIF and by display matrix, and pixels that aren't square."""

import struct
from fractions import Fraction

import numpy as np
import pytest

from kpviewer.image_files import shown_size
from kpviewer.sources.orientation import (
    displayed_size,
    orientation_of_matrix,
    plausible_aspect,
    turned,
)

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
EXPECTED = {
    1: IMAGE,
    2: IMAGE[:, ::-1],
    3: IMAGE[::-1, ::-1],
    4: IMAGE[::-1],
    5: IMAGE.swapaxes(0, 1),
    6: np.rot90(IMAGE, -1),
    7: IMAGE[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90(IMAGE),
}
MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""a, b, c, d of x' = a x + c y, y' = b x + d y."""


def matrix(a: float, b: float, c: float, d: float) -> memoryview:
    scaled = [round(value * 65536) for value in (a, b, 0, c, d, 0, 0, 0, 16384)]
    return memoryview(struct.pack("=9i", *scaled))


@pytest.mark.parametrize("orientation", EXPECTED)
def test_an_image_is_turned_by_its_orientation(orientation):
    shown = turned(IMAGE, orientation)
    assert np.array_equal(shown, EXPECTED[orientation])
    assert shown.shape[1::-1] == shown_size((6, 4), orientation)


@pytest.mark.parametrize("orientation", MATRICES)
def test_a_display_matrix_moves_each_corner_where_the_orientation_puts_it(orientation):
    a, b, c, d = MATRICES[orientation]
    assert orientation_of_matrix(matrix(a, b, c, d)) == orientation
    # The stored middle right goes to (a, b): the same corner must be bright in the turned image.
    stored = np.zeros((9, 9, 3), np.uint8)
    stored[4, 8] = 255
    y, x = np.argwhere(turned(stored, orientation)[..., 0])[0] - 4
    assert (x // 4, y // 4) == (a, b)


@pytest.mark.parametrize(
    ("values", "orientation"),
    [((4 / 3, 0, 0, 1), 1), ((0, 2, -1, 0), 6), ((0.9, 0.3, -0.3, 0.9), 1), ((0, 0, 0, 0), 1)],
    ids=["scaled", "scaled and turned", "askew", "empty"],
)
def test_a_matrix_that_does_more_counts_as_the_nearest(values, orientation):
    assert orientation_of_matrix(matrix(*values)) == orientation
    assert orientation_of_matrix(memoryview(b"short")) == 1


@pytest.mark.parametrize(
    ("size", "aspect", "orientation", "shown"),
    [
        ((720, 576), Fraction(16, 15), 1, (768, 576)),
        ((720, 576), Fraction(64, 45), 1, (1024, 576)),
        ((720, 480), Fraction(8, 9), 1, (640, 480)),
        ((1440, 1080), Fraction(4, 3), 1, (1920, 1080)),
        ((240, 240), Fraction(4, 3), 6, (240, 320)),
        ((640, 480), Fraction(1281, 1280), 1, (640, 480)),
        ((640, 480), Fraction(1, 1000), 1, (640, 480)),
        ((640, 480), Fraction(0), 1, (640, 480)),
        ((640, 480), None, 8, (480, 640)),
    ],
)
def test_pixels_become_square_by_the_width(size, aspect, orientation, shown):
    assert displayed_size(*size, plausible_aspect(aspect), orientation) == shown
