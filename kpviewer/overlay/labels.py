"""Labels of detections: their placement, and their painting from images that are kept."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from kpviewer.overlay.marks import box_edge, pixel_ratio
from kpviewer.overlay.palette import Rgb, class_color, text_color
from kpviewer.overlay.style import OverlayStyle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpviewer.structures import Detections

_TEXT_PX, _PLATE_PADDING_PX = 12.0, 4.0


@dataclass(frozen=True, slots=True)
class Label:
    """Placed label: a plate with text."""

    plate: QRectF
    text: str
    class_id: int


def place_labels(
    boxes: list[QRectF], detections: Detections, style: OverlayStyle, bounds: QRectF
) -> list[Label]:
    """Place the labels; of two that collide, keep the one of the higher score.

    A label goes above its box, else below it, else inside at the top; always within ``bounds``.

    Args:
        boxes: boxes of ``detections``, in the painter's pixels.
        detections: sorted by descending score.
        style: texts and sizes of the labels.
        bounds: the part of the image in view, in the painter's pixels.
    """
    font = label_font(style)
    metrics = QFontMetricsF(font)
    padding = _PLATE_PADDING_PX * style.scale
    edge = box_edge(style)  # clear of the stroke
    room = bounds.width() - 2 * padding
    height = metrics.height()
    placed: list[Label] = []
    rows: defaultdict[int, list[QRectF]] = defaultdict(list)  # plates by top, in units of a height
    class_ids, scores, ids = detections.class_ids, detections.scores.tolist(), detections.track_ids
    track_ids = [-1] * len(boxes) if ids is None else ids.tolist()
    found = zip(boxes, class_ids.tolist(), scores, track_ids, strict=True)
    for index, (box, class_id, score, track_id) in enumerate(found):
        text = style.text(class_id, score, index, track_id)
        if not text or not box.intersects(bounds):
            continue
        width = _text_width(text, font)
        if width > room:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            width = _text_width(text, font)
        for plate in _positions(box, QSizeF(width + 2 * padding, height), edge, bounds):
            row = int(plate.top() // height)
            near = (*rows[row - 1], *rows[row], *rows[row + 1])
            if not any(map(plate.intersects, near)):
                rows[row].append(plate)
                placed.append(Label(plate, text, class_id))
                break
    return placed


def paint_labels(painter: QPainter, labels: list[Label], style: OverlayStyle) -> None:
    """Paint plates with their texts, on whole pixels of the device."""
    font, ratio = label_font(style), pixel_ratio(painter)
    for label in labels:
        left, top, right, bottom = (ratio * each for each in label.plate.getCoords())
        size = math.ceil(right - left), math.ceil(bottom - top)
        image = _plate(label.text, class_color(label.class_id), size, ratio, font)
        painter.drawImage(QPointF(round(left) / ratio, round(top) / ratio), image)


@lru_cache(maxsize=512)
def _plate(text: str, color: Rgb, size_wh: tuple[int, int], ratio: float, font: QFont) -> QImage:
    """Return the image of a label, of a size in pixels of the device."""
    image = QImage(*size_wh, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(*color))
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(*text_color(color)))
    plate = QRectF(0, 0, size_wh[0] / ratio, size_wh[1] / ratio)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return image


@lru_cache(maxsize=4096)
def _text_width(text: str, font: QFont) -> float:
    return QFontMetricsF(font).horizontalAdvance(text)


def place_legend(
    size: QSizeF, margin: float, corner: Qt.Corner, bounds: QRectF, room: QRectF
) -> QRectF:
    """Return where a legend stands: beside the image if there is room for all of it, else on it.

    Args:
        size: size of the legend.
        margin: its distance from the edges.
        corner: its corner at the right.
        bounds: the part of the image in view.
        room: the view.
    """
    plate = QRectF(QPointF(), size)
    for area in (room, bounds):
        inner = area.adjusted(margin, margin, -margin, -margin)
        if corner is Qt.Corner.TopRightCorner:
            plate.moveTopRight(inner.topRight())
        else:
            plate.moveBottomRight(inner.bottomRight())
        if not plate.intersects(bounds):
            break
    return plate


def label_font(style: OverlayStyle) -> QFont:
    """Return the font of labels."""
    font = QFont()  # the application's own
    font.setPixelSize(max(1, round(_TEXT_PX * style.scale * style.letters)))
    font.setFeature(QFont.Tag("tnum"), 1)  # digits of one width: a changing score doesn't jitter
    return font


def _positions(box: QRectF, size: QSizeF, edge: float, bounds: QRectF) -> Iterator[QRectF]:
    """Return the positions for a plate of a box that are within the bounds, best first."""
    x, y, _, bottom = box.getCoords()
    first_x, first_y, last_x, last_y = bounds.getCoords()
    left = max(min(x - edge, last_x - size.width()), first_x)
    for top in (y - edge - size.height(), bottom + edge, max(y, first_y) + edge):
        if left + size.width() <= last_x and first_y <= top <= last_y - size.height():
            yield QRectF(QPointF(left, top), size)
