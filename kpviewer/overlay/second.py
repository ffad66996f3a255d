"""Painting of a second model's detections: corners for boxes, diamonds for landmarks."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF, QTransform

from kpviewer.overlay.keypoints import mark_diameters
from kpviewer.overlay.labels import label_font, place_legend
from kpviewer.overlay.marks import (
    by_opacity,
    landmark_opacities,
    map_boxes,
    map_points,
    painting_within,
    with_halo,
)
from kpviewer.overlay.palette import OKABE_ITO
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import FrameResult

COLOR = OKABE_ITO[4]
"""Colour of the second model's detections, whatever the class."""
_FIRST = QColor(255, 255, 255)
_STROKE_PX, _GAP_PX = 3.0, 4.0
_ARM_SHARE, _MAX_ARM_PX = 0.25, 28.0
_DIAMOND_SHARE = 0.8
"""Reach of a diamond as a share of the diameter of the first model's marks."""
_PLATE, _PLATE_TEXT = QColor(16, 18, 20, 190), QColor(255, 255, 255)
_LARGEST_SHARE = 0.9
"""Largest share of the image's width that the legend may take."""


def paint_second(
    painter: QPainter,
    result: FrameResult,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
    room: QRectF | None = None,
) -> None:
    """Paint the second model's detections and a legend, if the style names the models.

    Args:
        painter: an active painter; its state is restored.
        result: the frame with the detections of both models.
        style: what to paint, and how large.
        transform: from source pixels to the painter's logical ones.
        bounds: the part of the image in view, in the painter's pixels.
        room: where the legend may stand; None: ``bounds``.
    """
    if style.names_of_two is None or result.second is None:
        return
    found = result.second.detections
    with painting_within(painter, bounds):
        opacities = landmark_opacities(found).tolist()
        boxes = map_boxes(found.xyxy, transform)
        diameters = mark_diameters(boxes, found.keypoints_xy.shape[1], style).tolist()
        width = _STROKE_PX * style.scale * style.lines
        for row, (left, top, right, bottom) in enumerate(boxes.tolist()):
            if style.boxes:
                box = QRectF(left, top, right - left, bottom - top)
                _stroke(painter, _corners(box, style.scale), width, style)
            if style.landmarks:
                xy = map_points(found.keypoints_xy[row], transform)
                points = zip(xy, opacities[row], strict=True)
                reach = _DIAMOND_SHARE * diameters[row]
                for opacity, visible in by_opacity(points):
                    painter.setOpacity(opacity)
                    _paint_diamonds(painter, visible, reach, style)
                painter.setOpacity(1.0)
        painter.setClipRect(room or bounds)
        _paint_legend(painter, style, style.names_of_two, bounds, room or bounds)


def _stroke(painter: QPainter, shapes: list[QPolygonF], width: float, style: OverlayStyle) -> None:
    """Paint open lines with a dark halo."""
    pen = QPen(QColor(*COLOR), width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    with_halo(painter, pen, style, lambda: [painter.drawPolyline(shape) for shape in shapes])


def _corners(box: QRectF, scale: float) -> list[QPolygonF]:
    arm = min(_ARM_SHARE * min(box.width(), box.height()), _MAX_ARM_PX * scale)
    ends = (
        (box.topLeft(), 1, 1),
        (box.topRight(), -1, 1),
        (box.bottomRight(), -1, -1),
        (box.bottomLeft(), 1, -1),
    )
    return [
        QPolygonF([at + QPointF(dx * arm, 0), at, at + QPointF(0, dy * arm)]) for at, dx, dy in ends
    ]


def _paint_diamonds(
    painter: QPainter, points: list[QPointF], reach: float, style: OverlayStyle
) -> None:
    shapes = []
    for at in points:
        sides = (QPointF(0, -reach), QPointF(reach, 0), QPointF(0, reach), QPointF(-reach, 0))
        shapes.append(QPolygonF([at + side for side in (*sides, sides[0])]))
    _stroke(painter, shapes, 1.5 * style.scale, style)


def _paint_legend(
    painter: QPainter, style: OverlayStyle, names: tuple[str, str], bounds: QRectF, room: QRectF
) -> None:
    """Paint the models' names and signs in the upper right corner."""
    font = label_font(style)
    metrics = QFontMetricsF(font)
    gap, side = _GAP_PX * style.scale, metrics.height()
    most = _LARGEST_SHARE * room.width() - side - 4 * gap
    lines = [f"A  {names[0]}", f"B  {names[1]}"]
    lines = [metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, most) for line in lines]
    width = max(metrics.horizontalAdvance(line) for line in lines)
    size = QSizeF(width + side + 3 * gap, 2 * side + 3 * gap)
    plate = place_legend(size, 2 * gap, Qt.Corner.TopRightCorner, bounds, room)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, gap, gap)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(font)
    top = plate.top() + gap
    for index, line in enumerate(lines):
        sign = QRectF(plate.left() + gap, top, side, side).adjusted(2, 2, -2, -2)
        if index:
            _stroke(painter, _corners(sign, style.scale), 2 * style.scale, style)
        else:
            painter.setPen(QPen(_FIRST, 2 * style.scale))
            painter.drawRect(sign)
        painter.setPen(_PLATE_TEXT)
        text = QRectF(sign.right() + gap, top, width + gap, side)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, line)
        top += side + gap
