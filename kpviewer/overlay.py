"""Paints what the model sees: the one renderer of the window and of the files.

Lengths are in the painter's logical pixels, so strokes and text keep their size at any zoom. It
knows QtGui but no widget, and works in any thread on a QImage; text needs an application object,
which ``ensure_gui_application`` makes where there is no window.
"""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPainter,
    QPen,
    QPolygonF,
    QTransform,
)

from kpviewer.class_bars import paint_bars
from kpviewer.palette import class_color, text_color
from kpviewer.privacy import hidden_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpviewer.structures import (
        Candidates,
        Detections,
        FloatArray,
        FrameResult,
        ImageArray,
        Targets,
        Thresholds,
    )

_BOX_PX, _TRUTH_PX, _LINE_PX, _HALO_PX = 2.0, 1.0, 1.5, 1.0
_DOT_PX, _HOVERED_DOT_PX = 3.0, 6.0
_TEXT_PX, _PLATE_PADDING_PX = 12.0, 4.0
_HALO = QColor(0, 0, 0, 150)
_DASHES = [4.0, 3.0]
_TRUTH_ARM_PX = 3.0
_REFERENCE_SIDE_PX = 480.0
"""Shorter side of a picture that is annotated with the sizes above; larger ones scale them up."""

_log = logging.getLogger(__name__)
_application: QGuiApplication | None = None


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """What is painted, and how large."""

    class_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices joined by a line."""
    boxes: bool = True
    labels: bool = True
    """Class names."""
    scores: bool = True
    landmarks: bool = True
    truth: bool = True
    blur: bool = False
    """What was detected is hidden: the picture is that of ``picture_of``."""
    hovered: int | None = None
    """Index of the detection under the pointer: its landmarks are bigger."""
    scale: float = 1.0
    """Factor of strokes, dots and text."""
    bars: Thresholds | None = None
    """For models of whole pictures: a bar a class, marked at these, in place of boxes."""

    def text(self, class_id: int, score: float) -> str:
        """Give the text of a label; empty where names and scores are hidden."""
        known = class_id < len(self.class_names)
        name = self.class_names[class_id] if known else f"class {class_id}"
        parts = [name] * self.labels + [f"{score:.2f}"] * self.scores
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Label:
    """A plate with text, placed."""

    plate: QRectF
    text: str
    class_id: int


def ensure_gui_application() -> None:
    """Make an application object without a screen, unless there is one. Main thread only."""
    global _application  # noqa: PLW0603 - Qt wants it alive for as long as the process
    if QGuiApplication.instance() is None:
        _application = QGuiApplication(["kpviewer", "-platform", "offscreen"])
    ensure_font()


def ensure_font() -> None:
    """Give the application a font with letters where the system has none. Main thread only.

    Qt's wheels bring no font; without one every letter is an empty frame. Matplotlib's wheel does.
    """
    if QFontMetricsF(QFont()).inFont("a"):
        return
    package = importlib.util.find_spec("matplotlib")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        families = QFontDatabase.applicationFontFamilies(
            QFontDatabase.addApplicationFont(str(path))
        )
        if families:
            QGuiApplication.setFont(QFont(families))
            return
    _log.warning("No font was found: labels can't be read. Install one, e.g. fonts-dejavu-core.")


def qimage_of(bgr: ImageArray) -> QImage:
    """Wrap a picture as a QImage without copying it.

    The image keeps the array alive, but shows whatever is written into it later: hold the frame's
    lease for as long as the image is shown. Painting on the image leaves the array as it is.

    Args:
        bgr: (H, W, 3) uint8.
    """
    pixels = np.ascontiguousarray(bgr)
    height, width = pixels.shape[:2]
    data: Any = pixels.data  # any buffer will do, though the signature says bytes
    return QImage(data, width, height, 3 * width, QImage.Format.Format_BGR888)


def array_of(image: QImage) -> ImageArray:
    """Copy a QImage into a new (H, W, 3) uint8 BGR array.

    Raises:
        ValueError: if the image has no pixels.
    """
    image = image.convertToFormat(QImage.Format.Format_BGR888)
    pointer = image.constBits()
    if pointer is None:
        raise ValueError("image must have pixels, got an empty one")
    pointer.setsize(image.sizeInBytes())
    data: Any = pointer  # a buffer, though its type doesn't say so
    rows: ImageArray = np.frombuffer(data, np.uint8)
    rows = rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3).copy()


def picture_of(result: FrameResult, style: OverlayStyle) -> ImageArray:
    """Give the picture that may be shown and saved: the frame, or a copy with its objects hidden.

    Whatever leaves the program goes through here, with an overlay or without.

    Returns:
        (H, W, 3) uint8 BGR. It may be the frame's own: valid while its lease is held.
    """
    if not style.blur:
        return result.frame.bgr
    return hidden_picture(result, whole=style.bars is not None)


def render(result: FrameResult, style: OverlayStyle) -> ImageArray:
    """Annotate a copy of the frame at source resolution.

    Strokes and text grow with pictures larger than 480 px, so that they look alike when played.
    Needs an application object (``ensure_gui_application``); any thread may call it.

    Returns:
        (H, W, 3) uint8 BGR, owning its pixels.
    """
    image = qimage_of(picture_of(result, style))
    bounds = QRectF(image.rect())
    zoom = max(1.0, min(bounds.width(), bounds.height()) / _REFERENCE_SIDE_PX)
    scaled = replace(style, scale=style.scale * zoom)
    painter = QPainter(image)  # the first stroke copies the pixels: the frame stays clean
    try:
        truth = result.frame.truth
        paint_overlay(painter, result.detections, truth, scaled, QTransform(), bounds)
        paint_class_bars(painter, result.candidates, scaled, bounds)
    finally:
        painter.end()
    return array_of(image)


def paint_overlay(
    painter: QPainter,
    detections: Detections,
    truth: Targets | None,
    style: OverlayStyle,
    transform: QTransform,
    bounds: QRectF,
) -> None:
    """Paint detections and truth on what ``painter`` draws on.

    Args:
        painter: an active painter; its state is restored.
        detections: in source pixels.
        truth: in source pixels; None where there is none.
        style: what to paint.
        transform: from source pixels to the painter's logical ones; scale and offset only.
        bounds: the part of the picture in view, in the painter's pixels; nothing is painted
            outside it, and every label stays inside it.
    """
    painter.save()
    try:
        painter.setClipRect(bounds, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if style.bars is not None:  # a box around everything says nothing
            detections = detections.take(np.zeros(0, np.int64))
        boxes = [_map_box(box, transform) for box in detections.xyxy]
        for index in reversed(range(len(detections))):  # the best is painted last, on top
            color = QColor(*class_color(int(detections.class_ids[index])))
            if style.boxes:
                _paint_box(painter, boxes[index], color, style)
            if style.landmarks:
                points = _map_points(detections.keypoints_xy[index], transform)
                _paint_landmarks(painter, points, color, style, index == style.hovered)
        if style.truth and truth is not None:
            _paint_truth(painter, truth, style, transform)
        painter.setFont(_font(style.scale))
        for label in place_labels(boxes, detections, style, bounds):
            _paint_label(painter, label)
    finally:
        painter.restore()


def paint_class_bars(
    painter: QPainter, candidates: Candidates, style: OverlayStyle, bounds: QRectF
) -> None:
    """Paint a bar a class, if the style wants bars and there is a row of scores.

    Args:
        painter: an active painter; its state is restored.
        candidates: of a model of whole pictures: one row.
        style: thresholds, names and size.
        bounds: the part of the picture in view, in the painter's pixels.
    """
    if style.bars is None or not len(candidates):
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(_font(style.scale))
    paint_bars(painter, candidates.scores[0], style.class_names, style.bars, bounds, style.scale)
    painter.restore()


def place_labels(
    boxes: list[QRectF], detections: Detections, style: OverlayStyle, bounds: QRectF
) -> list[Label]:
    """Find room for the labels; where two collide, only that of the higher score is kept.

    A label goes above its box, else below it, else inside at the top; always within ``bounds``.

    Args:
        boxes: those of ``detections``, in the painter's pixels.
        detections: by descending score.
        style: gives texts and sizes.
        bounds: the part of the picture in view, in the painter's pixels.
    """
    metrics = QFontMetricsF(_font(style.scale))
    padding = _PLATE_PADDING_PX * style.scale
    edge = (_BOX_PX / 2 + _HALO_PX) * style.scale  # clear of the stroke
    room = bounds.width() - 2 * padding
    placed: list[Label] = []
    for box, class_id, score in zip(
        boxes, detections.class_ids.tolist(), detections.scores.tolist(), strict=True
    ):
        text = style.text(class_id, score)
        if not text or not box.intersects(bounds):
            continue
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        size = QSizeF(metrics.horizontalAdvance(text) + 2 * padding, metrics.height())
        for plate in _places(box, size, edge, bounds):
            if not any(plate.intersects(other.plate) for other in placed):
                placed.append(Label(plate, text, class_id))
                break
    return placed


def detection_at(detections: Detections, x: float, y: float) -> int | None:
    """Give the index of the smallest box around a point in source pixels; None if there is none."""
    left, top, right, bottom = detections.xyxy.T
    inside = np.flatnonzero((left <= x) & (x <= right) & (top <= y) & (y <= bottom))
    if not len(inside):
        return None
    areas = ((right - left) * (bottom - top))[inside]
    return int(inside[np.argmin(areas)])


def _places(box: QRectF, size: QSizeF, edge: float, bounds: QRectF) -> Iterator[QRectF]:
    """Give the places for a plate of a box that lie within the bounds, best first."""
    left = max(min(box.left() - edge, bounds.right() - size.width()), bounds.left())
    inside = max(box.top(), bounds.top()) + edge
    for top in (box.top() - edge - size.height(), box.bottom() + edge, inside):
        plate = QRectF(QPointF(left, top), size)
        if bounds.contains(plate):
            yield plate


def _map_box(xyxy: FloatArray, transform: QTransform) -> QRectF:
    """Map a box; its edges land on whole pixels, where straight strokes are sharp."""
    left, top, right, bottom = np.nan_to_num(xyxy, posinf=1e6, neginf=-1e6).tolist()
    mapped = transform.mapRect(QRectF(QPointF(left, top), QPointF(right, bottom)))
    low = QPointF(round(mapped.left()), round(mapped.top()))
    return QRectF(low, QPointF(round(mapped.right()), round(mapped.bottom())))


def _map_points(xy: FloatArray, transform: QTransform) -> list[QPointF]:
    """Map (K, 2) points."""
    return [transform.map(QPointF(x, y)) for x, y in np.nan_to_num(xy).tolist()]


def _pen(color: QColor, width: float, cap: Qt.PenCapStyle = Qt.PenCapStyle.FlatCap) -> QPen:
    return QPen(color, width, Qt.PenStyle.SolidLine, cap, Qt.PenJoinStyle.MiterJoin)


def _with_halo(
    painter: QPainter, pen: QPen, style: OverlayStyle, paint: Callable[[], None]
) -> None:
    """Paint a shape twice: first wider and dark, so that it shows on any picture."""
    halo = QPen(pen)
    halo.setStyle(Qt.PenStyle.SolidLine)
    halo.setColor(_HALO)
    halo.setWidthF(pen.widthF() + 2 * _HALO_PX * style.scale)
    for each in (halo, pen):
        painter.setPen(each)
        paint()


def _paint_box(painter: QPainter, box: QRectF, color: QColor, style: OverlayStyle) -> None:
    pen = _pen(color, _BOX_PX * style.scale)
    _with_halo(painter, pen, style, lambda: painter.drawRect(box))


def _paint_landmarks(
    painter: QPainter, points: list[QPointF], color: QColor, style: OverlayStyle, hovered: bool
) -> None:
    bones = [QLineF(points[a], points[b]) for a, b in style.skeleton if max(a, b) < len(points)]
    if bones:
        pen = _pen(color, _LINE_PX * style.scale, Qt.PenCapStyle.RoundCap)
        _with_halo(painter, pen, style, lambda: painter.drawLines(*bones))
    if points:
        diameter = _HOVERED_DOT_PX if hovered else _DOT_PX
        pen = _pen(color, diameter * style.scale, Qt.PenCapStyle.RoundCap)
        _with_halo(painter, pen, style, lambda: painter.drawPoints(QPolygonF(points)))


def _paint_truth(
    painter: QPainter, truth: Targets, style: OverlayStyle, transform: QTransform
) -> None:
    """Paint dashed boxes, and the points as small crosses: other shapes than the predictions'."""
    arm = _TRUTH_ARM_PX * style.scale
    for index, class_id in enumerate(truth.class_ids.tolist()):
        pen = _pen(QColor(*class_color(class_id)), _TRUTH_PX * style.scale)
        if style.landmarks:
            visible = truth.keypoints_xy[index][truth.keypoints_visible[index]]
            lines = [
                QLineF(point.x() - dx, point.y() - dy, point.x() + dx, point.y() + dy)
                for point in _map_points(visible, transform)
                for dx, dy in ((arm, arm), (arm, -arm))
            ]
            if lines:
                _with_halo(painter, pen, style, partial(painter.drawLines, *lines))
        if style.boxes:
            half = pen.widthF() / 2  # a thin stroke is sharp between whole pixels
            box = _map_box(truth.xyxy[index], transform).adjusted(half, half, -half, -half)
            pen.setDashPattern(_DASHES)
            _with_halo(painter, pen, style, partial(painter.drawRect, box))


def _paint_label(painter: QPainter, label: Label) -> None:
    color = class_color(label.class_id)
    painter.fillRect(label.plate, QColor(*color))
    painter.setPen(QColor(*text_color(color)))
    painter.drawText(label.plate, Qt.AlignmentFlag.AlignCenter, label.text)


def _font(scale: float) -> QFont:
    font = QFont()  # the application's own
    font.setPixelSize(max(1, round(_TEXT_PX * scale)))
    font.setFeature(QFont.Tag("tnum"), 1)  # digits of one width: a changing score doesn't jitter
    return font
