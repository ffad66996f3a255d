"""Plot of a curve over the unit square, or of two, with a marked point on each."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame

from kpviewer.gui.widgets.chart import Chart, Curve, Guide, Point
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.theme import DARK, Theme
from kpviewer.structures import FloatArray

HEIGHT = 136
Line = tuple[FloatArray, FloatArray]
"""(N,) x and (N,) y in [0, 1]; NaN is a gap."""
_NONE = np.zeros(0, np.float32)
_TICKS = tuple((value, f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1))
_MARGINS = (30, 4, 4, 18)
_AWAY = 0.02
"""Margin as a share of the square: points on its edge are fully visible."""


class CurvePlot(QFrame):
    """Plot with a curve or two, a point on each, and a faint vertical line; it reports hovering.

    The second curve is that of another model: dashed, in another colour.
    """

    hovered = pyqtSignal(object)
    """Emitted with the x value under the pointer, or None."""

    def __init__(self, title: str, x_name: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setFixedHeight(HEIGHT)
        self._title = title
        self._heading = Label(title, "small")
        self._lines: tuple[Line | None, ...] = ()
        self._points: tuple[tuple[float, float] | None, ...] = ()
        chart = self.chart = Chart((-_AWAY, 1 + _AWAY), _MARGINS)
        """The curves below the title."""
        chart.setAccessibleName(title)
        chart.setToolTip(x_name)
        chart.x_ticks = chart.y_ticks = _TICKS
        chart.y_range = (-_AWAY, 1 + 2 * _AWAY)
        chart.hovered.connect(self._on_chart_hovered)
        column_of(self._heading, chart, gap=0, grows=chart, into=self)
        self.set_theme(DARK)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self.chart.theme = theme
        self._draw()

    def show_curves(self, *lines: Line | None, mark: float | None = None) -> None:
        """Show the curves of one model or two, None is no curve, and a faint line at ``mark``."""
        self._lines = lines
        self._heading.setText(f"{self._title}   A ── B ╌╌" if lines[1] else self._title)
        self.chart.guides = () if mark is None else (Guide(mark, is_dashed=True),)
        self._draw()

    def show_points(self, *points: tuple[float | None, float | None] | None) -> None:
        """Mark a point on each curve; None, or one without a coordinate, hides it."""
        self._points = tuple(
            None if point is None or point[0] is None or point[1] is None else (point[0], point[1])
            for point in points
        )
        self._draw()

    def curve(self, model: int = 0) -> Line:
        """Return x and y of the curve of the first model (0) or the second (1)."""
        return (self._lines[model] if self._lines else None) or (_NONE, _NONE)

    def point(self) -> tuple[float, float] | None:
        """Return the marked point, or None."""
        return self._points[0] if self._points else None

    def _draw(self) -> None:
        colors = self.chart.theme.series
        self.chart.curves = tuple(
            Curve(*line, colors[row], is_dashed=row > 0)
            for row, line in enumerate(self._lines)
            if line is not None
        )
        self.chart.points = tuple(
            Point(*point, colors[row])
            for row, point in enumerate(self._points)
            if point is not None
        )[::-1]
        self.chart.update()

    def _on_chart_hovered(self, x: float | None) -> None:
        is_known = x is not None and 0 <= x <= 1 and self.curve()[0].size
        self.hovered.emit(x if is_known else None)
