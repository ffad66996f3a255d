"""Plot of the last 10 s: thin lines or stacked areas, with a legend that shows the values.

``useOpenGL`` and antialiasing stay off: both make pyqtgraph many times slower.
"""

from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFrame, QSizePolicy

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.canvas import color_axes, faint_pen, make_canvas
from kpviewer.gui.widgets.history import WINDOW_S, PlotSpec, SlowTop
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.theme import Theme
from kpviewer.structures import FloatArray


class Plot(QFrame):
    """Plot with title and legend above the lines."""

    def __init__(self, spec: PlotSpec, theme: Theme) -> None:
        super().__init__()
        spec = self._spec = _translated(spec)
        self.setAccessibleName(spec.title)
        self._colors = theme.series
        self._top = SlowTop(spec.least_top)
        self._ages: FloatArray = np.zeros(0, np.float32)
        self._rows: FloatArray = np.zeros((0, len(spec.series)), np.float32)
        self._hover_age: float | None = None
        self._title = Label()
        self._title.setTextFormat(Qt.TextFormat.RichText)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._canvas = make_canvas()
        self._canvas.setAccessibleName(spec.title)
        self._lines = [self._canvas.plot(skipFiniteCheck=False) for _ in spec.series]
        self._target = pg.InfiniteLine(angle=0, movable=False)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._hint = Label(kind="small")
        self._hint.setParent(self._canvas)
        column_of(
            self._title, self._canvas, gap=0, margins=(12, 8, 8, 4), grows=self._canvas, into=self
        )
        self._prepare_canvas()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self._colors = theme.series
        color_axes(self._canvas, theme)
        self._target.setPen(faint_pen(theme, Qt.PenStyle.DashLine))
        self._cursor.setPen(faint_pen(theme))
        for index, line in enumerate(self._lines):
            color = QColor(theme.series[index])
            line.setPen(pg.mkPen(color, width=1))
            if self._spec.stacked:
                line.setFillLevel(0)
                line.setFillBrush(pg.mkBrush(color))
                line.setZValue(-index)  # the sum is at the back, the first stage in front
        self._show_values()

    def set_title(self, title: str) -> None:
        """Set another title, with the unit."""
        self._spec = replace(self._spec, title=title)
        self._show_values()

    def title(self) -> str:
        """Return the title, with the unit."""
        return self._spec.title

    def set_target(self, value: float | None) -> None:
        """Draw a faint line at a target value; None hides it."""
        self._target.setVisible(value is not None)
        if value is not None:
            self._target.setValue(value)

    def show_rows(self, ages: FloatArray, rows: FloatArray, now_s: float) -> None:
        """Show (N,) ages (s, at most 0) and (N, series) values; NaN is a gap."""
        self._ages, self._rows = ages, rows
        shown = np.cumsum(rows, axis=1) if self._spec.stacked else rows
        for index, line in enumerate(self._lines):
            line.setData(ages, shown[:, index], connect="finite")
        finite = shown[np.isfinite(shown)]
        peak = float(finite.max()) if finite.size else 0.0
        self._canvas.setYRange(0, self._top.update(peak, now_s), padding=0)
        self._show_values()

    def show_hint(self, text: str) -> None:
        """Show a text in place of the lines; an empty one shows none."""
        self._hint.setText(text)
        self._hint.adjustSize()
        self._hint.setVisible(bool(text))

    def hint(self) -> str:
        """Return the hint that is shown; empty while hidden."""
        return "" if self._hint.isHidden() else self._hint.text()

    def legend(self) -> str:
        """Return the legend without markup, for tests."""
        values = self._values()
        return " ".join(
            f"{name} {self._number(value)}"
            for name, value in zip(self._spec.series, values, strict=True)
        )

    def leaveEvent(self, event: QEvent | None) -> None:
        """Show the newest values again."""
        super().leaveEvent(event)
        self._hover_age = None
        self._cursor.hide()
        self._show_values()

    def _prepare_canvas(self) -> None:
        canvas = self._canvas
        canvas.getPlotItem().layout.setContentsMargins(0, 8, 4, 0)
        canvas.setXRange(-WINDOW_S, 0, padding=0)
        canvas.setYRange(0, self._spec.least_top, padding=0)
        canvas.addItem(self._target, ignoreBounds=True)
        canvas.addItem(self._cursor, ignoreBounds=True)
        self._target.hide()
        self._cursor.hide()
        self._hint.move(44, 8)
        canvas.getAxis("left").setWidth(34)
        canvas.getAxis("bottom").setHeight(16)
        canvas.getAxis("bottom").setTicks([[(-age, f"−{age} s") for age in (8, 6, 4, 2)]])
        canvas.scene().sigMouseMoved.connect(self._on_mouse_moved)

    def _on_mouse_moved(self, position: object) -> None:
        age = self._canvas.getPlotItem().vb.mapSceneToView(position).x()
        self._hover_age = age if -WINDOW_S <= age <= 0 else None
        self._cursor.setVisible(self._hover_age is not None)
        self._cursor.setValue(age)
        self._show_values()

    def _values(self) -> FloatArray:
        if not len(self._ages):
            return np.full(len(self._spec.series), np.nan, np.float32)
        if self._hover_age is None:
            row: FloatArray = self._rows[-1]
        else:
            row = self._rows[np.argmin(np.abs(self._ages - self._hover_age))]
        return row

    def _number(self, value: float) -> str:
        if not np.isfinite(value):
            return "–"
        digits = self._spec.digits if abs(value) < 100 else 0  # the legend has no room for more
        return f"{value:.{digits}f}"

    def _show_values(self) -> None:
        parts = [
            f'<span style="color:{color}">●</span> {name}&nbsp;{self._number(value)}'
            for color, name, value in zip(
                self._colors, self._spec.series, self._values(), strict=False
            )
        ]
        text = f"{self._spec.title}&ensp;" + "&ensp;".join(parts)
        self._title.setText(f'<span style="font-size:11px">{text}</span>')


def _translated(spec: PlotSpec) -> PlotSpec:
    series = tuple(tr(name) for name in spec.series)
    return replace(spec, title=tr(spec.title), series=series)
