"""A panel of text under a picture: what was said of the whole picture, beside the truth.

Drawn with matplotlib, as Qt belongs to window and overlay. Right and wrong differ in a word, not
in colour alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kpviewer.palette import class_color
from kpviewer.sources.resizing import resized
from kpviewer.structures import BoolArray, FloatArray, ImageArray

SIDE_PX = 420
"""Width of a panel, and longest side of the picture over it."""
MOST_BARS = 10
_ROW_PX, _PAD_PX, _DPI = 20, 8, 100
_BACKGROUND, _TEXT, _FAINT = "#202020", "#ffffff", "#a8a8a8"
_TRACK, _UNDER, _RIGHT, _WRONG = "#4a4a4a", "#8a8a8a", "#7fd8b4", "#ff9d6e"
_NAME_PX, _BAR_PX, _SCORE_PX = 140, 160, 36


class LabelRow(NamedTuple):
    """What was said of a picture, and what is true: (C,) each."""

    scores: FloatArray
    present: BoolArray
    known: BoolArray
    """Classes that can be judged."""


class LabelBar(NamedTuple):
    """What was said of one class of a picture, and what is true."""

    class_id: int
    name: str
    score: float
    is_told: bool
    is_true: bool

    @property
    def verdict(self) -> str:
        """Give "right", "missed" or "false"; nothing for a class that rightly isn't told."""
        if self.is_told:
            return "right" if self.is_true else "false"
        return "missed" if self.is_true else ""


def choose_label_bars(
    row: LabelRow, class_names: Sequence[str], threshold: float
) -> list[LabelBar]:
    """Choose at most MOST_BARS classes: the wrong, the right, then the others by score.

    Args:
        row: scores and truth of a picture.
        class_names: C names.
        threshold: scores from it on say that the class is there.

    Returns:
        By class id; classes that can't be judged have no bar.
    """
    bars = []
    for class_id in np.flatnonzero(row.known).tolist():
        score, is_true = float(row.scores[class_id]), bool(row.present[class_id])
        bars.append(LabelBar(class_id, class_names[class_id], score, score >= threshold, is_true))
    order = {"missed": 0, "false": 0, "right": 1, "": 2}
    best = sorted(bars, key=lambda bar: (order[bar.verdict], -bar.score))[:MOST_BARS]
    return sorted(best, key=lambda bar: bar.class_id)


def bars_under(
    bgr: ImageArray, bars: Sequence[LabelBar], threshold: float, hidden: int = 0
) -> ImageArray:
    """Put class bars under a picture: true classes are underlined, wrong ones named so.

    Args:
        bgr: (H, W, 3) uint8; scaled to SIDE_PX.
        bars: one a row.
        threshold: marked on every bar.
        hidden: classes without a bar, which a last line counts.

    Returns:
        (H', SIDE_PX, 3) uint8 BGR.
    """
    height = _PAD_PX * 2 + _ROW_PX * (len(bars) + bool(hidden))
    panel = _Panel(height)
    for row, bar in enumerate(bars):
        panel.bar(bar, _PAD_PX + (row + 0.5) * _ROW_PX, threshold)
    if hidden:
        panel.text(_PAD_PX, height - _PAD_PX - _ROW_PX / 2, f"and {hidden} other classes", _FAINT)
    return _stack(bgr, panel.pixels())


def label_tile(
    bgr: ImageArray, row: LabelRow, class_names: Sequence[str], threshold: float
) -> ImageArray:
    """Put the bars of ``choose_label_bars`` under a picture; see there and ``bars_under``."""
    bars = choose_label_bars(row, class_names, threshold)
    return bars_under(bgr, bars, threshold, hidden=int(row.known.sum()) - len(bars))


def caption_under(bgr: ImageArray, text: str, *, is_right: bool) -> ImageArray:
    """Put one line under a picture, in the colour of what is right or of what is wrong.

    Args:
        bgr: (H, W, 3) uint8; scaled to SIDE_PX.
        text: the line.
        is_right: what it tells.

    Returns:
        (H', SIDE_PX, 3) uint8 BGR.
    """
    height = 2 * _PAD_PX + _ROW_PX
    panel = _Panel(height)
    panel.text(_PAD_PX, height / 2, text, _RIGHT if is_right else _WRONG)
    return _stack(bgr, panel.pixels())


class _Panel:
    """A canvas SIDE_PX wide whose units are pixels, the origin at its top left."""

    def __init__(self, height: int) -> None:
        figure = Figure(figsize=(SIDE_PX / _DPI, height / _DPI), dpi=_DPI, facecolor=_BACKGROUND)
        self._figure, self._height = figure, height
        self._axes = figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, SIDE_PX), ylim=(height, 0))
        self._axes.axis("off")

    def text(self, left: float, middle: float, text: str, color: str, align: str = "left") -> None:
        self._axes.text(
            left, middle, text, color=color, fontsize=9.5, ha=align, va="center_baseline",
            parse_math=False,
        )  # fmt: skip

    def bar(self, bar: LabelBar, middle: float, threshold: float) -> None:
        """Draw name, bar, score and verdict."""
        name = bar.name if len(bar.name) <= 18 else f"{bar.name[:17]}…"
        self.text(_PAD_PX, middle, name, _TEXT if bar.is_told or bar.is_true else _FAINT)
        if bar.is_true:
            self._fill(_PAD_PX, middle + 8, _NAME_PX - 2 * _PAD_PX, 1, _TEXT)
        left = _NAME_PX
        color = tuple(value / 255 for value in class_color(bar.class_id))
        self._fill(left, middle - 4, _BAR_PX, 8, _TRACK)
        filled = _BAR_PX * float(np.clip(bar.score, 0, 1))
        self._fill(left, middle - 4, filled, 8, color if bar.is_told else _UNDER)
        self._fill(left + _BAR_PX * threshold - 1, middle - 6, 2, 12, _TEXT)
        self.text(left + _BAR_PX + _SCORE_PX, middle, f"{bar.score:.2f}", _TEXT, "right")
        color_of = _RIGHT if bar.verdict == "right" else _WRONG
        self.text(left + _BAR_PX + _SCORE_PX + _PAD_PX, middle, bar.verdict, color_of)

    def _fill(self, left: float, top: float, width: float, height: float, color: object) -> None:
        self._axes.add_patch(Rectangle((left, top), width, height, color=color, linewidth=0))

    def pixels(self) -> ImageArray:
        """Draw: (H, SIDE_PX, 3) uint8 BGR."""
        self._figure.savefig(stream := io.BytesIO(), format="rgba", dpi=_DPI)
        rgba = np.frombuffer(stream.getvalue(), np.uint8).reshape(self._height, SIDE_PX, 4)
        return np.ascontiguousarray(rgba[..., 2::-1])


def _stack(bgr: ImageArray, panel: ImageArray) -> ImageArray:
    """Put a picture, in the middle, over its panel."""
    scale = SIDE_PX / max(bgr.shape[:2])
    size_hw = (max(1, round(bgr.shape[0] * scale)), max(1, round(bgr.shape[1] * scale)))
    picture = bgr if bgr.shape[:2] == size_hw else resized(bgr, size_hw)
    canvas = np.empty((size_hw[0] + panel.shape[0], SIDE_PX, 3), np.uint8)
    canvas[:] = panel[0, 0]
    left = (SIDE_PX - size_hw[1]) // 2
    canvas[: size_hw[0], left : left + size_hw[1]] = picture
    canvas[size_hw[0] :] = panel
    return canvas
