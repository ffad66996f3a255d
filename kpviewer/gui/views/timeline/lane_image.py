"""Lanes as pixels: one value a pixel column, painted with numpy in the colours of the theme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QColor, QImage, QPalette

from kpviewer.overlay.palette import oklch_to_rgb

STEPS = 256
_HUE = 2.9
"""Hue of the heat strip in OKLCH, rad: a green away from the accent, and from red and amber."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneColors:
    """Colours as 0xffRRGGBB, greys but for the heat strip."""

    ground: int
    hatch: int
    """Lines over the frames that were not scanned."""
    found: int
    found_pale: int
    error: int
    mistake: int
    heat: NDArray[np.uint32]
    """(STEPS,) from few to many scores: one hue, in equal steps of lightness."""

    @classmethod
    def of(cls, palette: QPalette) -> LaneColors:
        """Return the colours that go with a palette."""
        role = QPalette.ColorRole
        window, text = palette.color(role.Window), palette.color(role.WindowText)
        is_dark = window.lightness() < 128
        return cls(
            ground=_mixed(window, text, 0.05),
            hatch=_mixed(window, text, 0.16),
            found=_mixed(window, text, 0.55),
            found_pale=_mixed(window, text, 0.28),
            error=_mixed(window, text, 0.55),
            mistake=text.rgb(),
            heat=_ramp((0.30, 0.90), (0.03, 0.13)) if is_dark else _ramp((0.92, 0.38), (0.02, 0.1)),
        )


@cache
def _ramp(lightness: tuple[float, float], chroma: tuple[float, float]) -> NDArray[np.uint32]:
    """Return STEPS colours between two lightnesses and chromas of OKLCH."""
    shares = np.linspace(0, 1, STEPS)
    rgb = [
        oklch_to_rgb(float(np.interp(share, (0, 1), lightness)), c, _HUE)
        for share, c in zip(shares, np.interp(shares, (0, 1), chroma), strict=True)
    ]
    ramp = np.array([0xFF000000 | r << 16 | g << 8 | b for r, g, b in rgb], np.uint32)
    ramp.setflags(write=False)
    return ramp


def _mixed(one: QColor, other: QColor, share: float) -> int:
    """Return ``one`` with a share of ``other``."""
    pairs = zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs if a is not None)
    return QColor(red, green, blue).rgb()


FloatArray = NDArray[np.float32]
PixelArray = NDArray[np.uint32]

LANES = 3
LANE_PX, GAP_PX = 16, 1
"""Height of a lane and of the gap between two, logical px."""
LANES_PX = LANES * LANE_PX + (LANES - 1) * GAP_PX
MISTAKE_PX = 3
"""Height of the line where objects were missed or false alarms raised, logical px."""
FAINTEST = 0.3
"""Strength of the colour of a score that few frames have."""
PALER = 0.4
"""Strength of scores below the confidence, as a share of that of others."""
_HATCH_PX = 6
"""Distance of two lines of the hatching, logical px."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneColumns:
    """Values of W pixel columns; NaN where no frame was scanned."""

    found: FloatArray
    """(W,) greatest number of detections, as a share of the height."""
    found_least: FloatArray
    """(W,) least number of detections, as a share of the height."""
    heat: FloatArray
    """(W, B) scores in each of B bins from low to high, as a share of the usual number."""
    error: FloatArray
    """(W,) greatest error or difference, as a share of the height; NaN without a match."""
    mistakes: FloatArray
    """(W,) greatest number of mistakes in a frame; NaN without ground truth."""
    threshold: float = 0.0
    """Confidence; bins of scores below it are paler."""

    @classmethod
    def empty(cls, width: int) -> LaneColumns:
        """Return columns of frames that were not scanned."""
        nothing = np.full(width, np.nan, np.float32)
        return cls(nothing, nothing, nothing[:, None], nothing, nothing)


def lane_image(columns: LaneColumns, colors: LaneColors, ratio: float) -> QImage:
    """Paint the lanes.

    ``columns`` are W physical pixels; ``ratio`` is physical pixels per logical one.

    Returns:
        Image of W x (LANES_PX * ratio) px; the gaps between the lanes are transparent.
    """
    height, width = round(LANES_PX * ratio), len(columns.found)
    pixels = np.zeros((height, width), np.uint32)
    rows = round(LANE_PX * ratio)
    lanes = (
        (_found(columns, rows, colors), columns.found),
        (_heat(columns, rows, colors), columns.found),
        (_errors(columns, rows, colors, ratio), columns.mistakes),
    )
    for number, (lane, values) in enumerate(lanes):
        top = round(number * (LANE_PX + GAP_PX) * ratio)
        _hatch(lane, np.isnan(values), colors, ratio)
        pixels[top : top + rows] = lane
    image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32)
    image = image.copy()  # it owns its pixels from here on
    image.setDevicePixelRatio(ratio)
    return image


def _found(columns: LaneColumns, rows: int, colors: LaneColors) -> PixelArray:
    """Return the first lane, (rows, W): bars of the least number, and paler up to the greatest."""
    lane = np.full((rows, len(columns.found)), colors.ground, np.uint32)
    lane[_below(columns.found, rows)] = colors.found_pale
    lane[_below(columns.found_least, rows)] = colors.found
    return lane


def _heat(columns: LaneColumns, rows: int, colors: LaneColors) -> PixelArray:
    """Return the second lane, (rows, W): the more scores in a bin, the stronger; 1 at the top."""
    counts = np.nan_to_num(columns.heat)
    share = np.where(counts > 0, np.clip(FAINTEST + (1 - FAINTEST) * counts, 0, 1), 0)
    bins = counts.shape[1]
    is_below = (np.arange(bins) + 0.5) / bins < columns.threshold
    step = (np.where(is_below, PALER, 1.0) * share * (STEPS - 1)).astype(np.intp)
    lane = np.where(step > 0, colors.heat[step], np.uint32(colors.ground))
    return np.asarray(lane.T[::-1][np.arange(rows) * bins // rows], np.uint32)


def _errors(columns: LaneColumns, rows: int, colors: LaneColors, ratio: float) -> PixelArray:
    """Return the third lane, (rows, W): bars of the error, and a line above where mistakes are."""
    lane = np.full((rows, len(columns.error)), colors.ground, np.uint32)
    lane[_below(columns.error, rows)] = colors.error
    lane[: round(MISTAKE_PX * ratio), columns.mistakes > 0] = colors.mistake
    return lane


def _below(shares: FloatArray, rows: int) -> NDArray[np.bool_]:
    """Return the pixels of bars, (rows, W); a share above 0 is at least 2 px high."""
    share = np.clip(np.nan_to_num(shares), 0, 1)
    tall = np.where(share > 0, np.maximum(np.ceil(share * rows), 2), 0)
    return np.arange(rows, 0, -1)[:, None] <= tall


def _hatch(lane: PixelArray, where: NDArray[np.bool_], colors: LaneColors, ratio: float) -> None:
    """Draw diagonal lines over the columns that are unknown, in place."""
    rows, width = lane.shape
    step = max(round(_HATCH_PX * ratio), 2)
    line = max(round(ratio), 1)
    diagonal = (np.arange(rows)[:, None] + np.arange(width)) % step < line
    lane[:, where] = np.uint32(colors.ground)
    lane[diagonal & where] = np.uint32(colors.hatch)
