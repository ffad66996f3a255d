"""Round marks, each painted once as a small image and then copied, in a third of the time."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from kpviewer.overlay.marks import HALO, pixel_ratio
from kpviewer.overlay.palette import WHITE, Rgb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kpviewer.structures import FloatArray

_CORE, _CORE_SHARE = QColor(*WHITE), 0.4
"""Colour of the core, and its diameter as a share of the dot's."""
_LARGE_PX = 16.0
"""Diameter up to which sizes and positions are rounded to half a pixel of the device; else to a
whole one, to keep fewer images."""
_FAR_PX = 1e6


def paint_dots(
    painter: QPainter, xy: FloatArray, diameters: FloatArray, colors: Sequence[Rgb], halo_px: float
) -> None:
    """Paint the dark rings of all dots, then their discs, with white cores.

    Args:
        painter: an active painter.
        xy: (N, 2) centres in the painter's pixels.
        diameters: (N,) in the painter's pixels.
        colors: of the N discs.
        halo_px: width of the rings.
    """
    ratio = pixel_ratio(painter)
    at, sizes, halo_px = np.clip(xy, -_FAR_PX, _FAR_PX) * ratio, diameters * ratio, halo_px * ratio
    steps = np.where(sizes < _LARGE_PX, 2.0, 1.0)
    sizes = np.rint(sizes * steps) / steps
    at = np.rint(at * steps[:, None]) / steps[:, None]
    whole = np.floor(at)
    reaches = np.ceil(sizes / 2 + halo_px) + 1
    corners = [QPointF(x, y) for x, y in ((whole - reaches[:, None]) / ratio).tolist()]
    shapes = np.column_stack((reaches[:, None] + at - whole, sizes)).tolist()
    for corner, shape in zip(corners, shapes, strict=True):
        painter.drawImage(corner, _ring(*shape, halo_px, ratio))
    for corner, shape, color in zip(corners, shapes, colors, strict=True):
        painter.drawImage(corner, _disc(*shape, color, ratio))


@lru_cache(maxsize=1024)
def _ring(x: float, y: float, size: float, halo_px: float, ratio: float) -> QImage:
    """Return the image of a ring; lengths are in pixels of the device, without its ratio."""
    return _image(x, y, ((HALO, size + 2 * halo_px),), ratio)


@lru_cache(maxsize=4096)
def _disc(x: float, y: float, size: float, color: Rgb, ratio: float) -> QImage:
    """Return the image of a disc with its core, as ``_ring``."""
    return _image(x, y, ((QColor(*color), size), (_CORE, _CORE_SHARE * size)), ratio)


def _image(x: float, y: float, layers: Iterable[tuple[QColor, float]], ratio: float) -> QImage:
    """Return an image of circles around a point, of these colours and diameters."""
    side = 2 * math.ceil(max(x, y)) + 1
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for color, diameter in layers:
        painter.setBrush(color)
        painter.drawEllipse(QPointF(x, y), diameter / 2, diameter / 2)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image
