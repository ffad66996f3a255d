"""Outlines of boxes, and sheets of the images that are copied in one call."""

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter, QPixmap

from kpviewer.overlay import OverlayStyle, array_of
from kpviewer.overlay.outlines import Dashes, paint_dashed, paint_outlines
from kpviewer.overlay.sprites import SpriteSheet
from kpviewer.structures import ImageArray

pytestmark = pytest.mark.usefixtures("qapp")

DASHES = Dashes((255, 255, 255), 2, 6, 2, (100, 100, 100), 1)
BOX = np.array([[10.0, 20.0, 110.0, 90.0]])


def dashed(boxes: np.ndarray, bounds: QRectF) -> ImageArray:
    image = QImage(160, 120, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setClipRect(bounds)
    paint_dashed(painter, boxes, DASHES, bounds)
    painter.end()
    return array_of(image)[..., 0]


def test_dashes_begin_at_each_corner_on_a_halo():
    image = dashed(BOX, QRectF(0, 0, 160, 120))
    strokes = image[19, 9:111], image[89, 9:111], image[19:91, 9], image[19:91, 109]
    for stroke in (each[:-2] for each in strokes):  # without the corner of the other side
        pattern = np.tile([255] * 6 + [100] * 2, 13)[: len(stroke)]
        assert stroke.tolist() == pattern.tolist()
    assert image[18, 8:112].tolist() == [100] * 104
    assert image[17].max() == 0
    assert image[22, 20:100].max() == 0


def test_part_of_a_box_looks_as_in_the_whole_view():
    far = np.array([[10.0, 20.0, 1e6, 90.0]])  # a side that no image is as long as
    whole = dashed(far, QRectF(0, 0, 160, 120))
    part = dashed(far, QRectF(36, 0, 47, 60))
    assert (part[:60, 36:83] == whole[:60, 36:83]).all()
    assert whole[:60, 36:83].max() == 255
    part[:60, 36:83] = 0
    assert not part.any()


@pytest.mark.parametrize("ratio", [1.25, 1.5, 2.0])
def test_sides_of_a_box_have_one_width_on_any_screen(ratio):
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    boxes = np.array([[11.0, 12.0, 48.0, 63.0], [17.0, 22.0, 70.0, 71.0]])
    paint_outlines(painter, boxes, np.array([0, 0]), OverlayStyle(), QRectF(0, 0, 160, 160))
    painter.end()
    blue = array_of(image)[..., 0]
    row, column = blue[round(40 * ratio)], blue[:, round(30 * ratio)]
    runs = [
        np.diff(np.flatnonzero(np.diff(line == 233, prepend=False, append=False)))[::2]
        for line in (row, column)  # 233: the blue of class 0
    ]
    assert len({*np.concatenate(runs).tolist()}) == 1
    assert [len(run) for run in runs] == [4, 4]


def shade(kind: tuple[int, int, int]) -> QImage:
    width, height, value = kind
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0xFF000000 | value)
    return image


def test_sheet_has_every_kind_whatever_came_before():
    painted: list[tuple[int, int, int]] = []
    sheet: SpriteSheet[tuple[int, int, int]] = SpriteSheet(
        lambda kind: (painted.append(kind), shade(kind))[1]
    )
    tall = [(900, 1500, value) for value in (1, 2, 3)]  # of which a sheet holds two
    for kinds in ([(3, 4, 50), (5, 2, 60)], [(3, 4, 50), (9, 9, 70)], tall[:2], tall[2:], tall[:1]):
        target = QPixmap(2000, 20)
        target.fill()
        painter = QPainter(target)
        corners = np.array([[1000.0 * row, 0] for row in range(len(kinds))])
        sheet.copy(painter, kinds, np.arange(len(kinds)), corners)
        painter.end()
        pixels = array_of(target.toImage())[..., 0]
        for row, (width, height, value) in enumerate(kinds):
            copied = pixels[:, 1000 * row : 1000 * (row + 1)]
            assert (copied[:height, :width] == value).all()
            assert (copied[height:] == 255).all() and (copied[:, width:] == 255).all()
    assert painted.count((3, 4, 50)) == 1
    assert painted.count(tall[0]) == 2  # it gave way to the third
