"""Badges of true positives, false negatives and false positives.

They differ in shape: a tick, a ring, a cross, in white, grey and black, which are no class colours.
"""

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from kpviewer.overlay.marks import pixel_ratio
from kpviewer.overlay.palette import BLACK, WHITE, Rgb, text_color
from kpviewer.overlay.sprites import SpriteSheet
from kpviewer.overlay.words import tr_noop
from kpviewer.structures import FloatArray

RADIUS_PX, _STROKE_PX, HALO_PX = 8.0, 2.0, 1.0
_DARK_HALO, _LIGHT_HALO = QColor(0, 0, 0, 150), QColor(255, 255, 255, 200)


class Verdict(Enum):
    """Result of matching a box with the ground truth, as the legend names it."""

    MATCHED = tr_noop("matched")
    MISSED = tr_noop("missed")
    FALSE_ALARM = tr_noop("false alarm")


COLORS: dict[Verdict, Rgb] = {
    Verdict.MATCHED: (96, 100, 104),
    Verdict.MISSED: WHITE,
    Verdict.FALSE_ALARM: (12, 14, 16),
}
"""Plates of the signs; what is right is the least striking."""


def paint_badges(
    painter: QPainter, centers: FloatArray, kinds: NDArray[np.object_], scale: float
) -> None:
    """Paint discs with the verdicts' signs, their (N, 2) centres on whole pixels of the device."""
    ratio = pixel_ratio(painter)
    which = np.zeros(len(kinds), np.int64)
    for row, verdict in enumerate(Verdict):
        which[kinds == verdict] = row
    corners = np.rint(centers * ratio) - _reach_px(scale, ratio)
    _BADGES.copy(painter, [(verdict, scale, ratio) for verdict in Verdict], which, corners)


def _reach_px(scale: float, ratio: float) -> int:
    """Return half of the side of a badge's image, px of the device."""
    return math.ceil((RADIUS_PX + 2 * HALO_PX) * scale * ratio)


def _badge(kind: tuple[Verdict, float, float]) -> QImage:
    """Return a badge at a scale, for a device's pixel ratio."""
    verdict, scale, ratio = kind
    radius, half = RADIUS_PX * scale, _reach_px(scale, ratio)
    image = QImage(2 * half, 2 * half, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(half, half)
    painter.scale(ratio, ratio)
    color = COLORS[verdict]
    painter.setPen(QPen(_halo(color), 2 * HALO_PX * scale))
    painter.setBrush(QColor(*color))
    painter.drawEllipse(QPointF(), radius, radius)
    sign = QPen(QColor(*text_color(color)), _STROKE_PX * scale)
    sign.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(sign)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    arm = 0.42 * radius
    if verdict is Verdict.MISSED:
        painter.drawEllipse(QPointF(), arm * 1.1, arm * 1.1)
    elif verdict is Verdict.FALSE_ALARM:
        painter.drawLine(QPointF(-arm, -arm), QPointF(arm, arm))
        painter.drawLine(QPointF(-arm, arm), QPointF(arm, -arm))
    else:
        corners = (QPointF(-1.1, 0.0), QPointF(-0.2, 0.9), QPointF(1.1, -0.8))
        painter.drawPolyline(QPolygonF([corner * arm for corner in corners]))
    painter.end()
    return image


_BADGES = SpriteSheet(_badge)


def _halo(color: Rgb) -> QColor:
    """Return the colour around a plate or a dashed line: dark around white, else white."""
    return _DARK_HALO if text_color(color) == BLACK else _LIGHT_HALO
