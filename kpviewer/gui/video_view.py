"""The picture with what was seen in it. It paints one FrameResult and knows no pipeline.

The view owns a hold on the frame that it shows and lets it go when the next one comes, so overlay
and pixels always belong together and the pixels never change under the painter.
"""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.state_card import Chip, StateCard
from kpviewer.gui.view_transform import ViewTransform
from kpviewer.overlay import OverlayStyle, detection_at, paint_class_bars, paint_overlay, qimage_of
from kpviewer.structures import Detections, FrameError, FrameResult

WHEEL_ZOOM = 1.2
"""Per notch."""
SHARP_FROM = 4.0
"""Source pixels this large are shown as squares."""
DIM = QColor(0, 0, 0, 150)


class VideoView(QWidget):
    """Paints the newest result, letterboxed, with zoom and pan."""

    appeared = pyqtSignal()
    """The view is on the screen for the first time."""
    painted = pyqtSignal()
    """A new result is on the screen; once a result."""
    transformed = pyqtSignal()
    card_pressed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("videoArea")
        self.setAccessibleName("Video")
        self.setMinimumSize(320, 180)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._result: FrameResult | None = None
        self._image = QImage()
        self._style = OverlayStyle()
        self._transform = ViewTransform((640, 480), (640, 480))
        self._drag_from: QPointF | None = None
        self._pointer = QPointF()
        self._has_appeared = self._is_new = self._is_dimmed = False
        self.card = StateCard(self)
        """In the middle, while there is no video."""
        self.card.pressed.connect(self.card_pressed)
        self.chip = Chip(self)
        """Bottom left: what goes on while the video plays."""

    @property
    def transform(self) -> ViewTransform:
        """Where the picture is."""
        return self._transform

    def result(self) -> FrameResult | None:
        """What is shown. Valid until the next ``show_result``."""
        return self._result

    def show_result(self, result: FrameResult) -> None:
        """Show a result. Takes over the caller's hold on the frame."""
        previous, self._result = self._result, result
        self._image = qimage_of(result.frame.bgr)
        if previous is not None:
            previous.frame.release()
        self._is_new = True
        self._fit_sizes()
        self.update()

    def show_detections(self, detections: Detections, error: FrameError | None) -> None:
        """Show the same frame with other detections."""
        if self._result is not None:
            self._result = replace(self._result, detections=detections, error=error)
            self.update()

    def clear(self) -> None:
        """Show nothing, and let the frame go."""
        previous, self._result, self._image = self._result, None, QImage()
        if previous is not None:
            previous.frame.release()
        self.update()

    def set_style(self, style: OverlayStyle) -> None:
        """Paint in another style."""
        self._style = style
        self.update()

    def set_dimmed(self, is_dimmed: bool) -> None:
        """Darken the picture: it is not a present one."""
        if is_dimmed != self._is_dimmed:
            self._is_dimmed = is_dimmed
            self.update()

    def fit(self) -> None:
        """Show the whole picture."""
        self._set_transform(self._transform.fitted())

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by a factor, at a point of the view (its middle if None)."""
        point = QPointF(self.rect().center()) if at is None else at
        self._set_transform(self._transform.zoomed(factor, (point.x(), point.y())))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the picture, then what was seen in it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Dark))
        if not self._has_appeared:
            self._has_appeared = True
            self.appeared.emit()
        if self._result is None:
            return
        moved = self._transform
        smooth = moved.scale < SHARP_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        left, top = moved.offset
        width, height = (side * moved.scale for side in moved.source_wh)
        target = QRectF(left, top, width, height)
        painter.drawImage(target, self._image)
        if self._is_dimmed:
            painter.fillRect(target, DIM)
        else:
            to_view = QTransform.fromTranslate(left, top).scale(moved.scale, moved.scale)
            bounds = target.intersected(QRectF(self.rect()))
            truth = self._result.frame.truth
            style = replace(self._style, hovered=self._hovered(self._result.detections))
            paint_overlay(painter, self._result.detections, truth, style, to_view, bounds)
            paint_class_bars(painter, self._result.candidates, style, bounds)
        painter.end()
        if self._is_new:
            self._is_new = False
            self.painted.emit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the picture and what stands over it in place."""
        super().resizeEvent(event)
        self._fit_sizes()
        self.card.place()
        self.chip.place()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom at the pointer."""
        if event is None or self._result is None:
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
        self._set_transform(self._transform.panned(moved.x(), moved.y()))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End the pan."""
        self._drag_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Fit."""
        self.fit()

    def _hovered(self, detections: Detections) -> int | None:
        if not self.underMouse():
            return None
        return detection_at(
            detections, *self._transform.to_source(self._pointer.x(), self._pointer.y())
        )

    def _fit_sizes(self) -> None:
        width, height = self._transform.source_wh
        if self._result is not None:
            height, width = self._result.frame.bgr.shape[:2]
        view = (max(self.width(), 1), max(self.height(), 1))
        self._set_transform(self._transform.resized((width, height), view))

    def _set_transform(self, transform: ViewTransform) -> None:
        if transform != self._transform:
            self._transform = transform
            self.update()
            self.transformed.emit()
