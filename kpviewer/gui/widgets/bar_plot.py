"""Histogram of values from 0 on."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from kpviewer.structures import FloatArray, IntArray

BINS = 24
LARGEST = 99.0
"""Percentile that the last bar begins at: what is beyond belongs to it."""
_HEIGHT, _TEXT = 96, 16


class BarPlot(QWidget):
    """Bars with the number of values in each bin, the axis below."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._counts: IntArray = np.zeros(BINS, np.int64)
        self._limit = 0.0

    def sizeHint(self) -> QSize:
        """Return a small size; the plot grows with the panel."""
        return QSize(120, _HEIGHT)

    def counts(self) -> IntArray:
        """Return the number of values in each bin: (BINS,)."""
        return self._counts

    def show_values(self, values: FloatArray) -> None:
        """Show the distribution of (N,) values >= 0."""
        self._limit = float(np.percentile(values, LARGEST)) if len(values) else 0.0
        self._limit = self._limit or 1.0
        self._counts = np.histogram(np.clip(values, 0, self._limit), BINS, (0, self._limit))[0]
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint the bars."""
        painter, palette = QPainter(self), self.palette()
        room = QRectF(self.rect()).adjusted(0, 4, 0, -_TEXT)
        highest = max(int(self._counts.max()), 1)
        wide = room.width() / BINS
        for row, count in enumerate(self._counts.tolist()):
            height = room.height() * count / highest
            left = room.left() + row * wide
            bar = QRectF(left, room.bottom() - height, max(wide - 1, 1), height)
            painter.fillRect(bar, palette.highlight())
        painter.setPen(palette.placeholderText().color())
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        below = QRectF(room.left(), room.bottom(), room.width(), _TEXT)
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | bottom, "0")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | bottom, f"≥ {self._limit:.3g}")
        painter.end()
