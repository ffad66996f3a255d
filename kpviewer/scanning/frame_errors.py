"""Errors of all scanned frames against the ground truth, and the worst of them."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.metrics.frame_error import finite_mean
from kpviewer.structures import FrameError, IntArray

Float64Array = NDArray[np.float64]


class WorstBy(Enum):
    """Measure by which frames are ranked."""

    DISTANCE = "px"
    NME = "NME"
    OVERLAP = "1 − IoU"
    MISTAKES = "missed + false"


@dataclass(frozen=True, slots=True)
class EvaluatedFrame:
    """Error of one frame at the present thresholds."""

    index: int
    position_s: float | None
    value: float
    """What it was ranked by, higher is worse."""
    error: FrameError


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """Summary of all scored frames; None if no frame has the value."""

    frames: int = 0
    mean_px: float | None = None
    worst_px: float | None = None
    mean_nme: float | None = None
    matched: int = 0
    false_negatives: int = 0
    false_positives: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FrameErrors:
    """Errors of F frames, as ``FrameError`` has them: (F,) each, NaN for None."""

    frame_index: IntArray
    """Numbers of the frames, ascending."""
    position_s: Float64Array
    """Media times, s; NaN if unknown."""
    mean_px: Float64Array
    nme: Float64Array
    mean_iou: Float64Array
    matched: IntArray
    false_negatives: IntArray
    false_positives: IntArray
    not_predicted: IntArray
    nme_normaliser: str

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frame_index)

    def summary(self) -> ErrorSummary:
        """Return the means of the frames, and totals."""
        known = self.mean_px[np.isfinite(self.mean_px)]
        return ErrorSummary(
            frames=len(self),
            mean_px=finite_mean(self.mean_px),
            worst_px=float(known.max()) if known.size else None,
            mean_nme=finite_mean(self.nme),
            matched=int(self.matched.sum()),
            false_negatives=int(self.false_negatives.sum()),
            false_positives=int(self.false_positives.sum()),
        )

    def values(self, by: WorstBy) -> Float64Array:
        """Return the value of each frame, higher is worse: (F,), NaN if it has none."""
        if by is WorstBy.DISTANCE:
            return self.mean_px
        if by is WorstBy.NME:
            return self.nme
        if by is WorstBy.OVERLAP:
            return 1.0 - self.mean_iou
        mistakes = (self.false_negatives + self.false_positives).astype(np.float64)
        return np.where(mistakes > 0, mistakes, np.nan)

    def worst(self, by: WorstBy, count: int) -> list[EvaluatedFrame]:
        """Return the worst frames, worst first; of equal ones the earlier."""
        values = self.values(by)
        rows = np.flatnonzero(np.isfinite(values))
        rows = rows[np.argsort(-values[rows], kind="stable")[:count]]
        return [
            EvaluatedFrame(
                int(self.frame_index[row]),
                _or_none(self.position_s[row]),
                float(values[row]),
                self.error(row),
            )
            for row in rows.tolist()
        ]

    def error(self, row: int) -> FrameError:
        """Return the error of one frame."""
        return FrameError(
            mean_px=_or_none(self.mean_px[row]),
            nme=_or_none(self.nme[row]),
            nme_normaliser=self.nme_normaliser,
            mean_iou=_or_none(self.mean_iou[row]),
            matched=int(self.matched[row]),
            false_negatives=int(self.false_negatives[row]),
            false_positives=int(self.false_positives[row]),
            keypoints_not_predicted=int(self.not_predicted[row]),
        )


def means_by_frame(frames: IntArray, values: NDArray[Any], count: int) -> Float64Array:
    """Return the mean of the finite values of each frame: (count,), NaN if it has none.

    Args:
        frames: (N,) frame of each value.
        values: (N,) or (N, K) values.
        count: number of frames.
    """
    if values.ndim == 2:
        frames, values = np.repeat(frames, values.shape[1]), values.ravel()
    known = np.isfinite(values)
    totals = np.bincount(frames[known], values[known], minlength=count)
    numbers = np.bincount(frames[known], minlength=count)
    with np.errstate(invalid="ignore"):
        return np.asarray(totals / numbers)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
