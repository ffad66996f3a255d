"""Due times of frames, and delays of reconnecting: arithmetic without threads or clocks."""

import random

RECONNECT_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 10.0)
"""Delays between attempts to open a lost source; the last one repeats for ever."""
JITTER = 0.1
"""Share of the delay that is added at random: many viewers of a server don't reconnect at once."""

_LATE_S = 0.25
"""Delay from which on playback doesn't catch up; it continues from there, late."""
_LONGEST_GAP_S = 5.0
"""Gap between timestamps from which on it counts as a fault of the file and isn't waited for."""
_NS = 1_000_000_000


def reconnect_delay_s(attempt: int) -> float:
    """Return the delay in s before attempt number ``attempt`` (from 0) to open a lost source."""
    delay = RECONNECT_DELAYS_S[min(attempt, len(RECONNECT_DELAYS_S) - 1)]
    return delay * (1 + JITTER * random.random())


class Pacer:
    """Maps media time to the clock, from an anchor: the first frame after ``reset``.

    Media time that goes backwards means that the file started again.
    """

    def __init__(self) -> None:
        self._due_ns: int | None = None
        self._position_s = 0.0
        self._interval_s = 1 / 30  # until two frames have shown another

    def reset(self) -> None:
        """Forget the anchor: the next frame is due at once."""
        self._due_ns = None

    def due_ns(self, position_s: float, now_ns: int, speed: float) -> int:
        """Return when a frame is due, in ns; ``now_ns`` if at once. Changes nothing.

        Args:
            position_s: media time of the frame, in s.
            now_ns: monotonic time, in ns.
            speed: playback speed; 2 plays twice as fast.
        """
        if self._due_ns is None:
            return now_ns
        gap_s = position_s - self._position_s
        if gap_s <= 0:
            gap_s = self._interval_s
        if gap_s > _LONGEST_GAP_S:
            return now_ns
        due_ns = self._due_ns + round(gap_s / speed * _NS)
        return now_ns if now_ns - due_ns > _LATE_S * _NS else due_ns

    def shown(self, position_s: float, due_ns: int) -> None:
        """Note that a frame due at ``due_ns`` was delivered; the next is timed from it."""
        gap_s = position_s - self._position_s
        if self._due_ns is not None and 0 < gap_s <= _LONGEST_GAP_S:
            self._interval_s = gap_s
        self._due_ns = due_ns
        self._position_s = position_s
