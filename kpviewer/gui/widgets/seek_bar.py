"""Seek bar of a file, with the marks of the A-B loop."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.click_slider import HANDLE_PX, ClickSlider

MARK_PX, FOOT_PX, BAND_PX = 2, 5, 3
"""Thickness of a bracket, length of its feet, height of the band between the marks."""


class SeekBar(ClickSlider):
    """Slider over frame indices."""

    sought = pyqtSignal(int)
    """Emitted with the frame index that the user seeks."""

    def __init__(self) -> None:
        super().__init__()
        self._marks: tuple[int, ...] = ()
        self.setAccessibleName(tr("Position"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def go_to(self, share: float, modifiers: Qt.KeyboardModifier) -> None:
        """Request the frame at a position, unless it is the current one."""
        before = self.value()
        super().go_to(share, modifiers)
        if self.value() != before:
            self.sought.emit(self.value())

    def marks(self) -> tuple[int, ...]:
        """Return the marked frames: none, A, or A and B."""
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
        positions = [self._position_px(mark) for mark in self._marks]
        bottom = self.height() - 3
        if len(positions) == 2:
            band = QRect(positions[0], bottom - BAND_PX, positions[1] - positions[0], BAND_PX)
            painter.fillRect(band, self.palette().color(QPalette.ColorRole.Highlight))
        text = self.palette().color(QPalette.ColorRole.WindowText)
        for number, x in enumerate(positions):
            painter.fillRect(x - MARK_PX // 2, 3, MARK_PX, bottom - 3, text)
            left = x if number == 0 else x - FOOT_PX
            for y in (3, bottom - MARK_PX):
                painter.fillRect(left, y, FOOT_PX, MARK_PX, text)
        painter.end()

    def _position_px(self, index: int) -> int:
        """Return the centre of the handle at a frame, px from the left."""
        span = self.width() - HANDLE_PX
        return HANDLE_PX // 2 + round(span * index / max(self.maximum(), 1))
