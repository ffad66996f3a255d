"""Clocks that measure the consecutive stages of one image's inference."""

from __future__ import annotations

import time
from itertools import pairwise


class StageClock:
    """Clock of one image, for work that is done when its call returns.

    Each mark ends a stage and begins the next.
    """

    def __init__(self) -> None:
        self._marks_s: list[float] = []

    def mark(self) -> None:
        """Note the end of a stage; the first mark begins the first one."""
        self._marks_s.append(time.perf_counter())

    def stages_ms(self) -> list[float]:
        """Return the time between consecutive marks, ms."""
        return [(end - start) * 1e3 for start, end in pairwise(self._marks_s)]
