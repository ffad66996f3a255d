"""Plot of a curve over the unit square, or of two, with a marked point on each."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFrame

from kpviewer.gui.widgets.canvas import make_canvas
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.theme import DARK, Theme
from kpviewer.structures import FloatArray

HEIGHT = 136
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
        self._line = self._canvas.plot()
        self._second_line = self._canvas.plot()
        self._point, self._second_point = (pg.ScatterPlotItem(size=9) for _ in range(2))
        self._mark = pg.InfiniteLine(angle=90, movable=False)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        column_of(self._heading, self._canvas, gap=0, grows=self._canvas, into=self)
        self._prepare_canvas(x_name)
        self.set_theme(DARK)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        faint = QColor(theme.faint)
        faint.setAlpha(140)
        for name in ("left", "bottom"):
            axis = self._canvas.getAxis(name)
            axis.setPen(pg.mkPen(theme.border))
            axis.setTextPen(pg.mkPen(theme.secondary))
        self._line.setPen(pg.mkPen(theme.series[0], width=1))
        dash = Qt.PenStyle.DashLine
        self._second_line.setPen(pg.mkPen(theme.series[1], width=1, style=dash))
        self._mark.setPen(pg.mkPen(faint, width=1, style=Qt.PenStyle.DashLine))
        self._cursor.setPen(pg.mkPen(faint, width=1))
        for row, point in enumerate((self._point, self._second_point)):
            point.setBrush(pg.mkBrush(theme.series[row]))
            point.setPen(pg.mkPen(theme.text, width=1))

    def show_curve(self, x: FloatArray, y: FloatArray, mark: float | None = None) -> None:
        """Show (N,) values in [0, 1], NaN is a gap, and a faint line at ``mark``."""
        self._line.setData(x, y, connect="finite")
        self._mark.setVisible(mark is not None)
        if mark is not None:
            self._mark.setValue(mark)

    def show_second(self, x: FloatArray, y: FloatArray) -> None:
        """Show the (N,) values of a second model; none hide it."""
        self._second_line.setData(x, y, connect="finite")
        self._heading.setText(f"{self._title}   A ── B ╌╌" if len(x) else self._title)

    def show_point(self, x: float | None, y: float | None) -> None:
        """Mark a point; None hides it."""
        _mark(self._point, x, y)

    def show_second_point(self, x: float | None, y: float | None) -> None:
        """Mark a point on the second curve; None hides it."""
        _mark(self._second_point, x, y)

    def curve(self) -> tuple[FloatArray, FloatArray]:
        """Return x and y of the curve, (N,) each."""
        return _data(self._line)

    def second_curve(self) -> tuple[FloatArray, FloatArray]:
        """Return x and y of the second curve, (N,) each."""
        return _data(self._second_line)

    def point(self) -> tuple[float, float] | None:
        """Return the marked point, or None."""
        x, y = self._point.getData()
        return (float(x[0]), float(y[0])) if len(x) else None

    def leaveEvent(self, event: QEvent | None) -> None:
        """Emit that nothing is hovered."""
        super().leaveEvent(event)
        self._cursor.hide()
        self.hovered.emit(None)

    def _prepare_canvas(self, x_name: str) -> None:
        canvas = self._canvas
        canvas.hideButtons()
        canvas.getPlotItem().layout.setContentsMargins(0, 4, 4, 0)
        canvas.setMouseEnabled(x=False, y=False)
        canvas.setXRange(-_MARGIN, 1 + _MARGIN, padding=0)
        canvas.setYRange(-_MARGIN, 1 + 2 * _MARGIN, padding=0)
        canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for item in (self._mark, self._cursor, self._second_point, self._point):
            canvas.addItem(item, ignoreBounds=True)
        self._mark.hide()
        self._cursor.hide()
        font = self.font()
        font.setPixelSize(10)
        for name in ("left", "bottom"):
            axis = canvas.getAxis(name)
            axis.setStyle(tickLength=-3, tickTextOffset=4)
            axis.setTickFont(font)
            axis.setTicks(_TICKS)
        canvas.getAxis("left").setWidth(30)
        canvas.getAxis("bottom").setHeight(18)
        canvas.setToolTip(x_name)
        canvas.scene().sigMouseMoved.connect(self._on_mouse_moved)

    def _on_mouse_moved(self, position: object) -> None:
        x = float(self._canvas.getPlotItem().vb.mapSceneToView(position).x())
        inside = 0 <= x <= 1 and self._line.getData()[0] is not None
        self._cursor.setVisible(inside)
        self._cursor.setValue(x)
        self.hovered.emit(x if inside else None)


def _mark(item: pg.ScatterPlotItem, x: float | None, y: float | None) -> None:
    wanted = [] if x is None or y is None else [(x, y)]
    if list(zip(*item.getData(), strict=True)) != wanted:
        item.setData(pos=wanted)


def _data(line: pg.PlotDataItem) -> tuple[FloatArray, FloatArray]:
    x, y = line.getData()
    empty = np.zeros(0, np.float32)
    return (empty, empty) if x is None or y is None else (x, y)
