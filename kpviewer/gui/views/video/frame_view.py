"""View of one FrameResult: the image with its overlay. It doesn't use the pipeline.

The view holds a lease on its frame and releases it when the next one comes: overlay and pixels
always belong together, and the pixels never change while they are painted.
"""

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette, QResizeEvent, QTransform
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.video.backdrop import FAST_FORMAT, Backdrop, place_of
from kpviewer.gui.views.video.view_transform import ViewTransform
from kpviewer.overlay import OverlayStyle, image_of, paint_result, qimage_of
from kpviewer.structures import Detections, FloatArray, FrameResult

DIM = QColor(0, 0, 0, 150)


class FrameView(QWidget):
    """Widget that paints a result, letterboxed and zoomed."""

    appeared = pyqtSignal()
    """Emitted when the view is on the screen for the first time."""
    painted = pyqtSignal()
    """Emitted once for each new result, when it is on the screen."""
    transformed = pyqtSignal()
    """Emitted when zoom or position change."""
    result_changed = pyqtSignal()
    """Emitted when another frame, no frame, or the same frame with other detections is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("videoArea")
        self.setAccessibleName(tr("Video"))
        self.setMinimumSize(128, 128)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._result: FrameResult | None = None
        self.known = Detections.empty()
        """Detections that came with the frame, before any slider moved."""
        self._image, self._backdrop = QImage(), Backdrop(self)
        self.overlay_style = OverlayStyle()
        """Style of the overlay; change it with ``set_style``."""
        self.legends_top_px = 0
        """Height at the top of the view that legends leave free, px."""
        self.transform = ViewTransform((640, 480), (640, 480))
        """Current zoom and position of the image; ``show_part`` changes it."""
        self._has_appeared = self._is_new = self._is_dimmed = False

    def result(self) -> FrameResult | None:
        """Return the result that is shown or None; valid until the next ``show_result``."""
        return self._result

    def show_result(self, result: FrameResult) -> None:
        """Show a result, and take over the caller's lease on its frame."""
        previous, self._result = self._result, result
        self.known = result.detections
        self._update_image()
        self.refresh_marks()
        if previous is not None:
            previous.frame.release()
        self._is_new = True
        self._fit_sizes()
        self.update()
        self.result_changed.emit()

    def show_again(self, result: FrameResult) -> None:
        """Replace the result of the current frame; the lease on the frame stays."""
        if self._result is not None:
            self._result = result
            if self.overlay_style.anonymise:  # by the detections
                self._update_image()
            self.refresh_marks()
            self.result_changed.emit()

    def clear(self) -> None:
        """Show nothing, and release the frame."""
        previous, self._result, self._image = self._result, None, QImage()
        self._backdrop.clear()
        if previous is not None:
            previous.frame.release()
        self.refresh_marks()
        self.result_changed.emit()

    def set_style(self, style: OverlayStyle) -> None:
        """Paint in another style."""
        if style == self.overlay_style:
            return
        is_of_pixels = style.anonymise or self.overlay_style.anonymise
        self.overlay_style = style
        if is_of_pixels:
            self._update_image()
        self.refresh_marks()
        self.result_changed.emit()

    def current_result(self) -> FrameResult | None:
        """Return the result that is shown with its detections; None while it is outdated."""
        return None if self._is_dimmed else self._result

    def set_dimmed(self, is_dimmed: bool) -> None:
        """Set whether the image is darkened, as an outdated one, without its detections."""
        if is_dimmed != self._is_dimmed:
            self._is_dimmed = is_dimmed
            self.refresh_marks()

    def fit(self) -> None:
        """Show the whole image."""
        self.show_part(self.transform.fitted())

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by a factor at a point of the view; None is its centre."""
        point = QPointF(self.rect().center()) if at is None else at
        self.show_part(self.transform.zoomed(factor, (point.x(), point.y())))

    def zoom_to(self, xyxy: FloatArray) -> None:
        """Zoom until a (4,) box in source px fills half of the view."""
        if np.isfinite(xyxy).all():
            left, top, right, bottom = xyxy.tolist()
            box = (left, top, right, bottom)
            self.show_part(self.transform.zoomed_to(box, 0.5))

    def pan(self, dx: float, dy: float) -> None:
        """Move the image by px of the view."""
        self.show_part(self.transform.panned(dx, dy))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the image, then the overlay."""
        painter = QPainter(self)
        if not self._has_appeared:
            self._has_appeared = True
            self.appeared.emit()
        if self._result is None:
            painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Dark))
            return
        if self._image.format() is not FAST_FORMAT:
            self._image = self._image.convertToFormat(FAST_FORMAT)
        moved = self.transform
        self._backdrop.paint(painter, self._image, moved, again=not self._is_new)
        target = place_of(moved)
        if self._is_dimmed:
            painter.fillRect(target, DIM)
        else:
            to_view = QTransform.fromTranslate(*moved.offset).scale(moved.scale, moved.scale)
            view = QRectF(self.rect())
            room = view.adjusted(0, self.legends_top_px, 0, 0)
            found = self._result.detections
            hovered, selected = self.hovered(found), self.selected(found)
            style = replace(self.overlay_style, hovered=hovered, selected=selected)
            paint_result(painter, self._result, style, to_view, target & view, room)
        painter.end()
        if self._is_new:
            self._is_new = False
            self.painted.emit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the same part of the image in the centre."""
        super().resizeEvent(event)
        self._fit_sizes()

    def hovered(self, detections: Detections) -> int | None:
        """Return the index of the detection under the pointer; None in this class."""
        return None

    def selected(self, detections: Detections) -> int | None:
        """Return the index of the selected detection; None in this class."""
        return None

    def _update_image(self) -> None:
        """Update the pixels; anonymised ones depend on the thresholds."""
        if self._result is not None:
            self._image = qimage_of(image_of(self._result, self.overlay_style))

    def refresh_marks(self) -> None:
        """Repaint: the detections, the hovered or the selected one may have changed."""
        self.update()

    def _fit_sizes(self) -> None:
        width, height = self.transform.source_wh
        if self._result is not None:
            height, width = self._result.frame.bgr.shape[:2]
        view = (max(self.width(), 1), max(self.height(), 1))
        self.show_part(self.transform.resized((width, height), view))

    def show_part(self, transform: ViewTransform) -> None:
        """Show another part of the image, e.g. the one of another view of the same size."""
        if transform != self.transform:
            self.transform = transform
            self.update()
            self.transformed.emit()
