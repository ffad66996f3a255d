"""Painting of keypoints: marks with a white core, and lines to where the ground truth has them.

Marks grow with the object on the screen, and so with the zoom, within bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF, QTransform

from kpviewer.metrics.localisation import match_within
from kpviewer.metrics.matching import Matches, match
from kpviewer.overlay.marks import (
    HALO,
    HALO_PX,
    by_opacity,
    flat_pen,
    landmark_opacities,
    map_points,
    with_halo,
)
from kpviewer.overlay.palette import WHITE, Rgb, class_color
from kpviewer.overlay.parts import keypoint_colors
from kpviewer.overlay.style import OverlayStyle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.structures import Detections, FloatArray, GroundTruth

_SIDE_SHARE, _SPACING_SHARE = 0.03, 0.25
"""Largest diameter of a mark as a share of the object's side, and of the distance of its keypoints
if they were spread evenly."""
_SMALLEST_PX, _LARGEST_PX = 4.0, 14.0
_CROWDED_PX = 2.0
"""Smallest diameter of a mark where keypoints are close together."""
_HOVERED_FACTOR = 1.5
_CORE_SHARE = 0.4
_ROUND_FROM_PX = 3.0
"""Diameter from which a core is round; smaller ones look the same as squares, painted faster."""
_ERROR_PX, _CROSS_PX = 1.5, 3.0
_NEUTRAL = QColor(*WHITE)


class Mark(NamedTuple):
    """Keypoint to paint, in the painter's pixels."""

    at: QPointF
    diameter: float
    color: Rgb


@dataclass(frozen=True, slots=True)
class ErrorLines:
    """Lines from predicted to true keypoints, and true keypoints that weren't predicted."""

    lines: tuple[QLineF, ...] = ()
    """From the predicted to the true point, in the painter's pixels."""
    alone: tuple[QPointF, ...] = ()


def mark_diameter(box: QRectF, count: int, style: OverlayStyle) -> float:
    """Return the diameter of the marks of an object, in the painter's pixels.

    Args:
        box: box of the object, in the painter's pixels.
        count: number of its keypoints.
        style: factors of the size.
    """
    side = math.sqrt(max(box.width(), 0.0) * max(box.height(), 0.0))
    room = _SPACING_SHARE * side / math.sqrt(max(count, 1))
    usual = min(max(_SIDE_SHARE * side, _SMALLEST_PX * style.scale), _LARGEST_PX * style.scale)
    return style.dots * min(usual, max(room, _CROWDED_PX * style.scale))


def shown_points(detections: Detections, style: OverlayStyle) -> FloatArray:
    """Return the (N, K, 2) keypoints that are drawn: smoothed ones if wanted and known."""
    smoothed_xy = detections.smoothed_xy if style.smooth_landmarks else None
    return detections.keypoints_xy if smoothed_xy is None else smoothed_xy


def keypoint_at(
    detections: Detections, style: OverlayStyle, x: float, y: float, reach: float
) -> tuple[int, int] | None:
    """Return the detection and the index of the drawn keypoint nearest to a point, or None.

    Args:
        detections: detections in source pixels.
        style: what is drawn.
        x: in source pixels.
        y: in source pixels.
        reach: largest distance, source px.
    """
    points = shown_points(detections, style)
    if not style.landmarks or style.bars is not None or not points.size:
        return None
    gaps = np.hypot(points[..., 0] - x, points[..., 1] - y)
    gaps[np.array(landmark_opacities(detections)) <= 0] = np.inf
    gaps = np.nan_to_num(gaps, nan=np.inf)
    row, point = np.unravel_index(int(gaps.argmin()), gaps.shape)
    return (int(row), int(point)) if gaps[row, point] <= reach else None


def keypoint_error(
    detections: Detections, ground_truth: GroundTruth, row: int, point: int
) -> float | None:
    """Return the distance of a raw keypoint from its true place, px; None if that isn't known."""
    true_row = int(matches_of(detections, ground_truth).ground_truth_index[row])
    same = detections.keypoints_xy.shape[1] == ground_truth.keypoints_xy.shape[1]
    if true_row < 0 or not same or not ground_truth.keypoints_visible[true_row, point]:
        return None
    gap = detections.keypoints_xy[row, point] - ground_truth.keypoints_xy[true_row, point]
    return float(np.hypot(*gap))


@lru_cache(maxsize=4)
def matches_of(
    detections: Detections, ground_truth: GroundTruth, within_px: float | None = None
) -> Matches:
    """Return the matches of the two, by IoU or within a distance; a frame is painted often."""
    if within_px is None:
        return match(detections, ground_truth)
    return match_within(detections, ground_truth, within_px)


