"""Bars of class scores over a picture: what a multi-label model says, as the overlay paints it.

A row a class: name, bar, score, and a mark at the class's threshold. Bars that reach it have the
colour of their class; the others are grey, so that the two differ in more than length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from kpviewer.palette import class_color

if TYPE_CHECKING:
    from kpviewer.structures import FloatArray, Thresholds

PADDING_PX, GAP_PX, BAR_PX, MARK_PX = 8.0, 8.0, 8.0, 2.0
ROW_SHARE = 1.4
"""Height of a row over that of a line of text."""
LARGEST_SHARE = 0.5
"""Of the width of what is in view that the panel may take."""
BAR_EMS = 8.0
"""Length of a bar in widths of an m, where there is room."""
_PLATE, _TRACK = QColor(0, 0, 0, 170), QColor(255, 255, 255, 60)
_TEXT, _FAINT, _UNDER = QColor(255, 255, 255), QColor(200, 200, 200), QColor(150, 150, 150)


class Bar(NamedTuple):
    """One row."""

    class_id: int
    name: str
    score: float
    threshold: float

    @property
    def is_over(self) -> bool:
        """Whether the class is said to be in the picture."""
        return self.score >= self.threshold


def choose_bars(
    scores: FloatArray, names: Sequence[str], thresholds: Thresholds, room: int
) -> list[Bar]:
    """Choose the classes that have a bar, in the order of their ids.

    Args:
        scores: (C,) in [0, 1].
        names: of the classes.
        thresholds: marks, and the classes that are shown.
        room: rows that there is room for; with more classes, the best are chosen.
    """
    shown = [
        class_id
        for class_id in range(len(scores))
        if thresholds.classes is None or class_id in thresholds.classes
    ]
    best = sorted(shown, key=lambda class_id: -scores[class_id])[: max(room, 0)]
    return [
        Bar(
            class_id,
            names[class_id] if class_id < len(names) else f"class {class_id}",
            float(np.clip(np.nan_to_num(scores[class_id]), 0, 1)),
            thresholds.class_scores.get(class_id, thresholds.score),
        )
        for class_id in sorted(best)
    ]


def paint_bars(
    painter: QPainter,
    scores: FloatArray,
    names: Sequence[str],
    thresholds: Thresholds,
    bounds: QRectF,
    scale: float = 1.0,
) -> None:
    """Paint the panel at the top left of what is in view, in the painter's font.

    Args:
        painter: an active painter; its state is restored.
        scores: (C,) in [0, 1].
        names: of the classes.
        thresholds: marks, and the classes that are shown.
        bounds: the part of the picture in view, in the painter's pixels.
        scale: factor of strokes and distances.
    """
    metrics = QFontMetricsF(painter.font())
    row_px, padding = metrics.height() * ROW_SHARE, PADDING_PX * scale
    room = int((bounds.height() - 4 * padding) / row_px)
    bars = choose_bars(scores, names, thresholds, room)
    if not bars:
        return
    gap, value_px = GAP_PX * scale, metrics.horizontalAdvance("0.00")
    largest = bounds.width() * LARGEST_SHARE
    name_px = min(max(metrics.horizontalAdvance(bar.name) for bar in bars), largest / 3)
    bar_px = min(
        BAR_EMS * metrics.horizontalAdvance("m"), largest - name_px - value_px - 2 * (gap + padding)
    )
    if bar_px < value_px:  # no room to tell anything
        return
    width = name_px + bar_px + value_px + 2 * (gap + padding)
    corner = bounds.topLeft() + QPointF(padding, padding)
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    plate = QRectF(corner.x(), corner.y(), width, len(bars) * row_px + padding)
    painter.drawRoundedRect(plate, padding / 2, padding / 2)
    for index, bar in enumerate(bars):
        row = QRectF(
            plate.left() + padding, plate.top() + padding / 2 + index * row_px, name_px, row_px
        )
        _paint_row(painter, bar, row, (gap, bar_px, value_px), scale)
    painter.restore()


def _paint_row(
    painter: QPainter, bar: Bar, row: QRectF, widths: tuple[float, float, float], scale: float
) -> None:
    """Paint one row.

    Args:
        painter: an active painter.
        bar: what it says.
        row: place of the name.
        widths: of the gaps, of the bar and of the number.
        scale: factor of strokes.
    """
    gap, bar_px, value_px = widths
    metrics = QFontMetricsF(painter.font())
    painter.setPen(_TEXT if bar.is_over else _FAINT)
    middle = Qt.AlignmentFlag.AlignVCenter
    name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, row.width())
    painter.drawText(row, middle | Qt.AlignmentFlag.AlignLeft, name)
    value = QRectF(row.right() + 2 * gap + bar_px, row.top(), value_px, row.height())
    painter.drawText(value, middle | Qt.AlignmentFlag.AlignRight, f"{bar.score:.2f}")
    height = BAR_PX * scale
    track = QRectF(row.right() + gap, row.center().y() - height / 2, bar_px, height)
    painter.fillRect(track, _TRACK)
    filled = QRectF(track)
    filled.setWidth(track.width() * bar.score)
    painter.fillRect(filled, QColor(*class_color(bar.class_id)) if bar.is_over else _UNDER)
    at = track.left() + track.width() * bar.threshold
    pen = QPen(_TEXT, MARK_PX * scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(at, track.top() - 2 * scale), QPointF(at, track.bottom() + 2 * scale))
    painter.setPen(Qt.PenStyle.NoPen)
