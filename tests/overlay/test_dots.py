"""Round marks, copied from small images."""

import numpy as np
import pytest
from PyQt6.QtGui import QImage, QPainter

from kpviewer.overlay import array_of
from kpviewer.overlay.dots import paint_dots


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
@pytest.mark.parametrize(("x", "y", "diameter"), [(20.1, 30.7, 5.3), (9.6, 12.0, 9), (41, 40, 30)])
def test_dot_has_its_place_and_size_within_half_a_pixel(x, y, diameter, ratio):
    image = QImage(round(80 * ratio), round(80 * ratio), QImage.Format.Format_BGR888)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    paint_dots(painter, np.array([[x, y]]), np.array([diameter]), np.array([0xFFFFFF]), 1.0)
    painter.end()
    covered = array_of(image)[..., 0] / 255.0
    rows, columns = np.indices(covered.shape) + 0.5
    assert np.average(columns, weights=covered) == pytest.approx(x * ratio, abs=0.5)
    assert np.average(rows, weights=covered) == pytest.approx(y * ratio, abs=0.5)
    measured = 2 * np.sqrt(covered.sum() / np.pi)
    assert measured == pytest.approx(diameter * ratio, abs=0.5)
