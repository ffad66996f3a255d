"""Rendering of a result: the pixels that may be shown, then detections and ground truth.

Lengths are in the painter's logical pixels: strokes and text keep their size at any zoom. This
module uses QtGui but no widgets, and paints on a QImage in any thread. Text needs an application
object; without a window, ``ensure_gui_application`` makes one.
"""

import numpy as np
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter, QTransform

from kpviewer.overlay.keypoints import (
    error_lines,
    paint_error_lines,
    paint_keypoints,
    paint_true_points,
    shown_points,
)
from kpviewer.overlay.marks import (
    HALO_PX,
    OPAQUE_HALO,
    landmark_opacities,
    map_boxes,
    map_xy,
    paint_skeletons,
    paint_trails,
    painting_within,
)
from kpviewer.overlay.outlines import Dashes, paint_dashed, paint_outlines
from kpviewer.overlay.palette import WHITE
from kpviewer.overlay.polygons import paint_dashed_polygons, paint_polygons, true_outlines
from kpviewer.overlay.privacy import hidden_image
from kpviewer.overlay.style import OverlayStyle
from kpviewer.sources.opencv import cv2
from kpviewer.structures import (
    Detections,
    FloatArray,
    FrameResult,
    GroundTruth,
    ImageArray,
)

_GROUND_TRUTH_PX = 1.0
_DASHES = 4.0, 3.0


def image_of(result: FrameResult, style: OverlayStyle) -> ImageArray:
    """Return the image that may be shown and saved: the frame, or an anonymised copy.

    Every image that leaves the program comes from here, with an overlay or without.

    Returns:
        (H, W, 3) uint8 BGR. May be the frame's own array: valid while its lease is held.
    """
    if not style.anonymise:
        return result.frame.bgr
    return hidden_image(result, whole=style.bars is not None)


def shown_ground_truth(result: FrameResult) -> GroundTruth | None:
    """Return the ground truth to draw: none on a frame that no model has processed.

    Without detections beside it, it would look like them.
    """
    return result.frame.ground_truth if result.has_model else None


def paint_overlay(
    painter: QPainter,
    detections: Detections,
    ground_truth: GroundTruth | None,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    """Paint detections and ground truth, without labels, which stand over all outlines.

    Args:
        painter: an active painter; its state is restored.
        detections: detections in source pixels.
        ground_truth: objects in source pixels; None if there is no ground truth.
        style: what to paint.
        transform: from source pixels to the painter's logical ones; scale and offset only.
        bounds: the part of the image in view, in the painter's pixels; nothing is painted
            outside it.
    """
    with painting_within(painter, bounds):
        if style.bars is not None:  # a box around the whole image carries no information
            detections = detections.take(np.zeros(0, np.int64))
        if style.tracks and detections.trails is not None:
            paint_trails(painter, detections.trails, detections.class_ids, style, transform)
        boxes = map_boxes(detections.xyxy, transform)
        points = map_xy(shown_points(detections, style), transform)
        if style.boxes:
            _paint_found(painter, detections, boxes, style, transform, bounds)
        if style.landmarks:
            opacities = landmark_opacities(detections)
            paint_skeletons(painter, points, opacities, detections.class_ids, style)
        shown = ground_truth if style.ground_truth else None
        if shown is not None and style.boxes:
            outlines = true_outlines(shown, detections)
            _paint_true_boxes(painter, shown.xyxy, outlines, style, transform, bounds)
        if style.landmarks:
            errors = None
            if shown is not None:
                errors = error_lines(detections, shown, boxes, style, transform)
                paint_error_lines(painter, errors, style)
            paint_keypoints(painter, detections, points, boxes, style)
            if errors is not None:
                paint_true_points(painter, errors, style)


def _paint_found(
    painter: QPainter,
    detections: Detections,
    boxes: FloatArray,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    """Paint boxes, or the outlines of rotated boxes and masks; the best last, on top."""
    if detections.outlines_xy is None:
        paint_outlines(painter, boxes, detections.class_ids, style, bounds)
        return
    outlines, is_filled = map_xy(detections.outlines_xy, transform), detections.has_masks
    paint_polygons(painter, outlines, detections.class_ids, style, is_filled=is_filled)


def _paint_true_boxes(
    painter: QPainter,
    xyxy: FloatArray,
    outlines: FloatArray | None,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    """Paint dashed boxes without a class colour, unlike those of predictions."""
    width = _GROUND_TRUTH_PX * style.scale * style.lines
    on, off = (width * each for each in _DASHES)
    dashes = Dashes(WHITE, width, on, off, OPAQUE_HALO, HALO_PX * style.scale)
    if outlines is not None:
        away = width / 2 + dashes.halo_px
        paint_dashed_polygons(painter, map_xy(outlines, transform), dashes, away)
        return
    inside = np.array((width, width, -width, -width)) / 2
    paint_dashed(painter, map_boxes(xyxy, transform) + inside, dashes, bounds)


def detection_at(detections: Detections, x: float, y: float) -> int | None:
    """Return the index of the smallest box around a point in source pixels, or None.

    Rotated boxes and masks that the point lies in come before boxes around them.
    """
    left, top, right, bottom = detections.xyxy.T
    inside = np.flatnonzero((left <= x) & (x <= right) & (top <= y) & (y <= bottom))
    if not len(inside):
        return None
    areas = ((right - left) * (bottom - top))[inside]
    ordered: list[int] = inside[np.argsort(areas, kind="stable")].tolist()
    outlines = detections.outlines_xy
    if outlines is not None:
        around = (row for row in ordered if cv2.pointPolygonTest(outlines[row], (x, y), False) >= 0)
        return next(around, ordered[0])
    return ordered[0]
