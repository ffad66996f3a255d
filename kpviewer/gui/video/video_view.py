"""Interactive view: zoom by the wheel, pan, hover, select, and the cards over the image."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.language import tr
from kpviewer.gui.saving.sign import RecordingSign
from kpviewer.gui.video.frame_view import FrameView
from kpviewer.gui.video.hover_card import HoverCard
from kpviewer.gui.video.selection import Selection, describe
from kpviewer.gui.video.state_card import Chip, StateCard
from kpviewer.overlay import detection_at
from kpviewer.structures import Detections

WHEEL_ZOOM = 1.2
"""Zoom factor per notch of the wheel."""


class VideoView(FrameView):
    """FrameView that responds to the mouse and shows cards."""

    card_pressed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._drag_from: QPointF | None = None
        self._pressed_at: QPointF | None = None
        self._selection = Selection()
        self.numbers = HoverCard(self)
        """Card beside the selected detection, else beside the one under the pointer."""
        self.numbers.zoom_pressed.connect(self._on_zoom_pressed)
        self.numbers.close_pressed.connect(lambda: self._choose(None))
        self.transformed.connect(self.refresh_marks)
        self._pointer = QPointF()
        self.card = StateCard(self)
        """Card in the centre while there is no video."""
        self.card.pressed.connect(self.card_pressed)
        self.chip = Chip(self)
        """Chip at the lower left with the work in progress."""
        self.sign = RecordingSign(self)
        """Sign at the upper right in full screen: recording and messages."""

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the image and the cards in place."""
        super().resizeEvent(event)
        self.card.place()
        self.chip.place()
        self.sign.place()

    def clear(self) -> None:
        """Show nothing and select nothing."""
        super().clear()
        self._selection.choose(Detections.empty(), None)
        self.refresh_marks()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom at the pointer."""
        if event is None or self.result() is None:
            return
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoom(WHEEL_ZOOM**notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Start to pan."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._drag_from = self._pressed_at = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Pan while a button is held."""
        if event is None:
            return
        self._pointer = event.position()
        if self._drag_from is None:
            self.refresh_marks()  # another detection may be under the pointer
            return
        moved = event.position() - self._drag_from
        self._drag_from = event.position()
        self.pan(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End the pan; a click selects the detection under the pointer, or deselects."""
        pressed_at, self._drag_from, self._pressed_at = self._pressed_at, None, None
        result = self.result()
        if event is None or pressed_at is None or result is None:
            return
        if (event.position() - pressed_at).manhattanLength() <= QApplication.startDragDistance():
            self._choose(self._at(result.detections, event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Zoom to the detection under the pointer; without one, fit the image."""
        result = self.result()
        index = None
        if event is not None and result is not None:
            index = self._at(result.detections, event.position())
        if index is None or result is None:
            self.fit()
        else:
            self._choose(index)
            self.zoom_to(result.detections.xyxy[index])

    def leaveEvent(self, event: QEvent | None) -> None:
        """Hide the card of the detection that was under the pointer."""
        super().leaveEvent(event)
        self.refresh_marks()

    def hovered(self, detections: Detections) -> int | None:
        """Return the index of the detection under the pointer, or None."""
        return self._at(detections, self._pointer) if self.underMouse() else None

    def selected(self, detections: Detections) -> int | None:
        """Return the index of the selected detection, or None."""
        return self._selection.find(detections)

    def refresh_marks(self) -> None:
        """Show the numbers of the selected detection, else of the one under the pointer."""
        super().refresh_marks()
        result = self.result()
        detections = Detections.empty() if result is None else result.detections
        pinned = not self._selection.is_empty
        index = self.selected(detections) if pinned else self.hovered(detections)
        if result is None or (index is None and not pinned):
            self.numbers.hide()
        elif index is None:
            self.numbers.show_numbers(tr("Left the frame"), "", None, pinned=True)
        else:
            title, text = describe(detections, index, self.overlay_style)
            left, top, right, bottom = detections.xyxy[index].tolist()
            low = QPointF(*self.transform.to_view(left, top))
            box = QRectF(low, QPointF(*self.transform.to_view(right, bottom)))
            self.numbers.show_numbers(title, text, box, pinned=pinned)

    def _at(self, detections: Detections, position: QPointF) -> int | None:
        if self.overlay_style.bars is not None:  # the box around the whole image is not shown
            return None
        return detection_at(detections, *self.transform.to_source(position.x(), position.y()))

    def choose(self, detections: Detections, index: int) -> None:
        """Select a detection of this frame or of a recent one."""
        self._selection.choose(detections, index)
        self.refresh_marks()

    def _choose(self, index: int | None) -> None:
        result = self.result()
        if result is not None:
            self._selection.choose(result.detections, index)
        self.refresh_marks()

    def _on_zoom_pressed(self) -> None:
        result = self.result()
        index = self.selected(result.detections) if result is not None else None
        if result is not None and index is not None:
            self.zoom_to(result.detections.xyxy[index])
