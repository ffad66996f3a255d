"""Marks of true positives, false negatives and false positives, with a legend.

They differ in shape: a tick, a ring, a cross, in white, grey and black, which are no class colours.
Missed objects and false alarms have a second, dashed frame, to be found at a glance.
"""

from __future__ import annotations

import math
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPolygonF, QTransform

from kpviewer.metrics.matching import FALSE_POSITIVE
from kpviewer.overlay.keypoints import matches_of
from kpviewer.overlay.labels import label_font, place_legend
from kpviewer.overlay.marks import map_boxes, pixel_ratio, sides
from kpviewer.overlay.palette import BLACK, WHITE, Rgb, text_color
from kpviewer.overlay.style import OverlayStyle
from kpviewer.overlay.words import tr, tr_noop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpviewer.structures import Detections, FrameResult, GroundTruth

_RADIUS_PX, _STROKE_PX, _HALO_PX, _GAP_PX = 8.0, 2.0, 1.0, 4.0
_FRAME_DASHES = [2.0, 2.0]
_FRAME_HALOS = {BLACK: QColor(24, 26, 28), WHITE: QColor(230, 230, 230)}
"""Colours around dashes by the colour of text that they would carry."""
_PLATE = QColor(16, 18, 20, 190)
_PLATE_TEXT = QColor(255, 255, 255)
_DARK_HALO, _LIGHT_HALO = QColor(0, 0, 0, 150), QColor(255, 255, 255, 200)
_LARGEST_SHARE = 0.7
"""Largest share of the image's width that the legend may take."""
_LARGEST_HEIGHT_SHARE = 0.25
"""Largest share of its height."""


class Verdict(Enum):
    """Result of matching a box with the ground truth, as the legend names it."""

    MATCHED = tr_noop("matched")
    MISSED = tr_noop("missed")
    FALSE_ALARM = tr_noop("false alarm")


COLORS: dict[Verdict, Rgb] = {
    Verdict.MATCHED: (96, 100, 104),
    Verdict.MISSED: WHITE,
    Verdict.FALSE_ALARM: (12, 14, 16),
}
"""Plates of the signs; what is right is the least striking."""


class BoxVerdict(NamedTuple):
    """A box with its verdict, in source pixels."""

    xyxy: list[float]
    verdict: Verdict
    class_id: int = 0


def verdicts_of(
    detections: Detections,
    ground_truth: GroundTruth,
    shown: frozenset[int] | None = None,
    within_px: float | None = None,
) -> list[BoxVerdict]:
    """Return the verdict of each detection and of each missed object.

    Difficult objects, and detections within them, have none.

    Args:
        detections: detections of an image.
        ground_truth: ground truth of the same image.
        shown: ids of the classes whose objects can be missed; None is all.
        within_px: largest distance of a match, px; None: matches are by IoU.
    """
    matches = matches_of(detections, ground_truth, within_px)
    verdicts = [
        BoxVerdict(box, Verdict.FALSE_ALARM if row == FALSE_POSITIVE else Verdict.MATCHED, class_id)
        for box, class_id, row in zip(
            detections.xyxy.tolist(),
            detections.class_ids.tolist(),
            matches.ground_truth_index.tolist(),
            strict=True,
        )
        if row >= 0 or row == FALSE_POSITIVE
    ]
    missed = ~ground_truth.difficult
    missed[matches.pairs[1]] = False
    if shown is not None:
        missed &= np.isin(ground_truth.class_ids, list(shown))
    return verdicts + [
        BoxVerdict(box, Verdict.MISSED, class_id)
        for box, class_id in zip(
            ground_truth.xyxy[missed].tolist(),
            ground_truth.class_ids[missed].tolist(),
            strict=True,
        )
    ]


