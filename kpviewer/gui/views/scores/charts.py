"""Charts of the scores: a histogram of errors, and a confusion table."""

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.plain_text import plain_tip
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


_FONT_PX, _LEAST_FONT_PX, _MAX_CELL, _NAME_SHARE, _NARROW = 11, 7, 44, 0.32, 120


class HeatTable(QWidget):
    """Square table: a row for each true class, a column for each predicted one.

    Args:
        cell_px: fixed size of a cell; None: the cells fill the width.
    """

    def __init__(self, cell_px: int | None = None) -> None:
        super().__init__()
        self.setAccessibleName(tr("Confusion table"))
        self._fixed = cell_px
        self._counts: IntArray = np.zeros((0, 0), np.int64)
        self._names: tuple[str, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(cell_px is None)
        self.setSizePolicy(policy)

    def show_counts(self, counts: IntArray, names: tuple[str, ...]) -> None:
        """Show (C + 1, C + 1) counts of C classes, as ``confusion_matrix`` has them."""
        self._counts, self._names = counts, (*names, tr("nothing"))
        if self._fixed is not None:
            side = self._name_px() + self._fixed * len(self._names)
            self.setFixedSize(side, side)
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Return whether the height follows the width, so that cells stay square."""
        return self._fixed is None

    def heightForWidth(self, width: int) -> int:
        """Return the height for a width, px."""
        name, cell = self._sizes(width)
        return name + cell * len(self._names)

    def sizeHint(self) -> QSize:
        """Return a narrow size: cells grow with the width."""
        return QSize(_NARROW, self.heightForWidth(_NARROW))

    def text_at(self, place: QPoint) -> str:
        """Return the meaning of the cell at a place; empty outside the cells."""
        name, cell = self._sizes(self.width())
        row, column = (place.y() - name) // cell, (place.x() - name) // cell
        last = len(self._names) - 1
        if not (0 <= row <= last and 0 <= column <= last) or row == column == last:
            return ""
        count, true, found = int(self._counts[row, column]), self._names[row], self._names[column]
        if row == last:
            text = tr("{count} × {found}: false alarm")
        elif column == last:
            text = tr("{count} × {true} missed")
        elif row == column:
            text = tr("{count} × {true} detected correctly")
        else:
            text = tr("{count} × {true} detected as {found}")
        return text.format(count=count, true=true, found=found)

    def event(self, event: QEvent | None) -> bool:
        """Show the meaning of the cell under the pointer."""
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip(self.text_at(event.pos())), self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint names and cells."""
        if not len(self._counts):
            return
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(_FONT_PX)
        painter.setFont(font)
        name, cell = self._sizes(self.width())
        self._paint_names(painter, name, cell)
        shares, metrics = self._shares(), painter.fontMetrics()
        text, tint = self.palette().text().color(), QColor(self.palette().highlight().color())
        on_tint = self.palette().highlightedText().color()
        for row, column in np.ndindex(*self._counts.shape):
            box = QRect(name + column * cell, name + row * cell, cell - 1, cell - 1)
            share = float(shares[row, column])
            tint.setAlphaF(0.06 + 0.94 * share)
            painter.fillRect(box, tint)
            count = str(self._counts[row, column])
            room = _FONT_PX * (cell - 3) // metrics.horizontalAdvance(count)
            font.setPixelSize(min(max(room, 1), _FONT_PX))
            if count != "0" and room >= _LEAST_FONT_PX:
                painter.setFont(font)
                painter.setPen(on_tint if share > 0.55 else text)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, count)
        painter.end()

    def _paint_names(self, painter: QPainter, name: int, cell: int) -> None:
        painter.setPen(self.palette().placeholderText().color())
        metrics, right = painter.fontMetrics(), Qt.TextElideMode.ElideRight
        end = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        start = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for row, text in enumerate(self._names):
            elided = metrics.elidedText(text, right, name - 6)
            if cell >= _FONT_PX:
                painter.drawText(QRect(0, name + row * cell, name - 4, cell), end, elided)
                painter.save()
                painter.translate(name + row * cell, name - 4)
                painter.rotate(-90)
                painter.drawText(QRect(0, 0, name - 6, cell), start, elided)
                painter.restore()

    def _shares(self) -> FloatArray:
        """Return each count as a share of the objects of its class, in [0, 1]."""
        objects = self._counts.sum(axis=1)
        objects[-1] = objects[:-1].sum()
        shares = self._counts / np.maximum(objects[:, None], 1)
        return np.asarray(np.minimum(shares, 1), np.float32)

    def _sizes(self, width: int) -> tuple[int, int]:
        """Return the room for names and the size of a cell, px."""
        name, total = self._name_px(), max(len(self._names), 1)
        if self._fixed is not None:
            return name, self._fixed
        name = min(name, round(width * _NAME_SHARE))
        return name, max(min((width - name) // total, _MAX_CELL), 1)

    def _name_px(self) -> int:
        font = self.font()
        font.setPixelSize(_FONT_PX)
        metrics = QFontMetrics(font)
        longest = max((metrics.horizontalAdvance(each) for each in self._names), default=0)
        return min(longest + 8, 120)
