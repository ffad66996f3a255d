"""Dashed lines inside boxes and outlines, to be found at a glance."""

import numpy as np
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter

from kpviewer.overlay.outlines import Dashes, paint_dashed
from kpviewer.overlay.palette import BLACK, WHITE, Rgb, text_color
from kpviewer.overlay.polygons import paint_dashed_polygons
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import FloatArray

_STROKE_PX, _HALO_PX, _GAP_PX = 2.0, 1.0, 4.0
_DASHES = 3.0, 1.0
"""Dashes and gaps in widths of the stroke."""
_HALOS: dict[Rgb, Rgb] = {BLACK: (24, 26, 28), WHITE: (230, 230, 230)}
"""Colours around dashes by the colour of text that they would carry."""


def paint_frames(
    painter: QPainter, boxes: FloatArray, color: Rgb, style: OverlayStyle, bounds: QRectF
) -> None:
    """Paint dashed lines inside boxes, clear of their strokes and of the labels outside.

    Args:
        painter: an active painter.
        boxes: (N, 4) in the painter's pixels; small ones get none.
        color: colour of the dashes.
        style: sizes.
        bounds: the part of the image in view, in the painter's pixels.
    """
    away = _away(style)
    large = boxes[(boxes[:, 2:] - boxes[:, :2]).min(1) >= 4 * away]
    if len(large):
        inside = large + np.array((away, away, -away, -away))
        paint_dashed(painter, inside, _dashes(color, style), bounds)


def paint_outline_frames(
    painter: QPainter, outlines: FloatArray, color: Rgb, style: OverlayStyle
) -> None:
    """Paint dashed lines inside (N, V, 2) outlines: their corners, moved towards the middle."""
    paint_dashed_polygons(painter, outlines, _dashes(color, style), _away(style))


def _away(style: OverlayStyle) -> float:
    return _GAP_PX * style.scale * max(1.0, style.lines)


def _dashes(color: Rgb, style: OverlayStyle) -> Dashes:
    width = _STROKE_PX * style.scale
    on, off = (width * each for each in _DASHES)
    return Dashes(color, width, on, off, _HALOS[text_color(color)], _HALO_PX * style.scale)
