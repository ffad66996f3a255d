"""Painting of the timeline: the lanes, which are kept as an image, and what moves above them."""

from collections.abc import Sequence
from typing import NamedTuple

from PyQt6.QtCore import QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPalette, QPolygonF
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.axis import Axis
from kpviewer.gui.views.timeline.lane_image import (
    GAP_PX,
    LANE_PX,
    LANES_PX,
    LaneColors,
    LaneColumns,
    lane_image,
)
from kpviewer.gui.views.timeline.lane_values import ScannedLanes

TOP_PX, SIGNS_PX = 2, 8
"""Heights above the lanes, and below them for marks and worst frames."""
HEIGHT_PX = TOP_PX + LANES_PX + SIGNS_PX
LABEL_PX = 11
"""Size of the lanes' labels."""
_HEAD_PX, _BRACKET_PX, _HINT_PX = 2, 5, 8
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_DIAMOND = ((0.0, 0.0), (3.5, 3.5), (0.0, 7.0), (-3.5, 3.5))
_TRIANGLE = ((0.0, 0.0), (4.0, 7.0), (-4.0, 7.0))


class LaneWords(NamedTuple):
    """Texts of the three lanes."""

    labels: tuple[str, str, str]
    """Labels left of the lanes."""
    hints: tuple[str, str, str]
    """Texts in lanes that are empty, how they are filled."""


def words_of(values: ScannedLanes | None, *, lacks_model: bool = False) -> LaneWords:
    """Return the texts of the lanes.

    ``values`` is None if nothing was scanned.
    """
    differs = values is not None and values.is_difference
    labels = tr("found"), tr("score"), tr("A–B") if differs else tr("error")
    nothing = tr("needs a model") if lacks_model else tr("scan or play to fill")
    return LaneWords(labels, values.hints if values is not None else (nothing, "", ""))


def lanes_image(
    widget: QWidget,
    axis: Axis,
    values: ScannedLanes | None,
    colors: LaneColors,
    labels: Sequence[str],
) -> QImage:
    """Paint everything below the play head that stays while it plays, in the size of a widget."""
    ratio = widget.devicePixelRatioF()
    image = QImage(widget.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    width = max(round(axis.width_px * ratio), 1)
    columns = LaneColumns.empty(width) if values is None else values.columns(axis.edges(width))
    painter = QPainter(image)
    painter.drawImage(QPointF(axis.left_px, TOP_PX), lane_image(columns, colors, ratio))
    _use_text(painter, widget)
    for number, label in enumerate(labels):
        painter.drawText(_lane(number, 0, axis.left_px), _MIDDLE, label)
    if axis.is_zoomed:
        ground = QColor.fromRgb(colors.ground)
        _paint_part(painter, axis, ground, _grey(widget.palette()))
    painter.end()
    return image


def paint_hints(
    painter: QPainter, widget: QWidget, axis: Axis, hints: Sequence[str], colors: LaneColors
) -> None:
    """Draw the texts in empty lanes, each on a plate: the play head would cross it out."""
    _use_text(painter, widget)
    for number, hint in enumerate(hints):
        if hint:
            room = _lane(number, axis.left_px + _HINT_PX, axis.width_px - _HINT_PX)
            plate = painter.boundingRect(room, _MIDDLE, hint).adjusted(-6, 0, 6, 0)
            painter.fillRect(plate, QColor.fromRgb(colors.ground))
            painter.drawText(room, _MIDDLE, hint)


def _use_text(painter: QPainter, widget: QWidget) -> None:
    font = QFont(widget.font())
    font.setPixelSize(LABEL_PX)
    painter.setFont(font)
    painter.setPen(_grey(widget.palette()))


def _lane(number: int, left_px: float, width_px: float) -> QRect:
    top = TOP_PX + number * (LANE_PX + GAP_PX)
    return QRect(round(left_px), top, round(width_px), LANE_PX)


def _paint_part(painter: QPainter, axis: Axis, ground: QColor, color: QColor) -> None:
    """Draw which part of the source is in sight, as a line above the lanes."""
    start = axis.first / axis.count * axis.width_px
    length = max(axis.length / axis.count * axis.width_px, 4.0)
    painter.fillRect(QRectF(axis.left_px, 0, axis.width_px, 1), ground)
    painter.fillRect(QRectF(axis.left_px + start, 0, length, 1), color)


def paint_ab(painter: QPainter, xs: Sequence[float], palette: QPalette) -> None:
    """Draw a bracket at each end of the A-B loop, and a veil between two."""
    color = palette.color(QPalette.ColorRole.WindowText)
    if len(xs) == 2:
        veil = QColor(color)
        veil.setAlphaF(0.14)
        painter.fillRect(QRectF(xs[0], TOP_PX, xs[1] - xs[0], LANES_PX), veil)
    for number, x in enumerate(xs):
        painter.fillRect(QRectF(x - 1, TOP_PX, 2, LANES_PX), color)
        left = x if number == 0 else x - _BRACKET_PX
        for y in (TOP_PX, TOP_PX + LANES_PX - 2):
            painter.fillRect(QRectF(left, y, _BRACKET_PX, 2), color)


def paint_signs(
    painter: QPainter, axis: Axis, marks: Sequence[int], worst: Sequence[int], palette: QPalette
) -> None:
    """Draw a triangle below each mark in sight, and a diamond below each worst frame."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    top, right = TOP_PX + LANES_PX + 0.5, axis.left_px + axis.width_px
    text = palette.color(QPalette.ColorRole.WindowText)
    for frames, shape, color in ((worst, _DIAMOND, _grey(palette)), (marks, _TRIANGLE, text)):
        painter.setBrush(color)
        for x in (axis.x_of(index) for index in frames):
            if axis.left_px <= x <= right:
                painter.drawPolygon(QPolygonF([QPointF(x + dx, top + dy) for dx, dy in shape]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


def paint_head(painter: QPainter, x: float, palette: QPalette) -> None:
    """Draw the play head."""
    left = round(x) - _HEAD_PX // 2
    accent = palette.color(QPalette.ColorRole.Highlight)
    edge = palette.color(QPalette.ColorRole.Window)
    edge.setAlphaF(0.6)
    painter.fillRect(left - 1, TOP_PX, _HEAD_PX + 2, LANES_PX, edge)
    painter.fillRect(left, 0, _HEAD_PX, TOP_PX + LANES_PX, accent)
    painter.fillRect(left - 2, 0, _HEAD_PX + 4, 3, accent)


def _grey(palette: QPalette) -> QColor:
    return palette.color(QPalette.ColorRole.PlaceholderText)
