"""Labels of detections: their placement, and their painting from images that are kept."""

import math
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QTransform

from kpviewer.overlay.marks import box_edge, map_boxes, pixel_ratio, within
from kpviewer.overlay.palette import Rgb, class_color, text_color
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import Detections, FloatArray

_TEXT_PX, _PLATE_PADDING_PX = 12.0, 4.0


class Label(NamedTuple):
    """Placed label: a plate with text."""

    plate: QRectF
    text: str
    class_id: int


def paint_found_labels(
    painter: QPainter,
    detections: Detections,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    """Paint the labels of all detections; none where bars show the classes of the whole image."""
    if style.bars is None:
        boxes = map_boxes(detections.xyxy, transform)
        paint_labels(painter, place_labels(boxes, detections, style, bounds), style)


def place_labels(
    boxes: FloatArray, detections: Detections, style: OverlayStyle, bounds: QRectF
) -> list[Label]:
    """Place the labels; of two that collide, keep the one of the higher score.

    A label goes above its box, else below it, else inside at the top; always within ``bounds``. It
    begins at the left edge, or at the highest corner of a rotated box.

    Args:
        boxes: (N, 4) boxes of ``detections``, in the painter's pixels.
        detections: sorted by descending score.
        style: texts and sizes of the labels.
        bounds: the part of the image in view, in the painter's pixels.
    """
    metrics, width_of = _metrics(label_font(style))
    padding = _PLATE_PADDING_PX * style.scale
    room = bounds.width() - 2 * padding
    height = metrics.height()
    first_x, _, last_x, _ = bounds.getCoords()
    tops, is_inside = _tops(boxes, height, box_edge(style), bounds)
    lefts = (_lefts(boxes, detections) - box_edge(style)).tolist()
    class_ids, scores = detections.class_ids.tolist(), detections.scores.tolist()
    ids = detections.track_ids
    track_ids = [-1] * len(boxes) if ids is None else ids.tolist()
    placed: list[Label] = []
    rows = _Rows(height)
    for index in np.flatnonzero(within(boxes, bounds)).tolist():
        text = style.text(class_ids[index], scores[index], index, track_ids[index])
        if not text:
            continue
        width = width_of(text)
        if width > room:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            width = width_of(text)
        width += 2 * padding
        left = max(min(lefts[index], last_x - width), first_x)
        right = left + width
        if right > last_x:
            continue
        for top in compress(tops[index], is_inside[index]):
            if rows.take(left, right, top):
                placed.append(Label(QRectF(left, top, width, height), text, class_ids[index]))
                break
    return placed


def _lefts(boxes: FloatArray, detections: Detections) -> FloatArray:
    """Return where labels begin, (N,): an outline's top may be far from the left of its box."""
    lefts = boxes[:, 0]
    if detections.outlines_xy is None:
        return lefts
    x, y = np.moveaxis(detections.outlines_xy, 2, 0)
    highest = np.where(y <= y.min(1, keepdims=True) + 1, x, np.inf).min(1)
    left, right = detections.xyxy[:, 0], detections.xyxy[:, 2]
    share = ((highest - left) / np.maximum(right - left, 1)).clip(0, 1)
    return np.asarray(lefts + share * (boxes[:, 2] - lefts))


class _Rows:
    """Places of plates of one height, of which none covers another."""

    def __init__(self, height: float) -> None:
        self._height = height
        self._near: defaultdict[int, list[tuple[float, float, float]]] = defaultdict(list)
        """Left, right and top of what may reach into a row, by row."""

    def take(self, left: float, right: float, top: float) -> bool:
        """Take a place if it is free, and return whether it was."""
        near, height = self._near, self._height
        row = int(top // height)
        for start, end, other in near[row]:
            if start < right and end > left and -height < other - top < height:
                return False
        place = left, right, top
        near[row - 1].append(place)
        near[row].append(place)
        near[row + 1].append(place)
        return True


def _tops(
    boxes: FloatArray, height: float, edge: float, bounds: QRectF
) -> tuple[list[list[float]], list[list[bool]]]:
    """Return where plates of boxes may begin, best first, and whether that is within the bounds."""
    top, bottom = boxes[:, 1], boxes[:, 3]
    inner = np.maximum(top, bounds.top())
    tops = np.stack([top - edge - height, bottom + edge, inner + edge], 1)
    is_inside = (tops >= bounds.top()) & (tops <= bounds.bottom() - height)
    return tops.tolist(), is_inside.tolist()


def paint_labels(painter: QPainter, labels: list[Label], style: OverlayStyle) -> None:
    """Paint plates with their texts, on whole pixels of the device."""
    ratio = pixel_ratio(painter)
    image_of = _plates(label_font(style), ratio)
    for plate, text, class_id in labels:
        left, top, right, bottom = plate.getCoords()
        left, top, right, bottom = ratio * left, ratio * top, ratio * right, ratio * bottom
        size_wh = math.ceil(right - left), math.ceil(bottom - top)
        image = image_of(text, class_color(class_id), size_wh)
        painter.drawImage(QPointF(round(left) / ratio, round(top) / ratio), image)


@lru_cache(maxsize=16)
def _plates(font: QFont, ratio: float) -> Callable[[str, Rgb, tuple[int, int]], QImage]:
    """Return a function of text, colour and size that returns the image of a label, kept.

    The size is in pixels of the device.
    """

    @lru_cache(maxsize=512)
    def image_of(text: str, color: Rgb, size_wh: tuple[int, int]) -> QImage:
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

    return image_of


@lru_cache(maxsize=16)
def _metrics(font: QFont) -> tuple[QFontMetricsF, Callable[[str], float]]:
    """Return a font's metrics, and a function that returns the width of a text, kept."""
    metrics = QFontMetricsF(font)
    return metrics, lru_cache(maxsize=4096)(metrics.horizontalAdvance)


def place_legend(
    size: QSizeF, margin: float, corner: Qt.Corner, bounds: QRectF, room: QRectF
) -> QRectF:
    """Return where a legend stands: beside the image if there is room for all of it, else on it."""
    plate = QRectF(QPointF(), size)
    for area in (room, bounds & room):
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
