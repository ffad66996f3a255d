"""Small marks, each painted once as an image and then copied: discs, and diamonds."""

import math
from typing import TypeAlias

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPolygonF

from kpviewer.overlay.marks import HALO, Stroke, flat_pen, pixel_ratio
from kpviewer.overlay.palette import WHITE
from kpviewer.overlay.sprites import SpriteSheet
from kpviewer.structures import FloatArray, IntArray

_CORE_SHARE = 0.4
"""Diameter of the white core as a share of the dot's."""
_LARGE_PX = 16.0
"""Diameter up to which sizes and positions are rounded to half a pixel of the device; else to a
whole one, to keep fewer images."""
_FAR_PX = 1e6
_MITER = math.sqrt(2)
"""Reach of a diamond's corner beyond its place, in widths of its stroke, with some room."""
_Kind: TypeAlias = tuple[float, float, float, float, float, int]
"""Centre (x, y), diameter, width of the ring, and of a diamond's stroke (0: a disc), px of the
device; colour, 0xRRGGBB."""


def paint_dots(
    painter: QPainter,
    xy: FloatArray,
    diameters: FloatArray,
    colors: IntArray,
    halo_px: float,
    opacities: FloatArray | float = 1.0,
) -> None:
    """Paint discs with dark rings and white cores, the last one on top.

    Args:
        painter: an active painter.
        xy: (N, 2) centres in the painter's pixels.
        diameters: (N,) in the painter's pixels.
        colors: (N,) 0xRRGGBB, those of the discs.
        halo_px: width of the rings.
        opacities: (N,) in [0, 1], or one for all.
    """
    _copy(painter, xy, diameters, colors, (halo_px, 0.0), opacities)


def paint_diamonds(
    painter: QPainter,
    xy: FloatArray,
    diameters: FloatArray,
    stroke: Stroke,
    opacities: FloatArray | float = 1.0,
) -> None:
    """Paint outlines of squares that stand on a corner, the last one on top.

    Args:
        painter: an active painter.
        xy: (N, 2) centres in the painter's pixels.
        diameters: (N,) from corner to corner, in the painter's pixels.
        stroke: their lines.
        opacities: (N,) in [0, 1], or one for all.
    """
    red, green, blue = stroke.color
    colors = np.full(len(xy), red << 16 | green << 8 | blue)
    _copy(painter, xy, diameters, colors, (stroke.halo_px, stroke.width), opacities)


def _copy(
    painter: QPainter,
    xy: FloatArray,
    diameters: FloatArray,
    colors: IntArray,
    edge: tuple[float, float],
    opacities: FloatArray | float,
) -> None:
    """Copy marks; ``edge`` is the width of their halo, and that of the stroke of diamonds."""
    ratio = pixel_ratio(painter)
    halo_px, width = (ratio * each for each in edge)
    sizes = diameters * ratio
    steps = np.where(sizes < _LARGE_PX, 2.0, 1.0)
    sizes = np.rint(sizes * steps) / steps
    reaches = np.ceil(sizes / 2 + halo_px + _MITER * width) + 1
    x, y = (np.rint(np.clip(each, -_FAR_PX, _FAR_PX) * ratio * steps) / steps for each in xy.T)
    left, top = np.floor(x), np.floor(y)
    # Sizes and places are in halves, so that each kind has a number of its own.
    numbers = (8 * sizes + 2 * (x - left) + 4 * (y - top)) * 2**24 + colors
    _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    shapes = np.stack([reaches + x - left, reaches + y - top, sizes])[:, first].T.tolist()
    kinds: list[_Kind] = [
        (*shape, halo_px, width, color)
        for shape, color in zip(shapes, colors[first].tolist(), strict=True)
    ]
    corners = np.column_stack([left - reaches, top - reaches])
    _MARKS.copy(painter, kinds, which, corners, opacities)


def _draw(kind: _Kind) -> QImage:
    """Return the image of a mark."""
    x, y, size, halo_px, width, color = kind
    side = 2 * math.ceil(max(x, y)) + 1
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if width:
        reach = size / 2
        tips = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
        for pen in (flat_pen(HALO, width + 2 * halo_px), flat_pen(QColor(color), width)):
            painter.setPen(pen)
            painter.drawConvexPolygon(QPolygonF([QPointF(*tip) for tip in tips]))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        for brush, diameter in (
            (HALO, size + 2 * halo_px),
            (QColor(color), size),
            (QColor(*WHITE), _CORE_SHARE * size),
        ):
            painter.setBrush(brush)
            painter.drawEllipse(QPointF(x, y), diameter / 2, diameter / 2)
    painter.end()
    return image


_MARKS: SpriteSheet[_Kind] = SpriteSheet(_draw)
