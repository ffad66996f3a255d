"""The clock of the pipeline, as one object, so that a test can run hours in a moment."""

from __future__ import annotations

import threading
import time


class Clock:
    """The monotonic clock of the machine."""

    def now_ns(self) -> int:
        """Monotonic time in ns; the same clock as ``Frame.captured_ns``."""
        return time.monotonic_ns()

    def wait(self, condition: threading.Condition, timeout_s: float) -> None:
        """Wait on a condition whose lock is held, at most ``timeout_s`` seconds."""
        condition.wait(timeout_s)


class Stopwatch:
    """Tells how long something has been under way: a context of one thread; any thread asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_ns: int | None = None

    def __enter__(self) -> None:
        """Begin at 0 s."""
        self._since_ns = self._clock.now_ns()

    def __exit__(self, *_: object) -> None:
        """Nothing is under way any more."""
        self._since_ns = None

    def running_s(self, longer_than_s: float) -> float | None:
        """Return the time so far in s; None where it is shorter, or nothing is under way."""
        since_ns = self._since_ns
        if since_ns is None:
            return None
        running_s = (self._clock.now_ns() - since_ns) / 1e9
        return running_s if running_s > longer_than_s else None
