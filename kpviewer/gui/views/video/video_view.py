"""Interactive view: zoom by the wheel, pan, hover, select, and the cards over the image."""

from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.keys import Act
from kpviewer.gui.views.video.detection_cards import DetectionCards
from kpviewer.gui.views.video.frame_view import FrameView
from kpviewer.gui.views.video.signs import RecordingSign, ZoomSign
from kpviewer.gui.views.video.state_card import Chip, StateCard
from kpviewer.gui.widgets.buttons import ENTER
from kpviewer.gui.widgets.card_layout import CardLayout, Place
from kpviewer.structures import Detections

WHEEL_ZOOM = 1.2
"""Zoom factor per notch of the wheel."""


class VideoView(FrameView):
    """FrameView that responds to the mouse and shows cards."""

    asked = pyqtSignal(object)
    """Emitted with the Act that a gesture requests."""
    menu_asked = pyqtSignal(QPoint, object)
    """Emitted by a right click: position on the screen, index of the detection there or None."""

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._drag_from: QPointF | None = None
        self._pressed_at: QPointF | None = None
        self.layout_of_cards = CardLayout(self)
        """Layout of all cards over the image."""
        self.cards = DetectionCards(self, self.layout_of_cards)
        """Selected detection, and the cards of it and of what is under the pointer."""
        self._before_click = self.cards.selection
        self.cards.zoom_pressed.connect(self.zoom_to_object)
        self.cards.close_pressed.connect(lambda: self._choose(None))
        self._pointer = QPointF()
        self.card = StateCard(self)
        """Card in the centre while there is no video."""
        self.chip = Chip(self)
        """Chip at the lower left with the work in progress."""
        self.sign = RecordingSign(self)
        """Sign at the upper right in full screen: recording and messages."""
        self.zoom_sign = ZoomSign(self)
        """Sign at the upper left with the zoom."""
        for place, card in (
            (Place.CENTER, self.card),
            (Place.BOTTOM, self.chip),
            (Place.TOP_RIGHT, self.sign),
            (Place.TOP_LEFT, self.zoom_sign),
        ):
            self.layout_of_cards.add(place, card)
        self.layout_of_cards.arranged.connect(self.refresh_marks)
        self.zoom_sign.fit_button.clicked.connect(self.fit)
        self.transformed.connect(self._on_transformed)

    def clear(self) -> None:
        """Show nothing and select nothing."""
        super().clear()
        self.cards.selection.choose(Detections.empty(), None)
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
        result = self.current_result()
        if event is None or pressed_at is None or result is None:
            return
        if (event.position() - pressed_at).manhattanLength() <= QApplication.startDragDistance():
            self._before_click = self.cards.selection.copy()
            self._choose(self._at(result.detections, event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Ask for full screen, or to leave it; the first click of the two selects nothing."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.cards.selection = self._before_click.copy()
            self.refresh_marks()
            self.asked.emit(Act.FULLSCREEN)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Ask for the menu."""
        result = self.current_result()
        if event is not None:
            found = result.detections if result is not None else Detections.empty()
            self.menu_asked.emit(event.globalPos(), self._at(found, QPointF(event.pos())))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Zoom to the selected detection on Enter."""
        if event is not None and event.key() in ENTER:
            self.asked.emit(Act.ZOOM_OBJECT)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent | None) -> None:
        """Hide the card of the detection that was under the pointer."""
        super().leaveEvent(event)
        self.refresh_marks()

    def hovered(self, detections: Detections) -> int | None:
        """Return the index of the detection under the pointer, or None."""
        return self._at(detections, self._pointer) if self.underMouse() else None

    def selected(self, detections: Detections) -> int | None:
        """Return the index of the selected detection, or None."""
        return self.cards.selection.find(detections)

    def refresh_marks(self) -> None:
        """Show the numbers of the selected detection, else of the one under the pointer."""
        self.legends_top_px = 0 if self.sign.isHidden() else self.sign.geometry().bottom() + 1
        super().refresh_marks()
        is_over = self.underMouse() and self._drag_from is None
        pointer = self._pointer if is_over else None
        self.cards.show(self.current_result(), self.overlay_style, self.transform, pointer)

    def choose(self, detections: Detections, index: int) -> None:
        """Select a detection of this frame or of a recent one."""
        self.cards.selection.choose(detections, index)
        self.refresh_marks()

    def show_actual_size(self) -> None:
        """Show a pixel of the image as one of the screen."""
        self.show_part(self.transform.scaled(1 / self.devicePixelRatioF()))

    def zoom_to_object(self) -> None:
        """Zoom to the selected detection, else to the hovered one, else to the best."""
        result = self.result()
        if result is None or not len(result.detections):
            return
        found = result.detections
        asked = self.selected(found), self.hovered(found), 0
        self.zoom_to(found.xyxy[next(index for index in asked if index is not None)])

    def _at(self, detections: Detections, position: QPointF) -> int | None:
        return self.cards.hovered(detections, self.overlay_style, self.transform, position)[0]

    def _choose(self, index: int | None) -> None:
        result = self.result()
        if result is not None:
            self.cards.selection.choose(result.detections, index)
        self.refresh_marks()

    def _on_transformed(self) -> None:
        self.zoom_sign.show_zoom(self.transform)
        self.refresh_marks()