def paint_keypoints(
    painter: QPainter,
    detections: Detections,
    points: Sequence[list[QPointF]],
    boxes: Sequence[QRectF],
    style: OverlayStyle,
) -> None:
    """Paint the marks of all keypoints, those of the best detection on top.

    Args:
        painter: an active painter; its pen, brush and opacity change.
        detections: the detections.
        points: N lists of K points, in the painter's pixels.
        boxes: boxes of the detections, in the painter's pixels.
        style: names of the keypoints, sizes, and the hovered detection.
    """
    count = detections.keypoints_xy.shape[1]
    colors = keypoint_colors(style.keypoint_names, count)
    opacities = landmark_opacities(detections)
    marks: list[tuple[Mark, float]] = []
    for index in reversed(range(len(detections))):
        diameter = mark_diameter(boxes[index], count, style)
        if index == style.hovered:
            diameter *= _HOVERED_FACTOR
        own = colors or (class_color(int(detections.class_ids[index])),) * count
        for at, color, opacity in zip(points[index], own, opacities[index], strict=True):
            marks.append((Mark(at, diameter, color), opacity))
    painter.setPen(Qt.PenStyle.NoPen)
    for opacity, shown in by_opacity(marks):
        painter.setOpacity(opacity)
        _paint_discs(painter, shown, style)
    painter.setOpacity(1.0)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_discs(painter: QPainter, marks: Sequence[Mark], style: OverlayStyle) -> None:
    """Paint the dark rings of all marks, then the colours, then the cores."""
    painter.setBrush(HALO)
    for at, diameter, _ in marks:
        radius = diameter / 2 + HALO_PX * style.scale
        painter.drawEllipse(at, radius, radius)
    by_color: dict[Rgb, list[Mark]] = {}
    for mark in marks:
        by_color.setdefault(mark.color, []).append(mark)
    for color, group in by_color.items():
        painter.setBrush(QColor(*color))
        for at, diameter, _ in group:
            painter.drawEllipse(at, diameter / 2, diameter / 2)
    painter.setBrush(_NEUTRAL)
    squares: dict[float, list[QPointF]] = {}
    for at, diameter, _ in marks:
        core = _CORE_SHARE * diameter
        if core < _ROUND_FROM_PX:
            squares.setdefault(round(2 * core) / 2, []).append(at)
        else:
            painter.drawEllipse(at, core / 2, core / 2)
    for side, points in squares.items():
        solid, square = Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap
        painter.setPen(QPen(_NEUTRAL, side, solid, square))
        painter.drawPoints(QPolygonF(points))
    painter.setPen(Qt.PenStyle.NoPen)


def error_lines(
    detections: Detections,
    ground_truth: GroundTruth,
    boxes: Sequence[QRectF],
    style: OverlayStyle,
    transform: QTransform,
) -> ErrorLines:
    """Return the errors of the raw keypoints, in the painter's pixels.

    A true point within or at the mark of the found one has neither a line nor a mark: one mark is
    readable, two on each other are not.
    """
    visible = ground_truth.keypoints_visible.copy()
    lines: list[QLineF] = []
    count = ground_truth.keypoints_xy.shape[1]
    if count and detections.keypoints_xy.shape[1] == count:
        predicted = detections.keypoints_predicted
        matches = matches_of(detections, ground_truth, style.within_px)
        for row, true_row in zip(*matches.pairs, strict=True):
            both = np.flatnonzero(visible[true_row] & predicted[row])
            found = map_points(detections.keypoints_xy[row][both], transform)
            true = map_points(ground_truth.keypoints_xy[true_row][both], transform)
            reach = mark_diameter(boxes[row], count, style) / 2 + _CROSS_PX * style.scale
            pairs = (QLineF(a, b) for a, b in zip(found, true, strict=True))
            lines += [line for line in pairs if line.length() > reach]
            visible[true_row, both] = False
    alone = map_points(ground_truth.keypoints_xy[visible], transform)
    return ErrorLines(tuple(lines), tuple(alone))


def paint_error_lines(painter: QPainter, errors: ErrorLines, style: OverlayStyle) -> None:
    """Paint the lines; the marks of the found points belong on top of them."""
    if errors.lines:
        pen = flat_pen(_NEUTRAL, _ERROR_PX * style.scale * style.lines)
        with_halo(painter, pen, style, lambda: painter.drawLines(*errors.lines))


def paint_true_points(painter: QPainter, errors: ErrorLines, style: OverlayStyle) -> None:
    """Paint a cross at each true point: small at the end of a line, larger where it is alone."""
    pen = flat_pen(_NEUTRAL, style.scale * style.lines)
    arm = _CROSS_PX * style.scale * style.dots
    crosses = [
        QLineF(at.x() - dx, at.y() - dy, at.x() + dx, at.y() + dy)
        for points, reach in (
            ([line.p2() for line in errors.lines], 0.7 * arm),
            (errors.alone, arm),
        )
        for at in points
        for dx, dy in ((reach, reach), (reach, -reach))
    ]
    if crosses:
        with_halo(painter, pen, style, lambda: painter.drawLines(*crosses))
