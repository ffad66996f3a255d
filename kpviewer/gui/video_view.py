"""The view that a user works: zoom by the wheel, pan, hover, and the cards over the picture."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent

from kpviewer.gui.picture_view import PictureView
from kpviewer.gui.state_card import Chip, StateCard
from kpviewer.overlay import detection_at
from kpviewer.structures import Detections

WHEEL_ZOOM = 1.2
"""Per notch."""


class VideoView(PictureView):
    """A picture with a pointer over it."""

    card_pressed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._drag_from: QPointF | None = None
        self._pointer = QPointF()
        self.card = StateCard(self)
        """In the middle, while there is no video."""
        self.card.pressed.connect(self.card_pressed)
        self.chip = Chip(self)
        """Bottom left: what goes on while the video plays."""

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the picture and what stands over it in place."""
        super().resizeEvent(event)
        self.card.place()
        self.chip.place()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom at the pointer."""
        if event is None or self.result() is None:
            return
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoom(WHEEL_ZOOM**notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Begin to pan."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._drag_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Pan while a button is held."""
        if event is None:
            return
        self._pointer = event.position()
        if self._drag_from is None:
            self.update()  # the detection under the pointer may be another one
            return
        moved = event.position() - self._drag_from
        self._drag_from = event.position()
        self.pan(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End the pan."""
        self._drag_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Fit."""
        self.fit()

    def hovered(self, detections: Detections) -> int | None:
        """Give the index of the detection under the pointer."""
        if not self.underMouse():
            return None
        return detection_at(
            detections, *self.transform.to_source(self._pointer.x(), self._pointer.y())
        )
