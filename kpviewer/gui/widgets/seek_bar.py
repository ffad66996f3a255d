"""A slider over the frames of a file, with the marks of the part that is repeated."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.click_slider import HANDLE_PX, ClickSlider

MARK_PX, FOOT_PX, BAND_PX = 2, 5, 3
"""Thickness of a bracket, length of its feet, height of the band between the two."""


class SeekBar(ClickSlider):
    """A slider over frame indices."""

    sought = pyqtSignal(int)
    """By the user: frame index."""

    def __init__(self) -> None:
        super().__init__()
        self._marks: tuple[int, ...] = ()
        self.setAccessibleName(tr("Position"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def go_to(self, share: float, modifiers: Qt.KeyboardModifier) -> None:
        """Ask for the frame at a place; not again for the same one."""
        before = self.value()
        super().go_to(share, modifiers)
        if self.value() != before:
            self.sought.emit(self.value())

    def marks(self) -> tuple[int, ...]:
        """The frames that are marked: none, A, or A and B."""
        return self._marks

    def set_marks(self, marks: tuple[int, ...]) -> None:
        """Mark no frame, A, or A and B."""
        if marks != self._marks:
            self._marks = marks
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw a bracket at each mark, and a band between two."""
        super().paintEvent(event)
        if not self._marks:
            return
        painter = QPainter(self)
        places = [self._place(mark) for mark in self._marks]
        bottom = self.height() - 3
        if len(places) == 2:
            band = QRect(places[0], bottom - BAND_PX, places[1] - places[0], BAND_PX)
            painter.fillRect(band, self.palette().color(QPalette.ColorRole.Highlight))
        text = self.palette().color(QPalette.ColorRole.WindowText)
        for number, x in enumerate(places):
            painter.fillRect(x - MARK_PX // 2, 3, MARK_PX, bottom - 3, text)
            left = x if number == 0 else x - FOOT_PX
            for y in (3, bottom - MARK_PX):
                painter.fillRect(left, y, FOOT_PX, MARK_PX, text)
        painter.end()

    def _place(self, index: int) -> int:
        """Give the middle of the handle at a frame, in px from the left."""
        span = self.width() - HANDLE_PX
        return HANDLE_PX // 2 + round(span * index / max(self.maximum(), 1))
