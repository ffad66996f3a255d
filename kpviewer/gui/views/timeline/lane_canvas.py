"""Image of the lanes with the play head; it takes no input."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QRect, QSize
from PyQt6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.axis import Axis
from kpviewer.gui.views.timeline.lane_image import LaneColors
from kpviewer.gui.views.timeline.lane_values import ScannedLanes
from kpviewer.gui.views.timeline.strip_painting import (
    HEIGHT_PX,
    LABEL_PX,
    LaneWords,
    lanes_picture,
    paint_ab,
    paint_head,
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
        return words_of(self._values)

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
            self._image = lanes_picture(self, axis, self._values, self._colors)
        painter = QPainter(self)
        painter.drawImage(0, 0, self._image)
        if self.isEnabled():
            paint_ab(painter, [axis.x_of(index) for index in self.ab], palette)
            paint_signs(painter, axis, self._marks, self._worst, palette)
            paint_head(painter, axis.x_of(self.index), palette)
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
