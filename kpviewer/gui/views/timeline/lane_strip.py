"""Lanes over the whole source under the play head: press, drag, wheel and pointer go in frames."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QWheelEvent

from kpviewer.gui.views.timeline.lane_canvas import LaneCanvas
from kpviewer.gui.views.timeline.lane_image import LANES_PX
from kpviewer.gui.views.timeline.strip_painting import TOP_PX

SNAP_PX = 6.0
"""Distance from a sign within which a click goes to its frame."""
_WHEEL_STEP = 1.25


class LaneStrip(LaneCanvas):
    """Lanes that the mouse seeks in, zooms and points at."""

    sought = pyqtSignal(int)
    """Emitted with the frame that the user goes to."""
    hovered = pyqtSignal(object)
    """Emitted with the frame under the pointer; None when the pointer leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._is_down = False

    def show_index(self, index: int) -> None:
        """Move the play head, unless it is dragged."""
        if not self._is_down:
            super().show_index(index)

    def frame_at(self, position: QPointF) -> int:
        """Return the frame at a position; near a sign below the lanes, the frame of the sign."""
        x = position.x()
        if position.y() >= TOP_PX + LANES_PX and self.signs:
            nearest = min(self.signs, key=lambda sign: abs(self.axis.x_of(sign) - x))
            if abs(self.axis.x_of(nearest) - x) <= SNAP_PX:
                return nearest
        return self.axis.index_at(x)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Go to the frame under the pointer."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._is_down = True
            self._seek(self.frame_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow a drag, and report the frame under the pointer."""
        if event is None:
            return
        index = self.frame_at(event.position())
        if self._is_down:
            self._seek(index)
        self.hovered.emit(index)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End the drag."""
        self._is_down = False

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Show the whole source."""
        self.set_axis(self.axis.whole())

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom around the frame under the pointer."""
        if event is not None and (turn := event.angleDelta().y()):
            factor = _WHEEL_STEP ** (turn / 120)
            self.set_axis(self.axis.zoomed(factor, event.position().x()))
            self.hovered.emit(self.frame_at(event.position()))
            event.accept()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Report that no frame is under the pointer."""
        super().leaveEvent(event)
        self.hovered.emit(None)

    def _seek(self, index: int) -> None:
        if index != self.index:
            super().show_index(index)
            self.sought.emit(index)
