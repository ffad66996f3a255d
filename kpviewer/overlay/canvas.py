"""Images that results are painted on: one that a recording keeps, and those of single results."""

from dataclasses import replace

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter, QTransform

from kpviewer.overlay.class_bars import paint_class_bars
from kpviewer.overlay.images import bgr_of, bgra_of, qimage_over
from kpviewer.overlay.painting import (
    image_of,
    paint_overlay,
    shown_ground_truth,
)
from kpviewer.overlay.second import paint_second
from kpviewer.overlay.style import OverlayStyle
from kpviewer.overlay.verdicts import paint_verdict_frames, paint_verdicts
from kpviewer.structures import FrameResult, ImageArray

_REFERENCE_SIDE_PX = 480.0
"""Shorter side up to which images get strokes and text at scale 1; larger images scale them up."""


class Canvas:
    """Paints results of one stream, for one thread at a time.

    Its pixels are kept from frame to frame, as the system clears new memory first: that takes as
    long as painting. They have four channels, in which Qt paints three times faster than in three.
    """

    def __init__(self) -> None:
        """Prepare; the first result sets the size."""
        self._bgra: ImageArray | None = None
        self._image: QImage | None = None
        """Image over ``_bgra``."""

    def paint(self, result: FrameResult, style: OverlayStyle) -> ImageArray:
        """Paint a result at source resolution.

        Strokes and text grow with images larger than 480 px, to look alike in players.
        Needs an application object (``ensure_gui_application``); any thread may call it.

        Returns:
            (H, W, 4) uint8 BGR and a fourth channel without meaning; valid until the next call.
        """
        bgra = bgra_of(image_of(result, style), self._bgra)
        if self._image is None or bgra is not self._bgra:
            self._bgra, self._image = bgra, qimage_over(bgra)
        _paint(self._image, result, style)
        return bgra


def render(result: FrameResult, style: OverlayStyle) -> ImageArray:
    """Annotate a copy of the frame, as ``Canvas.paint``.

    Returns:
        (H, W, 3) uint8 BGR, owning its pixels.
    """
    return bgr_of(Canvas().paint(result, style))


def paint_result(
    painter: QPainter,
    result: FrameResult,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
    room: QRectF | None = None,
) -> None:
    """Paint all that a style shows of a result over its image.

    Args:
        painter: an active painter; its state is restored.
        result: the frame with the detections of one or two models.
        style: what to paint, and how large.
        transform: from source pixels to the painter's logical ones; scale and offset only.
        bounds: the part of the image in view, in the painter's pixels.
        room: where legends may stand; None: ``bounds``.
    """
    ground_truth = shown_ground_truth(result)
    paint_overlay(painter, result.detections, ground_truth, style, transform, bounds)
    paint_class_bars(painter, result.candidates, style, bounds)
    paint_verdict_frames(painter, result, style, transform, bounds)
    paint_second(painter, result, style, transform, bounds, room)
    paint_verdicts(painter, result, style, transform, bounds, room)


def _paint(image: QImage, result: FrameResult, style: OverlayStyle) -> None:
    """Paint over an image of the frame."""
    bounds = QRectF(image.rect())
    zoom = max(1.0, min(bounds.width(), bounds.height()) / _REFERENCE_SIDE_PX)
    painter = QPainter(image)
    try:
        paint_result(
            painter, result, replace(style, scale=style.scale * zoom), QTransform(), bounds
        )
    finally:
        painter.end()
