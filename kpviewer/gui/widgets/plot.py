"""Plot of the last 10 s: thin lines or stacked areas, with a legend that shows the values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QSizePolicy

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.chart import Chart, Curve, Guide
from kpviewer.gui.widgets.history import WINDOW_S, PlotSpec, SlowTop
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.theme import Theme
from kpviewer.structures import FloatArray

_MARGINS = (34, 8, 4, 16)


class Plot(QFrame):
    """Plot with title and legend above the lines."""

    def __init__(self, spec: PlotSpec, theme: Theme) -> None:
        super().__init__()
        spec = self._spec = _translated(spec)
        self.setAccessibleName(spec.title)
        self._top = SlowTop(spec.least_top)
        self._ages: FloatArray = np.zeros(0, np.float32)
        self._rows: FloatArray = np.zeros((0, len(spec.series)), np.float32)
        self._title = Label()
        self._title.setTextFormat(Qt.TextFormat.RichText)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        chart = self.chart = Chart((-WINDOW_S, 0.0), _MARGINS)
        """The lines below the legend."""
        chart.setAccessibleName(spec.title)
        chart.x_ticks = tuple((-age, f"−{age} s") for age in (8, 6, 4, 2))
        chart.y_range = (0.0, spec.least_top)
        chart.hovered.connect(self._show_values)
        self._hint = Label(spec.hint, "small")
        self._hint.setParent(chart)
        self._hint.move(44, 8)
        column_of(self._title, chart, gap=0, margins=(12, 8, 8, 4), grows=chart, into=self)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self.chart.theme = theme
        self._draw()

    def set_title(self, title: str) -> None:
        """Set another title, with the unit."""
        self._spec = replace(self._spec, title=title)
        self._show_values()

    def title(self) -> str:
        """Return the title, with the unit."""
        return self._spec.title

    def set_target(self, value: float | None) -> None:
        """Draw a faint line at a target value; None hides it."""
        line = Guide(value or 0.0, is_upright=False, is_dashed=True)
        self.chart.guides = () if value is None else (line,)
        self.chart.update()

    def show_rows(self, ages: FloatArray, rows: FloatArray, now_s: float) -> None:
        """Show (N,) ages (s, at most 0) and (N, series) values; NaN is a gap."""
        self._ages, self._rows = ages, rows
        shown = self._shown()
        finite = shown[np.isfinite(shown)]
        peak = float(finite.max()) if finite.size else 0.0
        self.chart.y_range = (0.0, self._top.update(peak, now_s))
        self._draw()

    def show_hint(self, *, is_shown: bool) -> None:
        """Show the hint, or not."""
        self._hint.setVisible(is_shown)

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

    def _shown(self) -> FloatArray:
        """Return the (N, series) heights of the lines."""
        return np.cumsum(self._rows, axis=1) if self._spec.stacked else self._rows

    def _draw(self) -> None:
        is_area = self._spec.stacked
        curves = [
            Curve(self._ages, heights, color, is_area)
            for heights, color in zip(self._shown().T, self.chart.theme.series, strict=False)
        ]
        # Of areas, the sum is at the back, the first stage in front.
        self.chart.curves = tuple(reversed(curves) if is_area else curves)
        self.chart.update()
        self._show_values()

    def _values(self) -> FloatArray:
        age = self.chart.hovered_x
        if not len(self._ages):
            return np.full(len(self._spec.series), np.nan, np.float32)
        nearest = -1 if age is None else np.argmin(np.abs(self._ages - age))
        return np.asarray(self._rows[nearest])

    def _number(self, value: float) -> str:
        if not np.isfinite(value):
            return "–"
        digits = self._spec.digits if abs(value) < 100 else 0  # the legend has no room for more
        return f"{value:.{digits}f}"

    def _show_values(self) -> None:
        colors = self.chart.theme.series
        parts = [
            f'<span style="color:{color}">●</span> {name}&nbsp;{self._number(value)}'
            for color, name, value in zip(colors, self._spec.series, self._values(), strict=False)
        ]
        text = f"{self._spec.title}&ensp;" + "&ensp;".join(parts)
        self._title.setText(f'<span style="font-size:11px">{text}</span>')


def _translated(spec: PlotSpec) -> PlotSpec:
    series = tuple(tr(name) for name in spec.series)
    return replace(spec, title=tr(spec.title), series=series, hint=tr(spec.hint))
