"""Lanes: what was found in every frame of a source, and its reduction to pixel columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.scanning.frame_errors import FrameErrors
from kpviewer.scanning.selection import Survivors, shown
from kpviewer.structures import FloatArray, IntArray, Thresholds

BINS = 8
"""Bins of equal width in which scores from 0 to 1 are counted."""

Int32Array = NDArray[np.int32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Values of F frames of a source, from frame number ``first`` on."""

    first: int
    found: Int32Array
    """(F,) number of detections; -1 for frames that weren't scanned."""
    best: FloatArray
    """(F,) highest score of a shown class, whatever the confidence; 0 without a candidate, NaN for
    frames that weren't scanned."""
    heat: Int32Array
    """(F, BINS) number of scores of shown classes in each bin, from low to high, whatever the
    confidence: it shows where detections are nearly lost."""
    error_px: FloatArray
    """(F,) mean error; NaN without a match or ground truth."""
    missed: Int32Array
    """(F,) objects that weren't detected; -1 without ground truth."""
    false_alarms: Int32Array
    """(F,) detections without an object; -1 without ground truth."""
    difference_px: FloatArray
    """(F,) mean distance of what two models found; NaN if they share nothing, or there is one."""
    disagreements: Int32Array
    """(F,) detections that only one of two models has; -1 where they weren't both scanned."""
    position_s: Float64Array
    """(F,) media time in seconds; NaN if unknown."""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.found)

    @property
    def scanned(self) -> int:
        """Number of frames that were scanned."""
        return int(np.count_nonzero(self.found >= 0))

    @property
    def has_errors(self) -> bool:
        """Whether a frame has ground truth and was scanned."""
        return bool((self.missed >= 0).any())

    @property
    def has_differences(self) -> bool:
        """Whether a frame was scanned with two models."""
        return bool((self.disagreements >= 0).any())

    @property
    def deviation_px(self) -> FloatArray:
        """(F,) the error, or the difference where there is no ground truth at all."""
        return self.error_px if self.has_errors or not self.has_differences else self.difference_px

    @property
    def mistakes(self) -> Int32Array:
        """(F,) missed and false ones together, or disagreements, as ``deviation_px``."""
        if not self.has_errors and self.has_differences:
            return self.disagreements
        return np.where(self.missed < 0, -1, self.missed + self.false_alarms).astype(np.int32)

    def worst(self, count: int, apart: int) -> list[int]:
        """Return numbers of the worst frames: most mistakes, then greatest deviation."""
        deviation = np.nan_to_num(self.deviation_px)
        share = deviation / max(float(deviation.max(initial=0.0)), 1e-9) / 2  # below one mistake
        rows = peaks(np.maximum(self.mistakes, 0) + share, count, apart)
        return [self.first + row for row in rows]


def lanes_of(
    parts: Sequence[Survivors],
    thresholds: Thresholds,
    *,
    frames: range,
    errors: FrameErrors | None = None,
    differences: FrameErrors | None = None,
) -> Lanes:
    """Return the lanes of everything that was scanned.

    Args:
        parts: survivors of parts of what was scanned; no frame is in two of them.
        thresholds: thresholds of the model; suppression must be that of the survivors.
        frames: frame numbers of the lanes; others are left out.
        errors: errors of the frames with ground truth.
        differences: differences of a second model, from ``scanning.differences``.
    """
    total = len(frames)
    found = np.full(total, -1, np.int32)
    best = np.full(total, np.nan, np.float32)
    heat = np.zeros((total, BINS), np.int32)
    position_s = np.full(total, np.nan)
    every = replace(thresholds, score=0.0, class_scores={})
    for part in parts:
        index = part.columns.frame_index - frames.start
        inside = (index >= 0) & (index < total)
        rows, count = index[inside], len(index)
        of_frame = part.frame_rows
        position_s[rows] = part.columns.position_s[inside]
        found[rows] = np.bincount(of_frame[shown(part, thresholds)], minlength=count)[inside]
        mine = shown(part, every)
        of_frame, scores = of_frame[mine], part.scores[mine]
        bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
        counts = np.bincount(of_frame * BINS + bins, minlength=count * BINS)
        heat[rows] = counts.reshape(count, BINS)[inside]
        highest = np.zeros(count, np.float32)
        is_first = np.diff(of_frame, prepend=-1) != 0  # they are by descending score
        highest[of_frame[is_first]] = scores[is_first]
        best[rows] = highest[inside]
    disagreements = _spread(differences, "false_negatives", frames, -1)
    disagreements += _spread(differences, "false_positives", frames, 0)
    return Lanes(
        frames.start,
        found,
        best,
        heat,
        _spread(errors, "mean_px", frames, np.nan).astype(np.float32),
        _spread(errors, "false_negatives", frames, -1).astype(np.int32),
        _spread(errors, "false_positives", frames, -1).astype(np.int32),
        _spread(differences, "mean_px", frames, np.nan).astype(np.float32),
        disagreements.astype(np.int32),
        position_s,
    )


