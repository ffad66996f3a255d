"""Class scores of a multi-label model as bars, over an image or in a panel under it.

Each class has a row: name, bar, score, and a mark at the class's threshold. Bars that reach the
mark have the colour of their class; the others are grey. If the ground truth is known, the classes
of the image are underlined and wrong predictions are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from kpviewer.models.names.classes import class_name
from kpviewer.overlay.labels import label_font
from kpviewer.overlay.palette import class_color
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import BoolArray, Candidates, FloatArray, Thresholds

PADDING_PX, GAP_PX, BAR_PX, MARK_PX = 8.0, 8.0, 8.0, 2.0
ROW_SHARE = 1.4
"""Ratio of the height of a row to that of a line of text."""
LARGEST_SHARE = 0.5
"""Largest share of the visible width that the bars may take."""
BAR_EMS = 8.0
"""Length of a bar in widths of the letter m, if there is room."""
_PLATE, _TRACK = QColor(0, 0, 0, 170), QColor(255, 255, 255, 60)
_TEXT, _FAINT, _UNDER = QColor(255, 255, 255), QColor(200, 200, 200), QColor(150, 150, 150)
RIGHT, WRONG = QColor("#7fd8b4"), QColor("#ff9d6e")
"""Colours of predictions that agree with the ground truth, and of those that don't."""


