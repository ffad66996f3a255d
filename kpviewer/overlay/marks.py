"""Painting of boxes, landmarks and ground truth: strokes with a dark halo, in painter pixels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF, QTransform

from kpviewer.overlay.palette import class_color
from kpviewer.overlay.style import OverlayStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kpviewer.structures import Detections, FloatArray, GroundTruth

_BOX_PX, _SELECTED_PX, _GROUND_TRUTH_PX, _LINE_PX, _HALO_PX = 2.0, 4.0, 1.0, 1.5, 1.0
_DOT_PX, _HOVERED_DOT_PX = 3.0, 6.0
_HALO = QColor(0, 0, 0, 150)
_DASHES = [4.0, 3.0]
_GROUND_TRUTH_ARM_PX = 3.0
_OPACITY_STEPS = 8

T = TypeVar("T")


def map_box(xyxy: FloatArray, transform: QTransform) -> QRectF:
    """Map a box and round its edges to whole pixels: straight strokes are sharp there."""
    left, top, right, bottom = np.nan_to_num(xyxy, posinf=1e6, neginf=-1e6).tolist()
    mapped = transform.mapRect(QRectF(QPointF(left, top), QPointF(right, bottom)))
    low = QPointF(round(mapped.left()), round(mapped.top()))
    return QRectF(low, QPointF(round(mapped.right()), round(mapped.bottom())))


def map_points(xy: FloatArray, transform: QTransform) -> list[QPointF]:
    """Map (K, 2) points."""
    return [transform.map(QPointF(x, y)) for x, y in np.nan_to_num(xy).tolist()]


def landmark_opacities(detections: Detections) -> list[list[float]]:
    """Return the opacity of each landmark, N lists of K in [0, 1], by its score.

    It rises from 0 at half the threshold to 1 at the threshold; without a score it is 1.
    """
    threshold = detections.keypoint_threshold
    if not threshold or not detections.has_keypoint_scores:
        return [[1.0] * detections.keypoints_xy.shape[1]] * len(detections)
    shares = np.nan_to_num(detections.keypoint_scores, nan=1.0) / np.float32(threshold)
    opacities: list[list[float]] = np.clip(2 * shares - 1, 0, 1).tolist()
    return opacities


def by_opacity(shapes: Iterable[tuple[T, float]]) -> list[tuple[float, list[T]]]:
    """Group shapes by opacity, in eighths, the faintest first; invisible ones are left out."""
    groups: dict[int, list[T]] = {}
    for shape, opacity in shapes:
        groups.setdefault(round(opacity * _OPACITY_STEPS), []).append(shape)
    return [(step / _OPACITY_STEPS, groups[step]) for step in sorted(groups) if step]


def _pen(color: QColor, width: float, cap: Qt.PenCapStyle = Qt.PenCapStyle.FlatCap) -> QPen:
    return QPen(color, width, Qt.PenStyle.SolidLine, cap, Qt.PenJoinStyle.MiterJoin)


def _with_halo(
    painter: QPainter, pen: QPen, style: OverlayStyle, paint: Callable[[], None]
) -> None:
    """Paint a shape twice: first wider and dark, to be visible on any image."""
    halo = QPen(pen)
    halo.setStyle(Qt.PenStyle.SolidLine)
    halo.setColor(_HALO)
    halo.setWidthF(pen.widthF() + 2 * _HALO_PX * style.scale)
    for each in (halo, pen):
        painter.setPen(each)
        paint()


def box_edge(style: OverlayStyle) -> float:
    """Return how far a box's stroke and halo extend beyond it."""
    return (_BOX_PX / 2 * style.lines + _HALO_PX) * style.scale


def paint_box(
    painter: QPainter, box: QRectF, color: QColor, style: OverlayStyle, selected: bool
) -> None:
    """Paint the outline of a box."""
    width = _SELECTED_PX if selected else _BOX_PX
    pen = _pen(color, width * style.scale * style.lines)
    _with_halo(painter, pen, style, lambda: painter.drawRect(box))


def paint_trail(
    painter: QPainter, points: list[QPointF], class_id: int, style: OverlayStyle
) -> None:
    """Paint the past positions of an object, fading to the oldest."""
    color = QColor(*class_color(class_id))
    for index in range(1, len(points)):
        color.setAlphaF(index / len(points))
        pen = _pen(color, _LINE_PX * style.scale * style.lines, Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(points[index - 1], points[index])


def paint_landmarks(
    painter: QPainter,
    points: list[QPointF],
    opacities: list[float],
    color: QColor,
    style: OverlayStyle,
    *,
    hovered: bool,
) -> None:
    """Paint the skeleton and a dot for each landmark; a line is as faint as its fainter end."""
    there, usual = range(len(points)), painter.opacity()
    bones = (
        (QLineF(points[a], points[b]), min(opacities[a], opacities[b]))
        for a, b in style.skeleton
        if a in there and b in there
    )
    pen = _pen(color, _LINE_PX * style.scale * style.lines, Qt.PenCapStyle.RoundCap)
    for opacity, lines in by_opacity(bones):
        painter.setOpacity(usual * opacity)
        _with_halo(painter, pen, style, partial(painter.drawLines, *lines))
    diameter = _HOVERED_DOT_PX if hovered else _DOT_PX
    pen = _pen(color, diameter * style.scale * style.dots, Qt.PenCapStyle.RoundCap)
    for opacity, dots in by_opacity(zip(points, opacities, strict=True)):
        painter.setOpacity(usual * opacity)
        _with_halo(painter, pen, style, partial(painter.drawPoints, QPolygonF(dots)))
    painter.setOpacity(usual)


def paint_ground_truth(
    painter: QPainter, ground_truth: GroundTruth, style: OverlayStyle, transform: QTransform
) -> None:
    """Paint dashed boxes and points as crosses, unlike the shapes of predictions."""
    arm = _GROUND_TRUTH_ARM_PX * style.scale * style.dots
    for index, class_id in enumerate(ground_truth.class_ids.tolist()):
        pen = _pen(QColor(*class_color(class_id)), _GROUND_TRUTH_PX * style.scale * style.lines)
        if style.landmarks:
            visible = ground_truth.keypoints_xy[index][ground_truth.keypoints_visible[index]]
            lines = [
                QLineF(point.x() - dx, point.y() - dy, point.x() + dx, point.y() + dy)
                for point in map_points(visible, transform)
                for dx, dy in ((arm, arm), (arm, -arm))
            ]
            if lines:
                _with_halo(painter, pen, style, partial(painter.drawLines, *lines))
        if style.boxes:
            half = pen.widthF() / 2  # a thin stroke is sharp between whole pixels
            box = map_box(ground_truth.xyxy[index], transform).adjusted(half, half, -half, -half)
            pen.setDashPattern(_DASHES)
            _with_halo(painter, pen, style, partial(painter.drawRect, box))
