"""Lanes over the whole source under the play head: press, drag, wheel and pointer go in frames."""

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.axis import Axis
from kpviewer.gui.views.timeline.lane_image import LANES_PX, LaneColors
from kpviewer.gui.views.timeline.lane_values import ScannedLanes
from kpviewer.gui.views.timeline.strip_painting import (
    HEIGHT_PX,
    LABEL_PX,
    TOP_PX,
    LaneWords,
    lanes_image,
    paint_ab,
    paint_head,
    paint_hints,
    paint_signs,
    words_of,
)

RIGHT_PX = 6
"""Room right of the lanes, for the play head on the last frame."""
_LABEL_GAP_PX = 8


class LaneCanvas(QWidget):
    """Three lanes with the play head, the A-B loop, marks and worst frames."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Position"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.axis = Axis(1, 0.0, 1.0)
        """Mapping between frames and pixels; ``set_axis`` changes it."""
        self.index = 0
        """Frame of the play head."""
        self._values: ScannedLanes | None = None
        self._lacks_model = False
        self.ab: tuple[int, ...] = ()
        """Frames of the A-B loop: none, A, or A and B."""
        self._marks: tuple[int, ...] = ()
        self._worst: tuple[int, ...] = ()
        self._image: QImage | None = None
        self._colors: LaneColors | None = None
        self._fit()

    def set_count(self, count: int) -> None:
        """Show another source of this many frames, with nothing scanned."""
        self.axis = Axis(max(count, 1), self.axis.left_px, self.axis.width_px)
        self.index = 0
        self.ab = self._marks = self._worst = ()
        self.show_values(None)

    @property
    def count(self) -> int:
        """Number of frames of the source."""
        return self.axis.count

    @property
    def signs(self) -> tuple[int, ...]:
        """Marks and worst frames, ascending."""
        return tuple(sorted({*self._marks, *self._worst}))

    @property
    def words(self) -> LaneWords:
        """Labels of the lanes, and texts in empty ones."""
        return words_of(self._values, lacks_model=self._lacks_model)

    def set_lacks_model(self, *, lacks_model: bool) -> None:
        """Set whether there is no model, nor one on its way, that could fill the lanes."""
        if lacks_model != self._lacks_model:
            self._lacks_model = lacks_model
            self._redraw()

    def show_values(self, values: ScannedLanes | None) -> None:
        """Show what was found; None: nothing was scanned."""
        self._values = values
        self._redraw()

    def show_index(self, index: int) -> None:
        """Move the play head; a zoomed part of the source follows."""
        if index == self.index:
            return
        axis = self.axis.showing(index)
        if axis != self.axis:
            self.index, self.axis = index, axis
            self._redraw()
            return
        before, self.index = self.index, index
        for each in (before, index):
            self.update(self._head_rect(each))

    def set_ab(self, frames: tuple[int, ...]) -> None:
        """Mark no frame, A, or A and B."""
        if frames != self.ab:
            self.ab = frames
            self.update()

    def set_signs(self, marks: Sequence[int], worst: Sequence[int]) -> None:
        """Set the frames that the user marked, and the worst ones."""
        signs = tuple(marks), tuple(worst)
        if signs != (self._marks, self._worst):
            self._marks, self._worst = signs
            self.update()

    def texts_of(self, index: int) -> list[str]:
        """Return what a frame is, and what was found in it, a line each."""
        names = ((self._marks, tr("marked")), (self._worst, tr("one of the worst frames")))
        signs = [name for frames, name in names if index in frames]
        return [*(self._values.texts(index) if self._values is not None else ()), *signs]

    def set_axis(self, axis: Axis) -> None:
        """Show another part of the source."""
        if axis != self.axis:
            self.axis = axis
            self._redraw()

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(400, HEIGHT_PX)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Reduce the values to as many columns as there are now."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:
        """Use the colours and the font of another theme or state."""
        super().changeEvent(event)
        if event is not None and event.type() in (
            QEvent.Type.PaletteChange,
            QEvent.Type.FontChange,
            QEvent.Type.EnabledChange,
        ):
            self._colors = None
            self._fit()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the kept image of the lanes, and what moves above it."""
        palette, axis = self.palette(), self.axis
        self._colors = self._colors or LaneColors.of(palette)
        if self._image is None:
            self._image = lanes_image(self, axis, self._values, self._colors, self.words.labels)
        painter = QPainter(self)
        painter.drawImage(0, 0, self._image)
        if self.isEnabled():
            paint_ab(painter, [axis.x_of(index) for index in self.ab], palette)
            paint_signs(painter, axis, self._marks, self._worst, palette)
            paint_head(painter, axis.x_of(self.index), palette)
        if self.isEnabled() or self._values is not None:
            paint_hints(painter, self, axis, self.words.hints, self._colors)
        painter.end()

    def _fit(self) -> None:
        self.setMinimumSize(160, HEIGHT_PX)
        metrics = self.fontMetrics()
        labels = max(metrics.horizontalAdvance(text) for text in self.words.labels)
        left = round(labels * LABEL_PX / max(self.font().pixelSize(), LABEL_PX)) + _LABEL_GAP_PX
        self.axis = self.axis.resized(left, self.width() - left - RIGHT_PX)
        self._redraw()

    def _redraw(self) -> None:
        self._image = None
        self.update()

    def _head_rect(self, index: int) -> QRect:
        return QRect(round(self.axis.x_of(index)) - 6, 0, 12, self.height())


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

    def set_count(self, count: int) -> None:
        """Show another source; a drag in the one before is over."""
        self._is_down = False
        super().set_count(count)

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
