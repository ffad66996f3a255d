"""Marks of true positives, false negatives and false positives, with a legend.

They differ in shape: a tick, a ring, a cross, in white, grey and black, which are no class colours.
Missed objects and false alarms have a second, dashed frame, to be found at a glance.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QTransform

from kpviewer.metrics.matching import FALSE_POSITIVE, IGNORED
from kpviewer.overlay.badges import COLORS, HALO_PX, RADIUS_PX, Verdict, paint_badges
from kpviewer.overlay.frames import paint_frames, paint_outline_frames
from kpviewer.overlay.keypoints import matches_of
from kpviewer.overlay.labels import label_font, place_legend
from kpviewer.overlay.marks import map_boxes, map_xy, painting_within, pixel_ratio, within
from kpviewer.overlay.palette import BLACK
from kpviewer.overlay.polygons import lowest_corners, true_outlines
from kpviewer.overlay.style import OverlayStyle
from kpviewer.overlay.words import tr
from kpviewer.structures import (
    Detections,
    FloatArray,
    FrameResult,
    GroundTruth,
    IntArray,
    box_outlines,
    padded,
)

_GAP_PX = 4.0
_PLATE = QColor(16, 18, 20, 190)
_PLATE_TEXT = QColor(255, 255, 255)
_LARGEST_SHARE = 0.7
"""Largest share of the image's width that the legend may take."""
_LARGEST_HEIGHT_SHARE = 0.25
"""Largest share of its height."""


class Verdicts(NamedTuple):
    """Boxes with their verdicts, in source or the painter's pixels."""

    xyxy: FloatArray
    """(N, 4) corners."""
    class_ids: IntArray
    """(N,) class of each."""
    kinds: NDArray[np.object_]
    """(N,) Verdict of each."""
    outlines_xy: FloatArray | None = None
    """(N, V, 2) corners of each; None: those of the boxes."""


def verdicts_of(
    detections: Detections,
    ground_truth: GroundTruth,
    shown: frozenset[int] | None = None,
    within_px: float | None = None,
) -> Verdicts:
    """Return the verdict of each detection and of each missed object.

    Difficult objects, and detections within them, have none.

    Args:
        detections: detections of an image.
        ground_truth: ground truth of the same image.
        shown: ids of the classes whose objects can be missed; None is all.
        within_px: largest distance of a match, px; None: matches are by IoU.
    """
    matches = matches_of(detections, ground_truth, within_px)
    missed = ~ground_truth.difficult
    missed[matches.pairs[1]] = False
    if shown is not None:
        missed &= np.isin(ground_truth.class_ids, list(shown))
    judged = matches.ground_truth_index != IGNORED
    is_false = matches.ground_truth_index[judged] == FALSE_POSITIVE
    kinds = [Verdict.FALSE_ALARM if each else Verdict.MATCHED for each in is_false.tolist()]
    kinds += [Verdict.MISSED] * int(missed.sum())
    parts = detections.take(judged), ground_truth.take(missed)
    return Verdicts(
        np.concatenate([each.xyxy for each in parts]),
        np.concatenate([each.class_ids for each in parts]),
        np.array(kinds, np.object_),
        _outlines_of(*parts),
    )


def _outlines_of(judged: Detections, missed: GroundTruth) -> FloatArray | None:
    """Return the outlines of all objects, with as many corners as the largest; None without."""
    sides = (judged.xyxy, judged.outlines_xy), (missed.xyxy, true_outlines(missed, judged))
    count = max((own.shape[1] for _, own in sides if own is not None), default=0)
    if not count:
        return None
    return np.concatenate(
        [box_outlines(xyxy, count) if own is None else padded(own, count) for xyxy, own in sides]
    )


def paint_verdicts(
    painter: QPainter,
    result: FrameResult,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
    room: QRectF | None = None,
) -> None:
    """Paint marks, names of missed objects and a legend over a painted result.

    Nothing is painted unless it has ground truth, and a model ran on it.

    Args:
        painter: an active painter; its state is restored.
        result: the frame with its detections.
        style: what to paint, and how large.
        transform: from source pixels to the painter's logical ones.
        bounds: the part of the image in view, in the painter's pixels.
        room: where the legend may stand; None: ``bounds``.
    """
    found = _in_view(result, style, transform, bounds)
    if found is None:
        return
    boxes, class_ids_in_view, kinds, outlines = found
    with painting_within(painter, bounds):  # before the marks, which it must not hide
        painter.setClipRect(room or bounds)
        _paint_legend(painter, style, bounds, room or bounds)
    with painting_within(painter, bounds):
        reach = (RADIUS_PX + HALO_PX) * style.scale
        ends = bounds.right() - reach, bounds.bottom() - reach
        centers = np.minimum(lowest_corners(boxes, outlines), ends)
        if style.labels and len(style.class_names) > 1:
            is_missed = kinds == Verdict.MISSED
            class_ids = class_ids_in_view[is_missed].tolist()
            for center, class_id in zip(centers[is_missed].tolist(), class_ids, strict=True):
                _paint_name(painter, QPointF(*center), style.class_name(class_id), style, bounds)
        paint_badges(painter, _apart(centers, kinds, 2 * reach), kinds, style.scale)


