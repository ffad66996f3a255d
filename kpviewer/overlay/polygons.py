"""Outlines of objects that aren't upright boxes: rotated boxes, and masks, which are filled."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPainter, QPolygonF

from kpviewer.geometry import rings_of
from kpviewer.overlay.marks import OPAQUE_HALO, box_widths, flat_pen, with_halo
from kpviewer.overlay.outlines import Dashes
from kpviewer.overlay.palette import class_color
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import (
    BOX_CORNERS,
    Detections,
    FloatArray,
    GroundTruth,
    IntArray,
    corner_counts,
)

_FILL_ALPHA = 80
_FAR_PX = 1e6


def true_outlines(ground_truth: GroundTruth, detections: Detections) -> FloatArray | None:
    """Return the outlines of true objects as they are shown beside detections, (T, V, 2).

    Masks are shown beside masks only: other detections are compared with boxes.
    """
    outlines = ground_truth.outlines_xy
    if outlines is None or (outlines.shape[1] > BOX_CORNERS and not detections.has_masks):
        return None
    return outlines


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
    shapes = _shapes(outlines)
    widths = box_widths(len(shapes), style).tolist()
    for row, shape in reversed(list(enumerate(shapes))):
        color = QColor(*class_color(int(class_ids[row])))
        pen = flat_pen(color, widths[row])
        if is_filled:
            _fill(painter, shape.whole, color)
            pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)  # round ones take half as long again
        with_halo(painter, pen, style, partial(shape.stroke, painter), halo)


def paint_dashed_polygons(
    painter: QPainter, outlines: FloatArray, dashes: Dashes, away: float
) -> None:
    """Paint dashed outlines, each above a solid halo.

    Args:
        painter: an active painter without a brush.
        outlines: (N, V, 2) corners in the painter's pixels.
        dashes: their stroke.
        away: distance of the strokes within the outlines.
    """
    pen = flat_pen(QColor(*dashes.color), dashes.width)
    halo = flat_pen(QColor(*dashes.halo), dashes.width + 2 * dashes.halo_px)
    pen.setDashPattern([dashes.on / dashes.width, dashes.off / dashes.width])
    shapes = _shapes(_shrunk(outlines, away))
    for each in (halo, pen):
        painter.setPen(each)
        for shape in shapes:
            shape.stroke(painter)


def lowest_corners(boxes: FloatArray, outlines: FloatArray | None) -> FloatArray:
    """Return the lowest corner of outlines, (N, 2), for signs that stand at their objects.

    Args:
        boxes: (N, 4) upright boxes.
        outlines: (N, V, 2) corners of the objects; None: the lower right corners of the boxes are
            returned.
    """
    if outlines is None:
        return boxes[:, 2:]
    lowest = outlines[np.arange(len(outlines)), outlines[..., 1].argmax(1)]
    return np.asarray(np.clip(lowest, boxes[:, :2], boxes[:, 2:]))


def _shrunk(outlines: FloatArray, away: float) -> FloatArray:
    """Return outlines whose corners moved towards the middle, where there is room for that."""
    away *= math.sqrt(2)  # as far as the corner of a rectangle moves
    to_middle = (outlines.min(1) + outlines.max(1))[:, None] / 2 - outlines
    distance = np.maximum(np.linalg.norm(to_middle, axis=2, keepdims=True), away)
    return np.asarray(outlines + to_middle / distance * np.where(distance > 2 * away, away, 0))


def _fill(painter: QPainter, polygon: QPolygonF, color: QColor) -> None:
    """Tint a polygon. A stroke hides its edges; smooth ones take four times as long."""
    tint = QColor(color)
    tint.setAlpha(_FILL_ALPHA)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.drawPolygon(polygon)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)


class _Shape(NamedTuple):
    """Outline of an object for QPainter."""

    whole: QPolygonF
    rings: tuple[QPolygonF, ...]
    """The outline without its bridges from part to part."""

    def stroke(self, painter: QPainter) -> None:
        """Paint the rings."""
        for ring in self.rings:
            painter.drawPolygon(ring)


def _shapes(outlines: FloatArray) -> list[_Shape]:
    """Return (N, V, 2) outlines for QPainter, corners that repeat the last one left out."""
    near = np.clip(outlines, -_FAR_PX, _FAR_PX)
    counts = corner_counts(near)
    ranked = np.sort(near[..., 0] + 1j * near[..., 1], axis=1)
    different = 1 + np.count_nonzero(np.diff(ranked, axis=1), axis=1)
    return [
        _shape(corners[:count], has_bridges=has_bridges)
        for corners, count, has_bridges in zip(
            near.tolist(), counts.tolist(), (different < counts).tolist(), strict=True
        )
    ]


def _shape(corners: list[list[float]], *, has_bridges: bool) -> _Shape:
    whole = QPolygonF([QPointF(x, y) for x, y in corners])
    if not has_bridges:
        return _Shape(whole, (whole,))
    rings = rings_of([(x, y) for x, y in corners])
    return _Shape(whole, tuple(QPolygonF([QPointF(*each) for each in ring]) for ring in rings))
