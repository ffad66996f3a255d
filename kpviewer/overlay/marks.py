"""Places of marks, and painting of skeletons and trails: strokes with a dark halo."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PyQt6.QtCore import QLineF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QTransform

from kpviewer.overlay.kept_values import KeptValues
from kpviewer.overlay.palette import Rgb, class_color
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import BoolArray, Detections, FloatArray, IntArray

_BOX_PX, _SELECTED_PX, _LINE_PX, HALO_PX = 2.0, 4.0, 1.5, 1.0
HALO = QColor(0, 0, 0, 150)
OPAQUE_HALO: Rgb = (44, 46, 48)
"""Halo of boxes and bones: Qt strokes transparent ones 4 to 15 times slower."""
_OPACITY_STEPS = 8
_FAR_PX = np.float32(1e6)
_lines = KeptValues(QLineF)

T = TypeVar("T")


class Stroke(NamedTuple):
    """Stroke with a dark halo; lengths in the painter's pixels."""

    color: Rgb
    width: float
    halo_px: float


def map_boxes(xyxy: FloatArray, transform: QTransform) -> FloatArray:
    """Map (N, 4) boxes and round their edges to whole pixels: straight strokes are sharp there.

    The transform has scale and offset only.
    """
    factors = np.array((transform.m11(), transform.m22()) * 2)
    finite = np.fmin(np.fmax(xyxy, -_FAR_PX), _FAR_PX)  # NaN is far away, too
    mapped: FloatArray = np.rint(finite * factors + (transform.dx(), transform.dy()) * 2)
    return mapped


def within(boxes: FloatArray, bounds: QRectF) -> BoolArray:
    """Return which of (N, 4) boxes have a part within the bounds: (N,)."""
    left, top, right, bottom = bounds.getCoords()
    corner, other = boxes[:, :2], boxes[:, 2:]
    is_seen = (corner < (right, bottom)) & (other > (left, top)) & (corner < other)
    return np.asarray(is_seen.all(1))


def map_xy(xy: FloatArray, transform: QTransform) -> FloatArray:
    """Map (..., 2) points by a transform of scale and offset only."""
    factors = np.array((transform.m11(), transform.m22()))
    mapped: FloatArray = np.nan_to_num(xy) * factors + (transform.dx(), transform.dy())
    return mapped


def landmark_opacities(detections: Detections) -> FloatArray:
    """Return the (N, K) opacity of each landmark, in [0, 1], rounded to eighths.

    By its score, it rises from 0 at half the threshold to 1 at the threshold; without a score it
    is 1.
    """
    threshold = detections.keypoint_threshold
    if not threshold or not detections.has_keypoint_scores:
        return np.ones(detections.keypoints_xy.shape[:2], np.float32)
    shares = np.nan_to_num(detections.keypoint_scores, nan=1.0) / np.float32(threshold)
    steps: FloatArray = np.rint(np.clip(2 * shares - 1, 0, 1) * _OPACITY_STEPS)
    return steps / np.float32(_OPACITY_STEPS)


def by_opacity(shapes: Iterable[tuple[T, float]]) -> list[tuple[float, list[T]]]:
    """Group shapes by opacity, the faintest first; invisible ones are left out."""
    groups: dict[float, list[T]] = {}
    for shape, opacity in shapes:
        groups.setdefault(opacity, []).append(shape)
    return [(opacity, groups[opacity]) for opacity in sorted(groups) if opacity]


def pixel_ratio(painter: QPainter) -> float:
    """Return the pixels of the painter's device per logical one."""
    device = painter.device()
    return 1.0 if device is None else device.devicePixelRatioF()


def flat_pen(color: QColor, width: float) -> QPen:
    """Return a pen with flat ends and sharp corners."""
    flat, sharp = Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin
    return QPen(color, width, Qt.PenStyle.SolidLine, flat, sharp)