def paint_verdict_frames(
    painter: QPainter,
    result: FrameResult,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    """Paint the second frames of missed objects and false alarms: labels stand over them.

    Args: those of ``paint_verdicts``.
    """
    found = _in_view(result, style, transform, bounds) if style.boxes else None
    if found is None:
        return
    with painting_within(painter, bounds):
        for kind in (Verdict.MISSED, Verdict.FALSE_ALARM):
            own = found.kinds == kind
            if found.outlines_xy is None:
                paint_frames(painter, found.xyxy[own], COLORS[kind], style, bounds)
            else:
                paint_outline_frames(painter, found.outlines_xy[own], COLORS[kind], style)


def _in_view(
    result: FrameResult, style: OverlayStyle, transform: QTransform, bounds: QRectF
) -> Verdicts | None:
    """Return the verdicts in view, in the painter's pixels; None if there are none to show."""
    ground_truth = result.frame.ground_truth
    if not (style.verdicts and style.ground_truth) or ground_truth is None or result.error is None:
        return None
    found = verdicts_of(result.detections, ground_truth, style.shown, style.within_px)
    boxes = map_boxes(found.xyxy, transform)
    seen = within(boxes, bounds)
    outlines = None if found.outlines_xy is None else map_xy(found.outlines_xy[seen], transform)
    return Verdicts(boxes[seen], found.class_ids[seen], found.kinds[seen], outlines)


def _apart(centers: FloatArray, kinds: NDArray[np.object_], side: float) -> FloatArray:
    """Return centres in which no missed object's badge hides that of a false alarm.

    An object that is taken for another class has both; the false alarm's then is above.
    """
    false, missed = np.flatnonzero(kinds == Verdict.FALSE_ALARM), centers[kinds == Verdict.MISSED]
    if not len(false) or not len(missed):
        return centers
    away = np.abs(centers[false][:, None] - missed[None]).max(axis=2)  # (F, M)
    nearest, hidden = away.argmin(axis=1), away.min(axis=1) < side
    apart = centers.copy()
    apart[false[hidden]] = missed[nearest[hidden]] - np.array((0, side), np.float32)
    return apart


def _paint_name(
    painter: QPainter, center: QPointF, name: str, style: OverlayStyle, bounds: QRectF
) -> None:
    """Write the class of a missed object at the left of its badge; at the right without room."""
    font = label_font(style)
    metrics, gap = QFontMetricsF(font), _GAP_PX * style.scale
    size = QSizeF(metrics.horizontalAdvance(name) + 2 * gap, metrics.height())
    reach = (RADIUS_PX + 2 * HALO_PX) * style.scale
    left = center.x() - reach - size.width()
    if left < bounds.left():
        left = center.x() + reach
    plate = QRectF(QPointF(left, center.y() - size.height() / 2), size)
    painter.fillRect(plate, QColor(*COLORS[Verdict.MISSED]))
    painter.setFont(font)
    painter.setPen(QColor(*BLACK))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, name)


def _paint_legend(painter: QPainter, style: OverlayStyle, bounds: QRectF, room: QRectF) -> None:
    """Paint the legend in the lower right corner, unless the view is too small."""
    ratio = pixel_ratio(painter)
    words = tuple(tr(each.value) for each in Verdict)
    image = _legend(words, label_font(style), style.scale, ratio)
    size = image.deviceIndependentSize()
    if (
        size.width() > _LARGEST_SHARE * room.width()
        or size.height() > _LARGEST_HEIGHT_SHARE * room.height()
    ):
        return
    margin = 2 * _GAP_PX * style.scale
    plate = place_legend(size, margin, Qt.Corner.BottomRightCorner, bounds, room)
    corner = QPointF(round(plate.left() * ratio), round(plate.top() * ratio)) / ratio
    painter.drawImage(corner, image)


@lru_cache(maxsize=16)
def _legend(words: tuple[str, ...], font: QFont, scale: float, ratio: float) -> QImage:
    """Return the legend: a badge and a word for each verdict."""
    metrics = QFontMetricsF(font)
    gap, side = _GAP_PX * scale, 2 * RADIUS_PX * scale
    widths = [side + gap + metrics.horizontalAdvance(word) for word in words]
    size = QSizeF(sum(widths) + 2 * gap * len(widths), max(side, metrics.height()) + 2 * gap)
    image = QImage((size * ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    plate = QRectF(QPointF(), image.deviceIndependentSize())
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, gap, gap)
    painter.setFont(font)
    lefts = gap + np.cumsum([0, *widths[:-1]]) + 2 * gap * np.arange(len(widths))
    middles = np.full(len(lefts), plate.center().y())
    badges = np.array(list(Verdict), np.object_)
    paint_badges(painter, np.stack([lefts + side / 2, middles], 1), badges, scale)
    painter.setPen(_PLATE_TEXT)
    for word, left, width in zip(words, lefts.tolist(), widths, strict=True):
        text = QRectF(left + side + gap, 0, width, plate.height())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, word)
    painter.end()
    return image
