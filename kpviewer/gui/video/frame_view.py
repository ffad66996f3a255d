"""The image with what was seen in it. It paints one FrameResult and knows no pipeline.

The view owns a hold on the frame that it shows and lets it go when the next one comes, so overlay
and pixels always belong together and the pixels never change under the painter.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette, QResizeEvent, QTransform
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.video.view_transform import ViewTransform
from kpviewer.overlay import (
    OverlayStyle,
    image_of,
    paint_class_bars,
    paint_overlay,
    paint_second,
    paint_verdicts,
    qimage_of,
)
from kpviewer.structures import (
    Detections,
    FloatArray,
    FrameResult,
)

SHARP_FROM = 4.0
"""Source pixels this large are shown as squares."""
DIM = QColor(0, 0, 0, 150)


class FrameView(QWidget):
    """Paints a result, letterboxed, at some zoom."""

    appeared = pyqtSignal()
    """The view is on the screen for the first time."""
    painted = pyqtSignal()
    """A new result is on the screen; once a result."""
    transformed = pyqtSignal()
    result_changed = pyqtSignal()
    """Another frame is shown, or none, or the same one otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("videoArea")
        self.setAccessibleName(tr("Video"))
        self.setMinimumSize(320, 180)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._result: FrameResult | None = None
        self.known = Detections.empty()
        """The detections as they came with the frame, before any slider moved."""
        self._image = QImage()
        self.overlay_style = OverlayStyle()
        """How it is painted; ``set_style`` sets it."""
        self._transform = ViewTransform((640, 480), (640, 480))
        self._has_appeared = self._is_new = self._is_dimmed = False

    @property
    def transform(self) -> ViewTransform:
        """Where the image is."""
        return self._transform

    def result(self) -> FrameResult | None:
        """What is shown. Valid until the next ``show_result``."""
        return self._result

    def show_result(self, result: FrameResult) -> None:
        """Show a result. Takes over the caller's hold on the frame."""
        previous, self._result = self._result, result
        self.known = result.detections
        self._take_image()
        if previous is not None:
            previous.frame.release()
        self._is_new = True
        self._fit_sizes()
        self.update()
        self.result_changed.emit()

    def show_again(self, result: FrameResult) -> None:
        """Show the frame that is shown with another result of it; the hold on it stays."""
        if self._result is not None:
            self._result = result
            self._take_image()
            self.result_changed.emit()

    def clear(self) -> None:
        """Show nothing, and let the frame go."""
        previous, self._result, self._image = self._result, None, QImage()
        if previous is not None:
            previous.frame.release()
        self.refresh_marks()
        self.result_changed.emit()

    def set_style(self, style: OverlayStyle) -> None:
        """Paint in another style."""
        self.overlay_style = style
        self._take_image()
        self.result_changed.emit()

    def set_dimmed(self, is_dimmed: bool) -> None:
        """Darken the image: it is not a present one."""
        if is_dimmed != self._is_dimmed:
            self._is_dimmed = is_dimmed
            self.update()

    def fit(self) -> None:
        """Show the whole image."""
        self.show_part(self._transform.fitted())

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by a factor, at a point of the view (its middle if None)."""
        point = QPointF(self.rect().center()) if at is None else at
        self.show_part(self._transform.zoomed(factor, (point.x(), point.y())))

    def zoom_to(self, xyxy: FloatArray, share: float = 0.5) -> None:
        """Fill a share of the view with a (4,) box of the source."""
        if np.isfinite(xyxy).all():
            left, top, right, bottom = xyxy.tolist()
            box = (left, top, right, bottom)
            self.show_part(self._transform.zoomed_to(box, share))

    def pan(self, dx: float, dy: float) -> None:
        """Move the image by px of the view."""
        self.show_part(self._transform.panned(dx, dy))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the image, then what was seen in it."""
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
            ground_truth = self._result.frame.ground_truth
            found = self._result.detections
            hovered, selected = self.hovered(found), self.selected(found)
            style = replace(self.overlay_style, hovered=hovered, selected=selected)
            paint_overlay(painter, found, ground_truth, style, to_view, bounds)
            paint_class_bars(painter, self._result.candidates, style, bounds)
            paint_second(painter, self._result, style, to_view, bounds)
            paint_verdicts(painter, self._result, style, to_view, bounds)
        painter.end()
        if self._is_new:
            self._is_new = False
            self.painted.emit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the image in place."""
        super().resizeEvent(event)
        self._fit_sizes()

    def hovered(self, detections: Detections) -> int | None:
        """Give the index of the detection that stands out; None here."""
        return None

    def selected(self, detections: Detections) -> int | None:
        """Give the index of the detection that is chosen; None here."""
        return None

    def _take_image(self) -> None:
        """Take the pixels of the result; where blur is on, they are others at other thresholds."""
        if self._result is not None:
            self._image = qimage_of(image_of(self._result, self.overlay_style))
        self.refresh_marks()

    def refresh_marks(self) -> None:
        """Paint again: the detections, or what stands out among them, may be others."""
        self.update()

    def _fit_sizes(self) -> None:
        width, height = self._transform.source_wh
        if self._result is not None:
            height, width = self._result.frame.bgr.shape[:2]
        view = (max(self.width(), 1), max(self.height(), 1))
        self.show_part(self._transform.resized((width, height), view))

    def show_part(self, transform: ViewTransform) -> None:
        """Show another part of the image, such as that of another view of the same size."""
        if transform != self._transform:
            self._transform = transform
            self.update()
            self.transformed.emit()