class Bar(NamedTuple):
    """Score of one class, and whether the image shows that class."""

    class_id: int
    name: str
    score: float
    threshold: float
    is_present: bool | None = None
    """Ground truth; None if it isn't known."""

    @property
    def is_over(self) -> bool:
        """Whether the class is predicted."""
        return bool(np.float32(self.score) >= np.float32(self.threshold))  # as the model's scores

    @property
    def verdict(self) -> str:
        """Return "right", "missed" or "false alarm"; "" for true negatives or no ground truth."""
        if self.is_present is None:
            return ""
        if self.is_over:
            return "right" if self.is_present else "false alarm"
        return "missed" if self.is_present else ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of the parts of a row, px."""

    name: float
    bar: float
    value: float
    gap: float

    @property
    def total(self) -> float:
        """Width of name, bar and value, with the gaps between them."""
        return self.name + self.bar + self.value + 2 * self.gap


def choose_bars(
    scores: FloatArray,
    names: Sequence[str],
    thresholds: Thresholds,
    room: int,
    present: BoolArray | None = None,
) -> list[Bar]:
    """Choose the classes that have a bar, in the order of their ids.

    Args:
        scores: (C,) in [0, 1].
        names: C names.
        thresholds: marks, and the classes that are shown.
        room: maximum number of rows. If ``present`` is given, wrong predictions come first, then
            right ones; the rest is filled by score.
        present: (C,) ground truth; None if it isn't known.
    """
    bars = [
        Bar(
            class_id,
            class_name(class_id, names),
            float(np.clip(np.nan_to_num(scores[class_id]), 0, 1)),
            thresholds.class_scores.get(class_id, thresholds.score),
            None if present is None else bool(present[class_id]),
        )
        for class_id in range(len(scores))
        if thresholds.classes is None or class_id in thresholds.classes
    ]
    order = {"missed": 0, "false alarm": 0, "right": 1, "": 2}
    best = sorted(bars, key=lambda bar: (order[bar.verdict], -bar.score))[: max(room, 0)]
    return sorted(best, key=lambda bar: bar.class_id)


def row_height(font: QFont) -> float:
    """Return the height of a row in a font, px."""
    return QFontMetricsF(font).height() * ROW_SHARE


def fit_columns(painter: QPainter, bars: Sequence[Bar], width: float, gap: float) -> Columns | None:
    """Fit names, bars and values into a width; return None if there is no room for a bar.

    Args:
        painter: an active painter; its font is that of the text.
        bars: at least one.
        width: maximum width of all columns together, px.
        gap: distance between columns, px.
    """
    metrics = QFontMetricsF(painter.font())
    value = metrics.horizontalAdvance("0.00")
    name = min(max(metrics.horizontalAdvance(bar.name) for bar in bars), width / 3)
    bar = min(BAR_EMS * metrics.horizontalAdvance("m"), width - name - value - 2 * gap)
    return Columns(name, bar, value, gap) if bar >= value else None


def paint_class_bars(
    painter: QPainter, candidates: Candidates, style: OverlayStyle, bounds: QRectF
) -> None:
    """Paint a bar for each class, if the style has bars and there is a row of scores.

    They are on a plate at the top left of ``bounds``, the part of the image in view.
    """
    if style.bars is None or not len(candidates):
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(label_font(style))
    scale = style.scale
    row_px, padding = row_height(painter.font()), PADDING_PX * scale
    room = int((bounds.height() - 4 * padding) / row_px)
    bars = choose_bars(candidates.scores[0], style.class_names, style.bars, room)
    width = bounds.width() * LARGEST_SHARE - 2 * padding
    if bars and (columns := fit_columns(painter, bars, width, GAP_PX * scale)) is not None:
        corner = bounds.topLeft() + QPointF(padding, padding)
        size = QSizeF(columns.total + 2 * padding, len(bars) * row_px + padding)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PLATE)
        painter.drawRoundedRect(QRectF(corner, size), padding / 2, padding / 2)
        paint_rows(painter, bars, corner + QPointF(padding, padding / 2), columns, scale)
    painter.restore()


def paint_rows(
    painter: QPainter, bars: Sequence[Bar], corner: QPointF, columns: Columns, scale: float = 1.0
) -> None:
    """Paint a row for each bar, one under the other.

    Args:
        painter: an active painter; its pen and brush change.
        bars: from top to bottom.
        corner: top left of the first row.
        columns: from ``fit_columns``; a verdict follows them.
        scale: factor of strokes.
    """
    row_px = row_height(painter.font())
    for index, bar in enumerate(bars):
        place = QRectF(corner.x(), corner.y() + index * row_px, columns.name, row_px)
        _paint_row(painter, bar, place, columns, scale)


def _paint_row(painter: QPainter, bar: Bar, place: QRectF, columns: Columns, scale: float) -> None:
    """Paint one row with the name in ``place``."""
    middle = Qt.AlignmentFlag.AlignVCenter
    _paint_name(painter, bar, place)
    left = place.right() + columns.gap
    height = BAR_PX * scale
    track = QRectF(left, place.center().y() - height / 2, columns.bar, height)
    painter.fillRect(track, _TRACK)
    filled = QRectF(track)
    filled.setWidth(track.width() * bar.score)
    painter.fillRect(filled, QColor(*class_color(bar.class_id)) if bar.is_over else _UNDER)
    value = QRectF(track.right() + columns.gap, place.top(), columns.value, place.height())
    painter.drawText(value, middle | Qt.AlignmentFlag.AlignRight, f"{bar.score:.2f}")
    at = track.left() + track.width() * bar.threshold
    pen = QPen(_TEXT, MARK_PX * scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(at, track.top() - 2 * scale), QPointF(at, track.bottom() + 2 * scale))
    if bar.verdict:
        painter.setPen(RIGHT if bar.verdict == "right" else WRONG)
        behind = value.translated(value.width() + columns.gap, 0)
        flags = middle | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextDontClip
        painter.drawText(behind, flags, bar.verdict)
    painter.setPen(Qt.PenStyle.NoPen)


def _paint_name(painter: QPainter, bar: Bar, place: QRectF) -> None:
    """Write the name of a class, underlined if the image shows it."""
    font = painter.font()
    name = QFontMetricsF(font).elidedText(bar.name, Qt.TextElideMode.ElideRight, place.width())
    painter.setPen(_TEXT if bar.is_over or bar.is_present else _FAINT)
    if bar.is_present:
        underlined = painter.font()
        underlined.setUnderline(True)
        painter.setFont(underlined)
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
    painter.setFont(font)
