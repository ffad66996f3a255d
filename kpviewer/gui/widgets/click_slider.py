"""Slider that jumps to the click and follows the drag."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QSlider

HANDLE_PX = 14
"""Width of the handle in the style sheet."""


class ClickSlider(QSlider):
    """Horizontal slider that jumps to a click; Qt's own moves by a page towards it.

    ``go_to`` maps a position to a value: here, linearly from minimum to maximum.
    """

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)

    def go_to(self, share: float, modifiers: Qt.KeyboardModifier) -> None:
        """Set the value for a position on the groove.

        ``share`` is a share of the groove's length, in [0, 1].
        """
        lowest = self.minimum()
        self.setValue(lowest + round(share * (self.maximum() - lowest)))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Jump to the click."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow the drag."""
        if event is not None and self.isSliderDown():
            self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End the drag."""
        self.setSliderDown(False)

    def _follow(self, event: QMouseEvent) -> None:
        span = max(self.width() - HANDLE_PX, 1)
        share = (event.position().x() - HANDLE_PX / 2) / span
        self.go_to(min(max(share, 0.0), 1.0), event.modifiers())
