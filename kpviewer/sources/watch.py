"""Limits for FFmpeg's waits that can be changed, and ended, while FFmpeg waits.

During every wait for the network FFmpeg asks PyAV ten times a second whether to give up. PyAV
compares ``time.monotonic()`` with a limit that was fixed at opening. So the clock that PyAV's
``container.core`` sees is ours: it jumps ahead once the ``Watch`` of the waiting thread is over.
Where a PyAV doesn't read that clock, its own fixed limits remain.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType

import av.container.core as pyav

_FAR_S = 1e9


class Watch:
    """How long calls into PyAV may take.

    ``cut`` may be called from any thread, everything else from the one that makes the calls.
    """

    def __init__(self) -> None:
        self._until_s = math.inf
        self._is_cut = False
        self._asked_late = 0

    @property
    def is_cut(self) -> bool:
        """Whether somebody wants the calls to end."""
        return self._is_cut

    @property
    def is_over(self) -> bool:
        """Whether a call under way must end."""
        return self._is_cut or time.monotonic() > self._until_s

    @property
    def left_s(self) -> float:
        """Seconds until the limit; infinite where there is none."""
        return self._until_s - time.monotonic()

    def allow(self, seconds: float) -> None:
        """End calls after ``seconds`` from now, instead of at the limit before."""
        self._until_s = time.monotonic() + seconds

    def cut(self) -> None:
        """End the call under way, and each one that begins, until ``reset``."""
        self._is_cut = True

    def reset(self) -> None:
        """Allow calls again, without a limit."""
        self._is_cut, self._until_s = False, math.inf

    @contextmanager
    def over_calls(self) -> Iterator[None]:
        """Apply the limit to the calls into PyAV inside the ``with`` block."""
        token = _PRESENT.set(self)
        try:
            yield
        finally:
            _PRESENT.reset(token)

    def now_s(self) -> float:
        """Return the time for PyAV to compare with its limits."""
        if not self.is_over:
            return time.monotonic()
        self._asked_late += 1  # a wait that begins now must end too: it compares with its start
        return time.monotonic() + self._asked_late * _FAR_S


_PRESENT: ContextVar[Watch | None] = ContextVar("present watch", default=None)
"""Of the thread that asks."""


class _Clock(ModuleType):
    """Stands in for the module ``time`` in PyAV."""

    @staticmethod
    def monotonic() -> float:
        watch = _PRESENT.get()
        return time.monotonic() if watch is None else watch.now_s()

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


pyav.time = _Clock("time")  # type: ignore[attr-defined]
