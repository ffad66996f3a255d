"""The image of a view, scaled once for all repaints of a frame."""

from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QImage, QPainter, QPalette
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.views.video.view_transform import ViewTransform

SHARP_FROM = 4.0
"""View px per source px from which source pixels are drawn as squares."""
FAST_FORMAT = QImage.Format.Format_RGB32
"""Format that Qt scales twice as fast as the frame's, with the conversion."""


class Backdrop:
    """Paints the image of a view, and what is around it.

    A slider or the pointer repaints the overlay of the same frame often. From the second time on,
    the image is copied in the view's own pixels. Qt scales it on several threads: beside other
    programs, that takes longer than all else.

    Args:
        view: the view.
    """

    def __init__(self, view: QWidget) -> None:
        self._view = view
        self._scaled = QImage()
        self._key: object = None
        """What the scaled image is of."""

    def clear(self) -> None:
        """Let go of the scaled image."""
        self._scaled, self._key = QImage(), None

    def paint(
        self, painter: QPainter, image: QImage, transform: ViewTransform, *, again: bool
    ) -> None:
        """Paint an image.

        Args:
            painter: painter on the view.
            image: image of the frame.
            transform: its place in the view.
            again: whether the frame was painted before.
        """
        view = self._view
        ratio, color = view.devicePixelRatioF(), view.palette().color(QPalette.ColorRole.Dark)
        if not again or ratio % 1:  # a copy would be moved by a part of a pixel
            self.clear()
            self._paint(painter, image, transform)
            return
        key = (image.cacheKey(), transform, ratio, color.rgb())
        if key != self._key:
            self._scaled = QImage(view.size() * int(ratio), FAST_FORMAT)
            self._scaled.setDevicePixelRatio(ratio)
            own = QPainter(self._scaled)
            self._paint(own, image, transform)
            own.end()
            self._key = key
        painter.drawImage(QPointF(), self._scaled)

    def _paint(self, painter: QPainter, image: QImage, transform: ViewTransform) -> None:
        painter.fillRect(self._view.rect(), self._view.palette().color(QPalette.ColorRole.Dark))
        is_smooth = transform.scale < SHARP_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
        painter.drawImage(place_of(transform), image)


def place_of(transform: ViewTransform) -> QRectF:
    """Return the place of the whole image in the view."""
    width, height = (side * transform.scale for side in transform.source_wh)
    return QRectF(*transform.offset, width, height)
