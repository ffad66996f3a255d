"""Panel of text under an image: predictions for the whole image, and the ground truth.

Right and wrong differ by a word, not by colour alone. Main thread only: text needs an application
object (``ensure_gui_application``).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from kpviewer.overlay.class_bars import (
    GAP_PX,
    PADDING_PX,
    RIGHT,
    WRONG,
    Bar,
    choose_bars,
    fit_columns,
    paint_rows,
    row_height,
)
from kpviewer.overlay.images import array_of
from kpviewer.overlay.labels import label_font
from kpviewer.overlay.style import OverlayStyle
from kpviewer.sources.resizing import resized
from kpviewer.structures import BoolArray, FloatArray, ImageArray, Thresholds

SIDE_PX = 420
"""Width of a panel, and longest side of the image above it, px."""
MAX_BARS = 10
_BACKGROUND, _FAINT = QColor("#202020"), QColor("#a8a8a8")
_VERDICT_PX = 76.0


class LabelRow(NamedTuple):
    """Predictions and ground truth of one image: (C,) each."""

    scores: FloatArray
    present: BoolArray
    known: BoolArray
    """Classes whose ground truth is known."""


def choose_label_bars(row: LabelRow, class_names: Sequence[str], threshold: float) -> list[Bar]:
    """Choose at most MAX_BARS classes: wrong ones, right ones, then the others by score.

    Args:
        row: scores and ground truth of one image.
        class_names: C names.
        threshold: lowest score that predicts a class.

    Returns:
        Bars by class id; classes without ground truth have none.
    """
    known = frozenset(np.flatnonzero(row.known).tolist())
    thresholds = Thresholds(score=threshold, classes=known)
    return choose_bars(row.scores, class_names, thresholds, MAX_BARS, row.present)


def bars_under(bgr: ImageArray, bars: Sequence[Bar], hidden: int = 0) -> ImageArray:
    """Put class bars under an image.

    Args:
        bgr: (H, W, 3) uint8; scaled to SIDE_PX.
        bars: one for each row.
        hidden: number of classes without a bar, which the last line reports.

    Returns:
        (H', SIDE_PX, 3) uint8 BGR.
    """

    def paint(painter: QPainter, bounds: QRectF) -> None:
        columns = fit_columns(painter, bars, bounds.width() - _VERDICT_PX, GAP_PX) if bars else None
        if columns is not None:
            paint_rows(painter, bars, bounds.topLeft(), columns)
        if hidden:
            last = bounds.adjusted(0, len(bars) * row_height(painter.font()), 0, 0)
            painter.setPen(_FAINT)
            painter.drawText(last, Qt.AlignmentFlag.AlignVCenter, f"and {hidden} other classes")

    return _stack(bgr, _panel(len(bars) + bool(hidden), paint))


def label_tile(
    bgr: ImageArray, row: LabelRow, class_names: Sequence[str], threshold: float
) -> ImageArray:
    """Put the bars that ``choose_label_bars`` chooses under an image, as ``bars_under`` does."""
    bars = choose_label_bars(row, class_names, threshold)
    return bars_under(bgr, bars, hidden=int(row.known.sum()) - len(bars))


def caption_under(bgr: ImageArray, text: str, *, is_right: bool) -> ImageArray:
    """Put one line under an image, in the colour of a right or a wrong prediction.

    Args:
        bgr: (H, W, 3) uint8; scaled to SIDE_PX.
        text: the line.
        is_right: whether it reports a right prediction.

    Returns:
        (H', SIDE_PX, 3) uint8 BGR.
    """

    def paint(painter: QPainter, bounds: QRectF) -> None:
        painter.setPen(RIGHT if is_right else WRONG)
        painter.drawText(bounds, Qt.AlignmentFlag.AlignVCenter, text)

    return _stack(bgr, _panel(1, paint))


def _panel(rows: int, paint: Callable[[QPainter, QRectF], None]) -> ImageArray:
    """Paint a panel of some rows of text: (H, SIDE_PX, 3) uint8 BGR."""
    font = label_font(OverlayStyle())
    height = rows * row_height(font)
    image = QImage(SIDE_PX, round(height + 2 * PADDING_PX), QImage.Format.Format_BGR888)
    image.fill(_BACKGROUND)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        corner = QPointF(PADDING_PX, PADDING_PX)
        paint(painter, QRectF(corner, QPointF(SIDE_PX - PADDING_PX, PADDING_PX + height)))
    finally:
        painter.end()
    return array_of(image)


def _stack(bgr: ImageArray, panel: ImageArray) -> ImageArray:
    """Put an image, centred, above its panel."""
    scale = SIDE_PX / max(bgr.shape[:2])
    size_hw = (max(1, round(bgr.shape[0] * scale)), max(1, round(bgr.shape[1] * scale)))
    image = bgr if bgr.shape[:2] == size_hw else resized(bgr, size_hw)
    canvas = np.empty((size_hw[0] + panel.shape[0], SIDE_PX, 3), np.uint8)
    canvas[:] = panel[0, 0]
    left = (SIDE_PX - size_hw[1]) // 2
    canvas[: size_hw[0], left : left + size_hw[1]] = image
    canvas[size_hw[0] :] = panel
    return canvas
