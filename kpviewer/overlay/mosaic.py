"""Several results beside each other in one image, each below its caption."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QTransform

from kpviewer.geometry import Letterbox
from kpviewer.overlay.canvas import paint_result
from kpviewer.overlay.images import bgr_of, fit_image, qimage_over
from kpviewer.overlay.painting import image_of
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
    width, height = size_wh
    bgra = np.full((height, width, 1), _GROUND.rgb(), "<u4").view(np.uint8)
    boxes = [_place_image(bgra, cell, style) for cell in cells]
    image = qimage_over(bgra)
    painter = QPainter(image)
    try:
        font = QFont(painter.font())
        font.setPixelSize(_TEXT_PX)
        for cell, box in zip(cells, boxes, strict=True):
            painter.setFont(font)
            _paint_caption(painter, cell)
            if cell.result is not None and box is not None:
                _paint_result(painter, cell.result, cell, box, style)
    finally:
        painter.end()
    return bgr_of(bgra)


def _place_image(bgra: ImageArray, cell: MosaicCell, style: OverlayStyle) -> Letterbox | None:
    """Copy a cell's image to its place, scaled; return how, or None if there is no room."""
    left, top, width, height = cell.left_top_wh
    area = bgra[top + CAPTION_PX : top + height, left : left + width]
    if cell.result is None or not area.size:
        return None
    return fit_image(image_of(cell.result, style), area)


def _paint_caption(painter: QPainter, cell: MosaicCell) -> None:
    left, top, width, height = cell.left_top_wh
    band = QRectF(left, top, width, min(CAPTION_PX, height))
    painter.fillRect(band, _BAND)
    painter.setPen(_TEXT)
    room = max(band.width() - 2 * _MARGIN_PX, 0)
    metrics, middle = QFontMetricsF(painter.font()), Qt.TextElideMode.ElideMiddle
    text = metrics.elidedText(cell.caption, middle, room)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(band.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0), flags, text)


def _paint_result(
    painter: QPainter, result: FrameResult, cell: MosaicCell, box: Letterbox, style: OverlayStyle
) -> None:
    """Paint a result over its image, or darken the image."""
    left, top = cell.left_top_wh[0] + box.left, cell.left_top_wh[1] + CAPTION_PX + box.top
    target = QRectF(left, top, box.resized_hw[1], box.resized_hw[0])
    if cell.is_dimmed:
        painter.fillRect(target, _DIM)
        return
    to_target = QTransform.fromTranslate(left, top).scale(box.scale_x, box.scale_y)
    shown = replace(style.of_result(result), verdicts=False)
    paint_result(painter, result, shown, to_target, target)
