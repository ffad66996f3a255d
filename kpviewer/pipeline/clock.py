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
