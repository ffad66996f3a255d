"""Outlines of objects that aren't upright boxes: rotated boxes, and masks, which are filled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPolygonF

from kpviewer.overlay.marks import OPAQUE_HALO, box_widths, flat_pen, with_halo
from kpviewer.overlay.palette import class_color

if TYPE_CHECKING:
    from PyQt6.QtGui import QPainter

    from kpviewer.overlay.style import OverlayStyle
    from kpviewer.structures import FloatArray, IntArray

_FILL_ALPHA = 80
_FAR_PX = 1e6


def paint_polygons(
    painter: QPainter,
    outlines: FloatArray,
    class_ids: IntArray,
    style: OverlayStyle,
    *,
    is_filled: bool,
) -> None:
    """Paint outlines in the colours of their classes, with dark halos; the first one on top.

    Args:
        painter: an active painter without a brush.
        outlines: (N, V, 2) corners in the painter's pixels.
        class_ids: (N,).
        style: widths, and the selected object.
        is_filled: whether the inside is tinted.
    """
    halo = QColor(*OPAQUE_HALO)
    near = np.clip(outlines, -_FAR_PX, _FAR_PX).tolist()
    widths = box_widths(len(near), style).tolist()
    for row in reversed(range(len(near))):
        polygon = QPolygonF([QPointF(x, y) for x, y in near[row]])
        color = QColor(*class_color(int(class_ids[row])))
        if is_filled:
            tint = QColor(color)
            tint.setAlpha(_FILL_ALPHA)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            painter.drawPolygon(polygon)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = flat_pen(color, widths[row])
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin if is_filled else Qt.PenJoinStyle.MiterJoin)
        with_halo(painter, pen, style, partial(painter.drawPolygon, polygon), halo)
