"""Chart: curves and areas over two axes, painted from arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.widgets.theme import DARK, Theme
from kpviewer.overlay.kept_values import KeptValues
from kpviewer.structures import BoolArray, FloatArray

_FONT_PX, _TICK_PX, _TEXT_GAP_PX = 10, 3, 4
_LEAST_STEP_PX = 20
"""Smallest distance of two numbers beside an axis, in px."""
_POINT_PX = 4.5
_GUIDE_ALPHA = 140
_points = KeptValues(QPointF)

Ticks = tuple[tuple[float, str], ...]
"""Values of an axis, each with its text."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values to draw."""

    x: FloatArray
    """(N,), ascending."""
    y: FloatArray
    """(N,); NaN is a gap."""
    color: str
    is_area: bool = False
    """Whether all below the curve is filled."""
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """Faint line across a chart."""

    value: float
    is_upright: bool = True
    """Whether it stands at a value of x; else it lies at a value of y."""
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """Marked point."""

    x: float
    y: float
    color: str


class Chart(QWidget):
    """Paints curves in their order, and reports where the pointer is.

    Args:
        x_range: values at the left and at the right end.
        margins: room beside the curves for the axes, px: left, top, right, bottom.
    """

    hovered = pyqtSignal(object)
    """Emitted with the x value under the pointer, or None."""

    def __init__(self, x_range: tuple[float, float], margins: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._margins = margins
        self.theme: Theme = DARK
        self.x_range, self.y_range = x_range, (0.0, 1.0)
        self.x_ticks: Ticks = ()
        self.y_ticks: Ticks | None = None
        """None: as many round numbers as there is room for."""
        self.curves: tuple[Curve, ...] = ()
        """Curves to draw; call ``update`` after changes here and below."""
        self.guides: tuple[Guide, ...] = ()
        self.points: tuple[Point, ...] = ()
        self.hovered_x: float | None = None
        """Value of x under the pointer; None while it is elsewhere."""

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow the pointer with a line."""
        if event is not None:
            area, (first, last) = self._area(), self.x_range
            x = first + (event.position().x() - area.left()) / area.width() * (last - first)
            self._hover(x if first <= x <= last else None)

    def leaveEvent(self, event: QEvent | None) -> None:
        """Hide the line."""
        super().leaveEvent(event)
        self._hover(None)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the axes, then all that is within them."""
        painter, area = QPainter(self), self._area()
        self._paint_axes(painter, area)
        painter.setClipRect(area.adjusted(0, -_POINT_PX, _POINT_PX, 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for curve in self.curves:
            self._paint_curve(painter, area, curve)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        cursor = () if self.hovered_x is None else (Guide(self.hovered_x),)
        faint = QColor(self.theme.faint)
        faint.setAlpha(_GUIDE_ALPHA)
        for guide in (*self.guides, *cursor):
            style = Qt.PenStyle.DashLine if guide.is_dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(faint, 1, style))
            if guide.is_upright:
                x = self._x(area, guide.value)
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            else:
                y = self._y(area, guide.value)
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.theme.text), 1))
        for point in self.points:
            painter.setBrush(QColor(point.color))
            at = QPointF(self._x(area, point.x), self._y(area, point.y))
            painter.drawEllipse(at, _POINT_PX, _POINT_PX)

    def _area(self) -> QRectF:
        """Return the place of the curves."""
        left, top, right, bottom = self._margins
        return QRectF(self.rect()).adjusted(left, top, -right, -bottom)

    def _x(self, area: QRectF, value: float) -> float:
        first, last = self.x_range
        return area.left() + (value - first) / (last - first) * area.width()

    def _y(self, area: QRectF, value: float) -> float:
        first, last = self.y_range
        return area.bottom() - (value - first) / (last - first) * area.height()

    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        font = self.font()
        font.setPixelSize(_FONT_PX)
        painter.setFont(font)
        line, text = QPen(QColor(self.theme.border), 1), QPen(QColor(self.theme.secondary))
        painter.setPen(line)
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        away = _TICK_PX + _TEXT_GAP_PX
        center = Qt.AlignmentFlag.AlignCenter
        for value, name in self.x_ticks:
            x = self._x(area, value)
            painter.setPen(line)
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + _TICK_PX))
            painter.setPen(text)
            painter.drawText(QRectF(x - 40, area.bottom() + away, 80, _FONT_PX), center, name)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, name in self._y_ticks(area):
            y = self._y(area, value)
            painter.setPen(line)
            painter.drawLine(QPointF(area.left() - _TICK_PX, y), QPointF(area.left(), y))
            painter.setPen(text)
            painter.drawText(QRectF(0, y - 10, area.left() - away, 20), right, name)

    def _y_ticks(self, area: QRectF) -> Ticks:
        if self.y_ticks is not None:
            return self.y_ticks
        first, last = self.y_range
        step = round_step((last - first) * _LEAST_STEP_PX / max(area.height(), 1.0))
        numbers = range(math.ceil(first / step), math.floor(last / step + 1e-9) + 1)
        return tuple((number * step, f"{number * step:g}") for number in numbers)

    def _paint_curve(self, painter: QPainter, area: QRectF, curve: Curve) -> None:
        color = QColor(curve.color)
        style = Qt.PenStyle.DashLine if curve.is_dashed else Qt.PenStyle.SolidLine
        painter.setPen(Qt.PenStyle.NoPen if curve.is_area else QPen(color, 1, style))
        painter.setBrush(color if curve.is_area else Qt.BrushStyle.NoBrush)
        left, top = self._x(area, 0.0), self._y(area, 0.0)
        scale_x, scale_y = self._x(area, 1.0) - left, self._y(area, 1.0) - top
        xy = np.stack([left + scale_x * curve.x, top + scale_y * curve.y], 1)
        for run in runs(np.isfinite(xy.sum(1))):
            part = xy[run]
            if curve.is_area:
                part = np.concatenate([[[part[0, 0], top]], part, [[part[-1, 0], top]]])
                painter.drawPolygon(QPolygonF(_points.of(part)))
            else:
                painter.drawPolyline(QPolygonF(_points.of(part)))

    def _hover(self, x: float | None) -> None:
        if x != self.hovered_x:
            self.hovered_x = x
            self.update()
            self.hovered.emit(x)


def round_step(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is at least a positive number."""
    decade = 10.0 ** math.floor(math.log10(least))
    return decade * next(each for each in (1, 2, 5, 10) if each * decade >= least * (1 - 1e-9))


def runs(mask: BoolArray) -> list[slice]:
    """Return the slices of consecutive True values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [slice(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