def paint_verdicts(
    painter: QPainter,
    result: FrameResult,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
    room: QRectF | None = None,
) -> None:
    """Paint the verdicts over a painted result, if it has ground truth and a model ran on it.

    Args:
        painter: an active painter; its state is restored.
        result: the frame with its detections.
        style: what to paint, and how large.
        transform: from source pixels to the painter's logical ones.
        bounds: the part of the image in view, in the painter's pixels.
        room: where the legend may stand; None: ``bounds``.
    """
    ground_truth = result.frame.ground_truth
    if not (style.verdicts and style.ground_truth) or ground_truth is None or result.error is None:
        return
    painter.save()
    try:
        painter.setClipRect(bounds, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        found = verdicts_of(result.detections, ground_truth, style.shown, style.within_px)
        boxes = np.array([each.xyxy for each in found], np.float32).reshape(-1, 4)
        pairs = zip(found, map_boxes(boxes, transform), strict=True)
        seen = [(each, box) for each, box in pairs if box.intersects(bounds)]
        for verdict in (Verdict.MISSED, Verdict.FALSE_ALARM) if style.boxes else ():
            _paint_frames(
                painter, (box for each, box in seen if each.verdict is verdict), verdict, style
            )
        reach = (_RADIUS_PX + _HALO_PX) * style.scale
        right, bottom = bounds.right() - reach, bounds.bottom() - reach
        for each, box in seen:
            center = QPointF(min(box.right(), right), min(box.bottom(), bottom))
            if each.verdict is Verdict.MISSED and style.labels and len(style.class_names) > 1:
                _paint_name(painter, center, style.class_name(each.class_id), style, bounds)
            _paint_badge(painter, center, each.verdict, style.scale)
        painter.setClipRect(room or bounds)
        _paint_legend(painter, style, bounds, room or bounds)
    finally:
        painter.restore()


def _paint_frames(
    painter: QPainter, boxes: Iterable[QRectF], verdict: Verdict, style: OverlayStyle
) -> None:
    """Paint dashed lines inside boxes, clear of their strokes and of the labels outside."""
    away = _GAP_PX * style.scale * max(1.0, style.lines)
    lines = [
        side
        for box in boxes
        if min(box.width(), box.height()) >= 4 * away
        for side in sides(box.adjusted(away, away, -away, -away))
    ]
    color, width = COLORS[verdict], _STROKE_PX * style.scale
    # Opaque: Qt strokes transparent lines 7 times slower.
    halo = QPen(_FRAME_HALOS[text_color(color)], width + 2 * _HALO_PX * style.scale)
    dashes = QPen(QColor(*color), width)
    dashes.setDashPattern(_FRAME_DASHES)
    for pen in (halo, dashes) if lines else ():
        painter.setPen(pen)
        painter.drawLines(*lines)


def _paint_badge(painter: QPainter, center: QPointF, verdict: Verdict, scale: float) -> None:
    """Paint a disc with the verdict's sign, its centre on a whole pixel of the device."""
    ratio = pixel_ratio(painter)
    image = _badge(verdict, scale, ratio)
    half = image.width() / 2
    corner = QPointF(round(center.x() * ratio) - half, round(center.y() * ratio) - half)
    painter.drawImage(corner / ratio, image)


@lru_cache(maxsize=64)
def _badge(verdict: Verdict, scale: float, ratio: float) -> QImage:
    """Return the badge at a device's pixel ratio: to copy it takes a hundredth of its strokes."""
    radius = _RADIUS_PX * scale
    half = math.ceil((radius + 2 * _HALO_PX * scale) * ratio)
    image = QImage(2 * half, 2 * half, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(half / ratio, half / ratio)
    color = COLORS[verdict]
    painter.setPen(QPen(_halo(color), 2 * _HALO_PX * scale))
    painter.setBrush(QColor(*color))
    painter.drawEllipse(QPointF(), radius, radius)
    sign = QPen(QColor(*text_color(color)), _STROKE_PX * scale)
    sign.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(sign)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    arm = 0.42 * radius
    if verdict is Verdict.MISSED:
        painter.drawEllipse(QPointF(), arm * 1.1, arm * 1.1)
    elif verdict is Verdict.FALSE_ALARM:
        painter.drawLine(QPointF(-arm, -arm), QPointF(arm, arm))
        painter.drawLine(QPointF(-arm, arm), QPointF(arm, -arm))
    else:
        corners = (QPointF(-1.1, 0.0), QPointF(-0.2, 0.9), QPointF(1.1, -0.8))
        painter.drawPolyline(QPolygonF([corner * arm for corner in corners]))
    painter.end()
    return image


def _halo(color: Rgb) -> QColor:
    """Return the colour around a plate or a dashed line: dark around white, else white."""
    return _DARK_HALO if text_color(color) == BLACK else _LIGHT_HALO


def _paint_name(
    painter: QPainter, center: QPointF, name: str, style: OverlayStyle, bounds: QRectF
) -> None:
    """Write the class of a missed object at the left of its badge."""
    font = label_font(style)
    metrics, gap = QFontMetricsF(font), _GAP_PX * style.scale
    size = QSizeF(metrics.horizontalAdvance(name) + 2 * gap, metrics.height())
    right = center.x() - (_RADIUS_PX + 2 * _HALO_PX) * style.scale
    corner = QPointF(max(right - size.width(), bounds.left()), center.y() - size.height() / 2)
    plate = QRectF(corner, size)
    painter.fillRect(plate, QColor(*COLORS[Verdict.MISSED]))
    painter.setFont(font)
    painter.setPen(QColor(*BLACK))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, name)


def _paint_legend(painter: QPainter, style: OverlayStyle, bounds: QRectF, room: QRectF) -> None:
    """Paint the legend in the lower right corner, unless the view is too small."""
    font = label_font(style)
    metrics = QFontMetricsF(font)
    gap, side = _GAP_PX * style.scale, 2 * _RADIUS_PX * style.scale
    widths = [side + gap + metrics.horizontalAdvance(tr(each.value)) for each in Verdict]
    size = QSizeF(sum(widths) + 2 * gap * len(widths), max(side, metrics.height()) + 2 * gap)
    if (
        size.width() > _LARGEST_SHARE * room.width()
        or size.height() > _LARGEST_HEIGHT_SHARE * room.height()
    ):
        return
    plate = place_legend(size, 2 * gap, Qt.Corner.BottomRightCorner, bounds, room)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, gap, gap)
    painter.setFont(font)
    left = plate.left() + gap
    for verdict, width in zip(Verdict, widths, strict=True):
        _paint_badge(painter, QPointF(left + side / 2, plate.center().y()), verdict, style.scale)
        painter.setPen(_PLATE_TEXT)
        text = QRectF(left + side + gap, plate.top(), width, plate.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, tr(verdict.value))
        left += width + 2 * gap