@contextmanager
def painting_within(painter: QPainter, bounds: QRectF) -> Iterator[None]:
    """Paint smoothly, within bounds and without a brush; restore the painter at the end."""
    painter.save()
    try:
        painter.setClipRect(bounds, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        yield
    finally:
        painter.restore()


def with_halo(
    painter: QPainter,
    pen: QPen,
    style: OverlayStyle,
    paint: Callable[[], object],
    color: QColor = HALO,
) -> None:
    """Paint a shape twice: first wider and dark, to be visible on any image."""
    halo = QPen(pen)
    halo.setStyle(Qt.PenStyle.SolidLine)
    halo.setColor(color)
    halo.setWidthF(pen.widthF() + 2 * HALO_PX * style.scale)
    for each in (halo, pen):
        painter.setPen(each)
        paint()


def box_edge(style: OverlayStyle) -> float:
    """Return how far a box's stroke and halo extend beyond it."""
    return (_BOX_PX / 2 * style.lines + HALO_PX) * style.scale


def box_widths(count: int, style: OverlayStyle) -> IntArray:
    """Return the widths of the strokes of boxes: (N,), in whole pixels."""
    usual, selected = (
        max(1, round(px * style.scale * style.lines)) for px in (_BOX_PX, _SELECTED_PX)
    )
    return np.where(np.arange(count) == style.selected, selected, usual)


def lines_of(ends: FloatArray) -> Any:
    """Return lines for QPainter by their (..., 4) ends x1, y1, x2, y2; see ``KeptValues``."""
    return _lines.of(ends.reshape(-1, 4))


def paint_trails(
    painter: QPainter,
    trails: Sequence[FloatArray],
    class_ids: IntArray,
    style: OverlayStyle,
    transform: QTransform,
) -> None:
    """Paint the past positions of tracked objects, fading to the oldest."""
    width = _LINE_PX * style.scale * style.lines
    parts: defaultdict[tuple[int, int], list[FloatArray]] = defaultdict(list)
    for trail, class_id in zip(trails, class_ids.tolist(), strict=True):
        xy = map_xy(trail, transform)
        ends = np.concatenate([xy[:-1], xy[1:]], 1)
        steps = -(-_OPACITY_STEPS * np.arange(1, len(xy)) // len(xy))  # rounded up
        for step in np.unique(steps).tolist():
            parts[class_id, step].append(ends[steps == step])
    for (class_id, step), lines in parts.items():
        color = QColor(*class_color(class_id))
        color.setAlphaF(step / _OPACITY_STEPS)
        painter.setPen(flat_pen(color, width))  # round ends take Qt four times as long
        painter.drawLines(lines_of(np.concatenate(lines)))


def paint_skeletons(
    painter: QPainter,
    points: FloatArray,
    opacities: FloatArray,
    class_ids: IntArray,
    style: OverlayStyle,
) -> None:
    """Paint the lines between keypoints; a line is as faint as its fainter end.

    Args:
        painter: an active painter; its opacity is 1 afterwards.
        points: (N, K, 2) keypoints, in the painter's pixels; the first object is on top.
        opacities: (N, K).
        class_ids: (N,), which give the colours.
        style: the lines, as pairs of keypoints.
    """
    there = range(points.shape[1])
    bones = [pair for pair in style.skeleton if pair[0] in there and pair[1] in there]
    if not bones:
        return
    first, last = np.array(bones).T
    lines = lines_of(np.concatenate([points[:, first], points[:, last]], -1))
    faintest = np.minimum(opacities[:, first], opacities[:, last]).tolist()
    for row in reversed(range(len(points))):
        own = lines[row * len(bones) : (row + 1) * len(bones)]
        color = QColor(*class_color(int(class_ids[row])))
        pen = flat_pen(color, _LINE_PX * style.scale * style.lines)
        for opacity, alike in by_opacity(zip(own, faintest[row], strict=True)):
            painter.setOpacity(opacity)
            halo = QColor(*OPAQUE_HALO)
            with_halo(painter, pen, style, partial(painter.drawLines, alike), halo)
    painter.setOpacity(1.0)
