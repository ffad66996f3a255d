"""The clock of the pipeline, as an object: with another one, a test runs hours in a moment."""

import threading
import time


class Clock:
    """The monotonic clock of the machine."""

    def now_ns(self) -> int:
        """Return monotonic time in ns, by the same clock as ``Frame.captured_ns``."""
        return time.monotonic_ns()

    def wait(self, condition: threading.Condition, timeout_s: float) -> None:
        """Wait on a condition whose lock is held, at most ``timeout_s`` seconds."""
        condition.wait(timeout_s)


class Stopwatch:
    """Measures how long a block of code has been running; any thread may read it.

    One thread at a time uses it as a context manager around the block.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_ns: int | None = None

    def __enter__(self) -> None:
        """Start at 0 s."""
        self._since_ns = self._clock.now_ns()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._since_ns = None

    def running_s(self, longer_than_s: float) -> float | None:
        """Return the time so far in s; None if it is shorter, or if no block is running."""
        since_ns = self._since_ns
        if since_ns is None:
            return None
        running_s = (self._clock.now_ns() - since_ns) / 1e9
        return running_s if running_s > longer_than_s else None
