"""Painting of keypoints: marks with a white core, and lines to where the ground truth has them.

Marks grow with the object on the screen, and so with the zoom, within bounds.
"""

import math
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from PyQt6.QtGui import QColor, QPainter, QTransform

from kpviewer.metrics.localisation import match_within
from kpviewer.metrics.matching import Matches, kept_match
from kpviewer.overlay.dots import paint_dots
from kpviewer.overlay.marks import (
    HALO_PX,
    flat_pen,
    landmark_opacities,
    lines_of,
    map_xy,
    with_halo,
)
from kpviewer.overlay.palette import WHITE, class_color
from kpviewer.overlay.parts import keypoint_colors
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import Detections, FloatArray, GroundTruth

_SIDE_SHARE, _SPACING_SHARE = 0.03, 0.25
"""Largest diameter of a mark as a share of the object's side, and of the distance of its keypoints
if they were spread evenly."""
_SMALLEST_PX, _LARGEST_PX = 4.0, 14.0
_CROWDED_PX = 2.0
"""Smallest diameter of a mark where keypoints are close together."""
_HOVERED_FACTOR = 1.5
_ERROR_PX, _CROSS_PX = 1.5, 3.0
_CROSS = np.array([[-1, -1, 1, 1], [-1, 1, 1, -1]])
"""Ends of the lines of a cross, from its centre."""
_NEUTRAL = QColor(*WHITE)


class ErrorLines(NamedTuple):
    """Lines from predicted to true keypoints, and true keypoints that weren't predicted."""

    lines: FloatArray
    """(L, 4) predicted and true point of each line, in the painter's pixels."""
    alone: FloatArray
    """(P, 2), in the painter's pixels."""


def mark_diameters(boxes: FloatArray, count: int, style: OverlayStyle) -> FloatArray:
    """Return the diameters of the marks of objects, (N,), in the painter's pixels.

    Args:
        boxes: (N, 4) boxes of the objects, in the painter's pixels.
        count: number of keypoints of an object.
        style: factors of the size.
    """
    side = np.sqrt(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(1))
    room = _SPACING_SHARE * side / math.sqrt(max(count, 1))
    usual = np.clip(_SIDE_SHARE * side, _SMALLEST_PX * style.scale, _LARGEST_PX * style.scale)
    diameters: FloatArray = np.minimum(usual, np.maximum(room, _CROWDED_PX * style.scale))
    return style.dots * diameters


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
    gaps[landmark_opacities(detections) <= 0] = np.inf
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


def matches_of(
    detections: Detections, ground_truth: GroundTruth, within_px: float | None = None
) -> Matches:
    """Return the matches of the two, by IoU or within a distance; a frame is painted often."""
    if within_px is None:
        return kept_match(detections, ground_truth)
    return _kept_match_within(detections, ground_truth, within_px)


_kept_match_within = lru_cache(maxsize=4)(match_within)


def paint_keypoints(
    painter: QPainter,
    detections: Detections,
    points: FloatArray,
    boxes: FloatArray,
    style: OverlayStyle,
) -> None:
    """Paint the marks of all keypoints, those of the best detection on top.

    Args:
        painter: an active painter; its state is kept.
        detections: the detections.
        points: (N, K, 2) keypoints, in the painter's pixels.
        boxes: (N, 4) boxes of the detections, in the painter's pixels.
        style: names of the keypoints, sizes, and the hovered detection.
    """
    if not points.size:
        return
    count = points.shape[1]
    diameters = mark_diameters(boxes, count, style)
    if style.hovered is not None and style.hovered < len(boxes):
        diameters[style.hovered] *= _HOVERED_FACTOR
    colors = keypoint_colors(style.keypoint_names, count)
    opacities = landmark_opacities(detections)
    rows, which = np.nonzero(opacities[::-1])
    rows = len(boxes) - 1 - rows
    order = np.argsort(opacities[rows, which], kind="stable")  # the faintest below
    rows, which = rows[order], which[order]
    color_ids = which if colors else rows
    if not colors:
        colors = tuple(class_color(each) for each in detections.class_ids.tolist())
    paint_dots(
        painter,
        points[rows, which],
        diameters[rows],
        np.array([red << 16 | green << 8 | blue for red, green, blue in colors])[color_ids],
        HALO_PX * style.scale,
        opacities[rows, which],
    )


def error_lines(
    detections: Detections,
    ground_truth: GroundTruth,
    boxes: FloatArray,
    style: OverlayStyle,
    transform: QTransform,
) -> ErrorLines:
    """Return the errors of the raw keypoints, in the painter's pixels.

    A true point within or at the mark of the found one has neither a line nor a mark: one mark is
    readable, two on each other are not.
    """
    visible = ground_truth.keypoints_visible.copy()
    lines = np.zeros((0, 4), np.float32)
    count = ground_truth.keypoints_xy.shape[1]
    if count and detections.keypoints_xy.shape[1] == count:
        rows, true_rows = matches_of(detections, ground_truth, style.within_px).pairs
        both = visible[true_rows] & detections.keypoints_predicted[rows]  # (M, K)
        visible[true_rows] &= ~both
        ends = detections.keypoints_xy[rows], ground_truth.keypoints_xy[true_rows]
        lines = np.concatenate([map_xy(each, transform) for each in ends], -1)
        reach = mark_diameters(boxes[rows], count, style) / 2 + _CROSS_PX * style.scale
        gaps = np.hypot(*np.moveaxis(lines[..., 2:] - lines[..., :2], -1, 0))
        lines = lines[both & (gaps > reach[:, None])]
    return ErrorLines(lines, map_xy(ground_truth.keypoints_xy[visible], transform))


def paint_error_lines(painter: QPainter, errors: ErrorLines, style: OverlayStyle) -> None:
    """Paint the lines; the marks of the found points belong on top of them."""
    if len(errors.lines):
        pen = flat_pen(_NEUTRAL, _ERROR_PX * style.scale * style.lines)
        with_halo(painter, pen, style, partial(painter.drawLines, lines_of(errors.lines)))


def paint_true_points(painter: QPainter, errors: ErrorLines, style: OverlayStyle) -> None:
    """Paint a cross at each true point: small at the end of a line, larger where it is alone."""
    pen = flat_pen(_NEUTRAL, style.scale * style.lines)
    arm = _CROSS_PX * style.scale * style.dots
    crosses = np.concatenate(
        [
            np.tile(points, 2)[:, None] + reach * _CROSS
            for points, reach in ((errors.lines[:, 2:], 0.7 * arm), (errors.alone, arm))
        ]
    )
    if len(crosses):
        with_halo(painter, pen, style, partial(painter.drawLines, lines_of(crosses)))
