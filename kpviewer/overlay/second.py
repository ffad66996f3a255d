"""Painting of a second model's detections: corners for boxes, diamonds for landmarks.

Outlines of rotated boxes and masks are dashed.
"""

import numpy as np
from PyQt6.QtCore import QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QTransform

from kpviewer.overlay.dots import paint_diamonds
from kpviewer.overlay.keypoints import mark_diameters
from kpviewer.overlay.labels import label_font, paint_found_labels, place_legend
from kpviewer.overlay.marks import (
    HALO_PX,
    OPAQUE_HALO,
    Stroke,
    landmark_opacities,
    map_boxes,
    map_xy,
    painting_within,
)
from kpviewer.overlay.outlines import Dashes, paint_corners
from kpviewer.overlay.palette import OKABE_ITO
from kpviewer.overlay.polygons import paint_dashed_polygons
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import Detections, FloatArray, FrameResult

COLOR = OKABE_ITO[4]
"""Colour of the second model's detections, whatever the class."""
_FIRST = QColor(255, 255, 255)
_STROKE_PX, _GAP_PX = 3.0, 4.0
_DASHES = 3.0, 2.0
"""Dashes and gaps of outlines in widths of the stroke."""
_ARM_SHARE, _MAX_ARM_PX = 0.25, 28.0
_DIAMOND_SHARE, _DIAMOND_PX = 1.6, 1.5
"""Diameter of a diamond as a share of that of the first model's marks, and its stroke."""
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
    """Paint the second model's detections, the first one's labels over them, and a legend.

    Unless the style names the two models, labels alone are painted.

    Args:
        painter: an active painter; its state is restored.
        result: the frame with the detections of both models.
        style: what to paint, and how large.
        transform: from source pixels to the painter's logical ones.
        bounds: the part of the image in view, in the painter's pixels.
        room: where the legend may stand; None: ``bounds``.
    """
    names = style.names_of_two
    second = None if names is None else result.second
    with painting_within(painter, bounds):
        if second is not None:
            _paint_shapes(painter, second.detections, style, transform, bounds)
        paint_found_labels(painter, result.detections, style, transform, bounds)
        if names is not None and second is not None:
            painter.setClipRect(room or bounds)
            _paint_legend(painter, style, names, bounds, room or bounds)


def _paint_shapes(
    painter: QPainter,
    found: Detections,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    boxes = map_boxes(found.xyxy, transform)
    halo_px = HALO_PX * style.scale
    width = _STROKE_PX * style.scale * style.lines
    if style.boxes and found.outlines_xy is not None:
        on, off = (width * each for each in _DASHES)
        dashes = Dashes(COLOR, width, on, off, OPAQUE_HALO, halo_px)
        paint_dashed_polygons(painter, map_xy(found.outlines_xy, transform), dashes, away=0)
    elif style.boxes:
        stroke = Stroke(COLOR, width, halo_px)
        paint_corners(painter, boxes, _arms(boxes, style), stroke, bounds)
    if style.landmarks:
        opacities = landmark_opacities(found)[::-1]
        rows, which = np.nonzero(opacities)
        diameters = mark_diameters(boxes, opacities.shape[1], style)[::-1]
        paint_diamonds(
            painter,
            map_xy(found.keypoints_xy, transform)[::-1][rows, which],
            _DIAMOND_SHARE * diameters[rows],
            Stroke(COLOR, _DIAMOND_PX * style.scale, halo_px),
            opacities[rows, which],
        )


def _arms(boxes: FloatArray, style: OverlayStyle) -> FloatArray:
    """Return the lengths of the corners of (N, 4) boxes: (N,)."""
    sides = boxes[:, 2:] - boxes[:, :2]
    arms: FloatArray = np.clip(_ARM_SHARE * sides.min(1), 0, _MAX_ARM_PX * style.scale)
    return arms


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
            box = np.array([sign.getCoords()])
            stroke = Stroke(COLOR, 2 * style.scale, HALO_PX * style.scale)
            paint_corners(painter, box, _arms(box, style), stroke, room)
        else:
            painter.setPen(QPen(_FIRST, 2 * style.scale))
            painter.drawRect(sign)
        painter.setPen(_PLATE_TEXT)
        text = QRectF(sign.right() + gap, top, width + gap, side)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, line)
        top += side + gap
