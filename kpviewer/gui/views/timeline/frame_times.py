"""Media times of the frames of a source, as far as they are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kpviewer.structures import StreamInfo

FALLBACK_FPS = 30.0


class FrameTimes:
    """Times by frame. Between frames of known times, times are interpolated."""

    def __init__(self, info: StreamInfo | None) -> None:
        self.count = max((info.frame_count if info is not None else None) or 1, 1)
        """Number of frames; 1 if it is unknown."""
        self.fps = (info.nominal_fps if info is not None else None) or FALLBACK_FPS
        self.length_s = 0.0
        """Duration of the source; 0 if it is unknown."""
        if info is not None:
            self.length_s = info.duration_s or (info.frame_count or 0) / self.fps
        self._times_s = np.full(self.count, np.nan)
        self._times_s[0] = 0.0
        if self.count > 1:
            step_s = self.length_s / self.count
            self._times_s[-1] = max(self.length_s - step_s, 0.0)
        self._known: NDArray[np.int64] | None = None

    def note(self, index: int, position_s: float | None) -> None:
        """Remember the time of a frame."""
        if position_s is not None and 0 <= index < self.count:
            is_new = bool(np.isnan(self._times_s[index]))
            self._times_s[index] = position_s
            if is_new:
                self._known = None

    def note_all(self, first: int, position_s: NDArray[np.float64]) -> None:
        """Remember the times of frames from number ``first`` on, (N,) in seconds; NaN unknown."""
        known = np.flatnonzero(np.isfinite(position_s[: max(self.count - first, 0)]))
        self._times_s[first + known] = position_s[known]
        self._known = None

    def time_of(self, index: int) -> float:
        """Return the time of a frame in seconds."""
        if not 0 <= index < self.count:
            return index / self.fps
        known = self._known_frames()
        return float(np.interp(index, known, self._times_s[known]))

    def frame_at(self, seconds: float) -> int:
        """Return the frame that is shown at a time."""
        known = self._known_frames()
        times_s = np.maximum.accumulate(self._times_s[known])
        return int(np.interp(seconds, times_s, known) + 1e-6)

    def _known_frames(self) -> NDArray[np.int64]:
        if self._known is None:
            self._known = np.flatnonzero(np.isfinite(self._times_s))
        return self._known
