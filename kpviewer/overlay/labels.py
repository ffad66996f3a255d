"""Labels of detections: their placement and painting."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from kpviewer.overlay.marks import box_edge
from kpviewer.overlay.palette import class_color, text_color
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
    metrics = QFontMetricsF(label_font(style))
    padding = _PLATE_PADDING_PX * style.scale
    edge = box_edge(style)  # clear of the stroke
    room = bounds.width() - 2 * padding
    height = metrics.height()
    placed: list[Label] = []
    rows: defaultdict[int, list[QRectF]] = defaultdict(list)  # plates by top, in units of a height
    for index, box in enumerate(boxes):
        class_id, ids = int(detections.class_ids[index]), detections.track_ids
        track_id = -1 if ids is None else int(ids[index])
        text = style.text(class_id, float(detections.scores[index]), index, track_id)
        if not text or not box.intersects(bounds):
            continue
        width = metrics.horizontalAdvance(text)
        if width > room:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            width = metrics.horizontalAdvance(text)
        for plate in _positions(box, QSizeF(width + 2 * padding, height), edge, bounds):
            row = int(plate.top() // height)
            near = (*rows[row - 1], *rows[row], *rows[row + 1])
            if not any(map(plate.intersects, near)):
                rows[row].append(plate)
                placed.append(Label(plate, text, class_id))
                break
    return placed


def paint_label(painter: QPainter, label: Label) -> None:
    """Paint a plate with its text."""
    color = class_color(label.class_id)
    painter.fillRect(label.plate, QColor(*color))
    painter.setPen(QColor(*text_color(color)))
    painter.drawText(label.plate, Qt.AlignmentFlag.AlignCenter, label.text)


def label_font(style: OverlayStyle) -> QFont:
    """Return the font of labels."""
    font = QFont()  # the application's own
    font.setPixelSize(max(1, round(_TEXT_PX * style.scale * style.letters)))
    font.setFeature(QFont.Tag("tnum"), 1)  # digits of one width: a changing score doesn't jitter
    return font


def _positions(box: QRectF, size: QSizeF, edge: float, bounds: QRectF) -> Iterator[QRectF]:
    """Return the positions for a plate of a box that are within the bounds, best first."""
    left = max(min(box.left() - edge, bounds.right() - size.width()), bounds.left())
    inside = max(box.top(), bounds.top()) + edge
    for top in (box.top() - edge - size.height(), box.bottom() + edge, inside):
        plate = QRectF(QPointF(left, top), size)
        if bounds.contains(plate):
            yield plate