class How(Enum):
    """How the frames of a pixel column become one value."""

    MAX = "max"
    """The greatest: a single bad frame of many is seen."""
    MIN = "min"
    MEAN = "mean"


def reduced(values: NDArray[Any], edges: NDArray[Any], how: How) -> FloatArray:
    """Reduce values of frames to pixel columns.

    Args:
        values: (F,) or (F, B) values; NaN, or below 0 in integers, is unknown.
        edges: (W + 1,) ascending edges of the columns, in rows of ``values``: a column has the rows
            from the one with its left edge to that before the one with its right edge, at least
            one.
        how: how rows become one value.

    Returns:
        (W,) or (W, B); NaN where every row is unknown, or there is none.
    """
    width, rows = len(edges) - 1, len(values)
    result = np.full((width, *values.shape[1:]), np.nan, np.float32)
    lefts = np.floor(edges).astype(np.int64)
    ends = np.maximum(lefts[1:], lefts[:-1] + 1)
    inside = np.flatnonzero((ends > 0) & (lefts[:-1] < rows))
    if not len(inside):
        return result
    starts = np.maximum(lefts[inside], 0)
    first, end = int(starts[0]), min(int(ends[inside[-1]]), rows)
    known = values[first:end].astype(np.float32)
    if values.dtype.kind == "i":
        known[values[first:end] < 0] = np.nan
    at = starts - first
    if how is How.MEAN:
        is_known = np.isfinite(known)
        totals = np.add.reduceat(np.where(is_known, known, 0), at, axis=0)
        with np.errstate(invalid="ignore"):
            result[inside] = totals / np.add.reduceat(is_known.astype(np.float32), at, axis=0)
    else:
        result[inside] = (np.fmax if how is How.MAX else np.fmin).reduceat(known, at, axis=0)
    return result


def peaks(values: NDArray[Any], count: int, apart: int) -> list[int]:
    """Return rows of the greatest values above 0, greatest first; of equal ones the earlier.

    Args:
        values: (F,) values, none NaN.
        count: greatest number of rows.
        apart: smallest distance of two.
    """
    left = np.array(values, np.float64)
    rows: list[int] = []
    while len(rows) < count and left.size:
        row = int(left.argmax())
        if left[row] <= 0:
            break
        rows.append(row)
        left[max(row - apart + 1, 0) : row + apart] = 0
    return rows


def _spread(
    errors: FrameErrors | None, name: str, frames: range, default: float
) -> NDArray[np.float64]:
    """Return values of frames by their number; ``default`` for others."""
    spread = np.full(len(frames), default, np.float64)
    if errors is not None:
        row = errors.frame_index - frames.start
        inside = (row >= 0) & (row < len(frames))
        values: IntArray = getattr(errors, name)
        spread[row[inside]] = values[inside]
    return spread
