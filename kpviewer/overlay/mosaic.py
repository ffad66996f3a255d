"""Several results beside each other in one image, each below its caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QTransform

from kpviewer.overlay.images import array_of, qimage_of
from kpviewer.overlay.painting import (
    image_of,
    paint_class_bars,
    paint_overlay,
    shown_ground_truth,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.overlay.style import OverlayStyle
    from kpviewer.structures import FrameResult, ImageArray

CAPTION_PX = 24
_TEXT_PX = 14
_MARGIN_PX = 8
_GROUND, _BAND, _TEXT = QColor(15, 17, 19), QColor(24, 27, 31), QColor(231, 234, 237)
_DIM = QColor(0, 0, 0, 150)


@dataclass(frozen=True, slots=True)
class MosaicCell:
    """One result of a mosaic."""

    left_top_wh: tuple[int, int, int, int]
    """Place in the mosaic: left, top, width and height, px."""
    caption: str
    """Line above the image; a long one loses its middle."""
    result: FrameResult | None = None
    """Result whose frame is held while it is painted; None leaves the place empty."""
    is_dimmed: bool = False
    """Whether the image is darkened, as an outdated one."""


def render_mosaic(
    cells: Sequence[MosaicCell], size_wh: tuple[int, int], style: OverlayStyle
) -> ImageArray:
    """Paint results beside each other. Needs an application object; any thread may call it.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    image = QImage(*size_wh, QImage.Format.Format_RGB32)
    image.fill(_GROUND)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        font = QFont(painter.font())
        font.setPixelSize(_TEXT_PX)
        for cell in cells:
            painter.setFont(font)
            _paint_cell(painter, cell, style)
    finally:
        painter.end()
    return array_of(image)


def _paint_cell(painter: QPainter, cell: MosaicCell, style: OverlayStyle) -> None:
    whole = QRectF(*cell.left_top_wh)
    band = QRectF(whole.left(), whole.top(), whole.width(), min(CAPTION_PX, whole.height()))
    painter.fillRect(band, _BAND)
    painter.setPen(_TEXT)
    room = max(band.width() - 2 * _MARGIN_PX, 0)
    metrics, middle = QFontMetricsF(painter.font()), Qt.TextElideMode.ElideMiddle
    text = metrics.elidedText(cell.caption, middle, room)
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(band.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0), left, text)
    area = whole.adjusted(0, band.height(), 0, 0)
    if cell.result is not None and not area.isEmpty():
        _paint_result(painter, cell.result, area, style, is_dimmed=cell.is_dimmed)


def _paint_result(
    painter: QPainter, result: FrameResult, area: QRectF, style: OverlayStyle, *, is_dimmed: bool
) -> None:
    """Paint a result in the middle of an area, as large as it fits."""
    image = qimage_of(image_of(result, style))
    scale = min(area.width() / image.width(), area.height() / image.height())
    target = QRectF(0, 0, image.width() * scale, image.height() * scale)
    target.moveCenter(area.center())
    painter.drawImage(target, image)
    if is_dimmed:
        painter.fillRect(target, _DIM)
        return
    to_target = QTransform.fromTranslate(target.left(), target.top()).scale(scale, scale)
    paint_overlay(painter, result.detections, shown_ground_truth(result), style, to_target, target)
    paint_class_bars(painter, result.candidates, style, target)
