"""Small line of the last seconds of one number, without axes."""

import numpy as np
from PyQt6.QtCore import QPointF, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.widgets.history import WINDOW_S, History, SlowTop
from kpviewer.structures import BoolArray, FloatArray

SIZE = QSize(64, 16)
ROWS = int(WINDOW_S * 10) + 2
"""Number of values of a line that is fed at 10 Hz."""


class Sparkline(QWidget):
    """Line from 0 to a slowly adapting top; a missing value is a gap."""

    def __init__(self, name: str, least_top: float) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFixedSize(SIZE)
        self._history = History(1, ROWS)
        self._top = SlowTop(least_top)
        self._now_s = 0.0

    def add(self, now_s: float, value: float | None) -> None:
        """Add a value, and draw."""
        self._history.add(now_s, value)
        self._now_s = now_s
        self.update()

    def clear(self) -> None:
        """Forget all values."""
        self._history.clear()
        self.update()

    def values(self) -> FloatArray:
        """Return the (N,) values that are drawn, oldest first; NaN is a gap."""
        values: FloatArray = self._history.recent(self._now_s)[1][:, 0]
        return values

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the line over a baseline."""
        ages, rows = self._history.recent(self._now_s)
        values = rows[:, 0]
        finite = np.isfinite(values)
        top = self._top.update(float(values[finite].max()) if finite.any() else 0.0, self._now_s)
        width, height = self.width() - 2, self.height() - 2
        x = 1 + (ages + WINDOW_S) / WINDOW_S * width
        y = 1 + height * (1 - np.clip(values / top, 0, 1))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1))
        painter.drawLine(QPointF(1, height + 1.5), QPointF(width + 1, height + 1.5))
        pen = QPen(self.palette().color(QPalette.ColorRole.WindowText), 1.25)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for part in _runs(finite):
            points = zip(x[part].tolist(), y[part].tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in points]))


def _runs(mask: BoolArray) -> list[slice]:
    """Return the slices of consecutive True values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [slice(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
