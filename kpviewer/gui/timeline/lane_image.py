"""Lanes as pixels: one value a pixel column, painted with numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

from kpviewer.gui.timeline.colors import STEPS, LaneColors

FloatArray = NDArray[np.float32]
PixelArray = NDArray[np.uint32]

LANES = 3
LANE_PX, GAP_PX = 16, 1
"""Height of a lane and of the gap between two, logical px."""
LANES_PX = LANES * LANE_PX + (LANES - 1) * GAP_PX
_HATCH_PX = 6
"""Distance of two lines of the hatching, logical px."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneColumns:
    """Values of W pixel columns; NaN where no frame was scanned."""

    found: FloatArray
    """(W,) number of detections."""
    score: FloatArray
    """(W,) score, 0 to 1."""
    error: FloatArray
    """(W,) error or difference, px."""
    found_top: float = 1.0
    """Number of detections that fills the height of a lane."""
    error_top: float = 1.0
    """Error that fills the height of a lane, px."""

    @classmethod
    def empty(cls, width: int) -> LaneColumns:
        """Return columns of frames that were not scanned."""
        nothing = np.full(width, np.nan, np.float32)
        return cls(nothing, nothing, nothing)


def lane_image(columns: LaneColumns, colors: LaneColors, ratio: float) -> QImage:
    """Paint the lanes.

    Args:
        columns: values of W physical pixel columns.
        colors: colours of the theme.
        ratio: physical pixels per logical one.

    Returns:
        Image of W x (LANES_PX * ratio) px, with gaps in the colour of no lane: transparent.
    """
    height, width = round(LANES_PX * ratio), len(columns.found)
    pixels = np.zeros((height, width), np.uint32)
    rows, ground = round(LANE_PX * ratio), colors.ground
    found, error = columns.found / columns.found_top, columns.error / columns.error_top
    lanes = (
        _bars(found, rows, colors.found, ground),
        _heat(columns.score, rows, colors),
        _bars(error, rows, colors.error, ground),
    )
    for number, (lane, values) in enumerate(zip(lanes, (found, columns.score, error), strict=True)):
        top = round(number * (LANE_PX + GAP_PX) * ratio)
        _hatch(lane, np.isnan(values), colors, ratio)
        pixels[top : top + rows] = lane
    image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32)
    image = image.copy()  # it owns its pixels from here on
    image.setDevicePixelRatio(ratio)
    return image


def _bars(shares: FloatArray, rows: int, bar: int, ground: int) -> PixelArray:
    """Return a lane of bars, (rows, W); each share above 0 is at least 2 px high."""
    share = np.clip(np.nan_to_num(shares), 0, 1)
    tall = np.where(share > 0, np.maximum(np.ceil(share * rows), 2), 0)
    from_below = np.arange(rows, 0, -1)[:, None]
    return np.where(from_below <= tall, np.uint32(bar), np.uint32(ground))


def _heat(values: FloatArray, rows: int, colors: LaneColors) -> PixelArray:
    """Return a lane of colours, (rows, W); 0, nothing found, is the ground."""
    step = np.clip(np.nan_to_num(values) * (STEPS - 1), 0, STEPS - 1).astype(np.intp)
    row = np.where(step > 0, colors.heat[step], np.uint32(colors.ground))
    return np.tile(row, (rows, 1))


def _hatch(lane: PixelArray, where: NDArray[np.bool_], colors: LaneColors, ratio: float) -> None:
    """Draw diagonal lines over the columns that are unknown, in place."""
    rows, width = lane.shape
    step = max(round(_HATCH_PX * ratio), 2)
    line = max(round(ratio), 1)
    diagonal = (np.arange(rows)[:, None] + np.arange(width)) % step < line
    lane[:, where] = np.uint32(colors.ground)
    lane[diagonal & where] = np.uint32(colors.hatch)
