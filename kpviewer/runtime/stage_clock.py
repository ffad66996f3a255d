"""Clocks that measure the consecutive stages of one image's inference."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Protocol

import torch


class StageClock(Protocol):
    """Clock of one image: each mark ends a stage and begins the next."""

    def mark(self) -> None:
        """Note the end of a stage; the first mark begins the first one."""

    def stages_ms(self) -> list[float]:
        """Return the time between consecutive marks, ms."""


def stage_clock(device: torch.device) -> StageClock:
    """Return a clock for work on a device."""
    return _CudaClock() if device.type == "cuda" else _HostClock()


class _HostClock:
    """Clock for work that is done when its call returns."""

    def __init__(self) -> None:
        self._marks_s: list[float] = []

    def mark(self) -> None:
        self._marks_s.append(time.perf_counter())

    def stages_ms(self) -> list[float]:
        return [(end - start) * 1e3 for start, end in pairwise(self._marks_s)]


class _CudaClock:
    """Clock of the GPU's own events, as its work outlasts the call that starts it."""

    def __init__(self) -> None:
        self._marks: list[torch.cuda.Event] = []

    def mark(self) -> None:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        self._marks.append(event)

    def stages_ms(self) -> list[float]:
        self._marks[-1].synchronize()
        return [float(start.elapsed_time(end)) for start, end in pairwise(self._marks)]
