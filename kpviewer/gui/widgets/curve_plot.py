"""Plot of a curve over the unit square, or of two, with a marked point on each."""

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame

from kpviewer.gui.widgets.canvas import color_axes, faint_pen, make_canvas
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.theme import DARK, Theme
from kpviewer.structures import FloatArray

HEIGHT = 136
Curve = tuple[FloatArray, FloatArray]
"""(N,) x and (N,) y in [0, 1]; NaN is a gap."""
_NONE = np.zeros(0, np.float32)
_TICKS = [[(value, f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]]
_MARGIN = 0.02
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
        self._canvas = make_canvas()
        self._canvas.setAccessibleName(title)
        self._lines = (self._canvas.plot(), self._canvas.plot())
        self._points = (pg.ScatterPlotItem(size=9), pg.ScatterPlotItem(size=9))
        self._mark = pg.InfiniteLine(angle=90, movable=False)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        column_of(self._heading, self._canvas, gap=0, grows=self._canvas, into=self)
        self._prepare_canvas(x_name)
        self.set_theme(DARK)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        color_axes(self._canvas, theme)
        first, second = theme.models
        self._lines[0].setPen(pg.mkPen(first, width=1))
        self._lines[1].setPen(pg.mkPen(second, width=1, style=Qt.PenStyle.DashLine))
        self._mark.setPen(faint_pen(theme, Qt.PenStyle.DashLine))
        self._cursor.setPen(faint_pen(theme))
        for color, point in zip(theme.models, self._points, strict=True):
            point.setBrush(pg.mkBrush(color))
            point.setPen(pg.mkPen(theme.text, width=1))

    def show_curves(self, *curves: Curve | None, mark: float | None = None) -> None:
        """Show the curves of one model or two, None is no curve, and a faint line at ``mark``."""
        for line, curve in zip(self._lines, curves, strict=True):
            line.setData(*(curve or (_NONE, _NONE)), connect="finite")
        self._heading.setText(f"{self._title}   A ── B ╌╌" if curves[1] else self._title)
        self._mark.setVisible(mark is not None)
        if mark is not None:
            self._mark.setValue(mark)

    def show_points(self, *points: tuple[float | None, float | None] | None) -> None:
        """Mark a point on each curve; None, or one without a coordinate, hides it."""
        for item, point in zip(self._points, points, strict=True):
            wanted = [] if point is None or None in point else [point]
            if list(zip(*item.getData(), strict=True)) != wanted:
                item.setData(pos=wanted)

    def curve(self, model: int = 0) -> Curve:
        """Return x and y of the curve of the first model (0) or the second (1)."""
        x, y = self._lines[model].getData()
        return (_NONE, _NONE) if x is None or y is None else (x, y)

    def point(self) -> tuple[float, float] | None:
        """Return the marked point, or None."""
        x, y = self._points[0].getData()
        return (float(x[0]), float(y[0])) if len(x) else None

    def leaveEvent(self, event: QEvent | None) -> None:
        """Emit that nothing is hovered."""
        super().leaveEvent(event)
        self._cursor.hide()
        self.hovered.emit(None)

    def _prepare_canvas(self, x_name: str) -> None:
        canvas = self._canvas
        canvas.getPlotItem().layout.setContentsMargins(0, 4, 4, 0)
        canvas.setXRange(-_MARGIN, 1 + _MARGIN, padding=0)
        canvas.setYRange(-_MARGIN, 1 + 2 * _MARGIN, padding=0)
        for item in (self._mark, self._cursor, *reversed(self._points)):
            canvas.addItem(item, ignoreBounds=True)
        self._mark.hide()
        self._cursor.hide()
        for name in ("left", "bottom"):
            canvas.getAxis(name).setTicks(_TICKS)
        canvas.getAxis("left").setWidth(30)
        canvas.getAxis("bottom").setHeight(18)
        canvas.setToolTip(x_name)
        canvas.scene().sigMouseMoved.connect(self._on_mouse_moved)

    def _on_mouse_moved(self, position: object) -> None:
        x = float(self._canvas.getPlotItem().vb.mapSceneToView(position).x())
        inside = 0 <= x <= 1 and self._lines[0].getData()[0] is not None
        self._cursor.setVisible(inside)
        self._cursor.setValue(x)
        self.hovered.emit(x if inside else None)
