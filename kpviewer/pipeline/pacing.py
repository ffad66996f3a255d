"""When a frame is due, and when to try a lost source again: arithmetic, no threads, no clock."""

from __future__ import annotations

import random

RECONNECT_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 10.0)
"""The last one repeats for ever."""
JITTER = 0.1
"""Share of the delay added at random, so that many viewers don't knock at one server together."""

_LATE_S = 0.25
"""Later than this is not caught up: playback goes on from here, slower than it should."""
_LONGEST_GAP_S = 5.0
"""Longer gaps between timestamps are taken for a fault in the file, and are not waited for."""
_NS = 1_000_000_000


def reconnect_delay_s(attempt: int) -> float:
    """Seconds to wait before attempt number ``attempt`` (from 0) to open a lost source."""
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
        """Tell when a frame is due; ``now_ns`` if it should go at once. Changes nothing.

        Args:
            position_s: media time of the frame, in seconds.
            now_ns: monotonic time, in ns.
            speed: 2 plays twice as fast.
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
        """Note that a frame went out that was due at ``due_ns``; the next is timed from it."""
        gap_s = position_s - self._position_s
        if self._due_ns is not None and 0 < gap_s <= _LONGEST_GAP_S:
            self._interval_s = gap_s
        self._due_ns = due_ns
        self._position_s = position_s
