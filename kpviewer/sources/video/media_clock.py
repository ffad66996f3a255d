"""Media time from timestamps that may be missing, repeat, or restart in mid-stream."""

from collections.abc import Callable
from fractions import Fraction

LONGEST_STEP_S = 10.0
"""Longest step between frames in formats that allow breaks, such as MPEG-TS; FFmpeg's limit."""
LONGEST_FRAME_S = 1e6
"""Longest step in other formats: FLV and MP4 may hold nonsense for times before 0."""
_LEAST_STEP_S = Fraction(1, 1000)
"""Step for a repeated timestamp, and for a frame that comes out of order."""
_MOST_LATE = 16
"""Number of frames in a row that a decoder may return out of order: as many as it holds."""


class MediaClock:
    """Clock of seconds since the first frame, strictly increasing in display order.

    Args:
        base_s: unit of the timestamps in seconds; None without timestamps.
        step_s: assumed time between frames until two frames show the actual one.
        longest_s: longest step between frames in s; a longer one is a break in the timestamps.
        has_restarted: whether the timestamps went back in the file, asked when a frame is earlier
            than the last one. Else it is out of order, as where packets before it are lost.
    """

    def __init__(
        self,
        base_s: Fraction | None,
        step_s: float,
        longest_s: float,
        has_restarted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._base_s = base_s
        self._step_s = Fraction(step_s).limit_denominator(100_000)
        self._longest_s = longest_s
        self._has_restarted = has_restarted
        self._late = 0
        self._origin_s: Fraction | None = None
        self._last_s: Fraction | None = None

    def restart(self) -> None:
        """Restart at 0 with the next frame."""
        self._origin_s = self._last_s = None

    def seek(self, first_pts: int) -> None:
        """Take the next timestamp relative to that of the very first frame."""
        self._last_s = None
        self._origin_s = None if self._base_s is None else first_pts * self._base_s

    def position_s(self, pts: int | None) -> float:
        """Return the time of the next frame."""
        last_s = self._last_s
        if pts is None or self._base_s is None:
            now_s = Fraction(0) if last_s is None else last_s + self._step_s
        else:
            now_s = self._by_timestamp(pts * self._base_s, last_s)
        self._last_s = now_s
        return float(now_s)

    def _by_timestamp(self, raw_s: Fraction, last_s: Fraction | None) -> Fraction:
        if self._origin_s is None:
            self._origin_s = raw_s if last_s is None else raw_s - last_s - self._step_s
        now_s = raw_s - self._origin_s
        if last_s is None:
            return now_s
        step_s = now_s - last_s
        is_late = step_s < 0 and self._late < _MOST_LATE and not self._has_restarted()
        self._late = self._late + 1 if is_late else 0
        if step_s == 0 or is_late:
            return last_s + _LEAST_STEP_S
        if step_s < 0 or step_s > self._longest_s:
            now_s = last_s + self._step_s
            self._origin_s = raw_s - now_s
        else:
            self._step_s = step_s
        return now_s
