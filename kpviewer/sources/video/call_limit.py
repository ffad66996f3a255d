"""Time limit of FFmpeg's waits that can change, or be cancelled, while FFmpeg waits.

During every wait for the network FFmpeg asks PyAV ten times a second whether to stop. PyAV compares
``time.monotonic()`` with a limit that was fixed at opening. Therefore this module replaces the
clock in PyAV's ``container.core``: it jumps ahead once the ``CallLimit`` of the waiting thread
expires. A PyAV that doesn't read that clock keeps its own fixed limits.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType

import av.container.core as pyav

_FAR_S = 1e9


class CallLimit:
    """Time limit of calls into PyAV.

    ``cancel`` and ``remaining_s`` are for any thread, all others for the thread of the calls.
    """

    def __init__(self) -> None:
        self._until_s = math.inf
        self.is_cancelled = False
        """Whether the calls were cancelled."""
        self._late_reads = 0

    @property
    def is_expired(self) -> bool:
        """Whether the current call must end."""
        return self.is_cancelled or time.monotonic() > self._until_s

    @property
    def remaining_s(self) -> float:
        """Seconds until the limit; infinite without a limit."""
        return self._until_s - time.monotonic()

    def set(self, seconds: float) -> None:
        """Set the limit to ``seconds`` from now."""
        self._until_s = time.monotonic() + seconds

    def cancel(self) -> None:
        """End the current call and all further calls, until ``reset``."""
        self.is_cancelled = True

    def reset(self) -> None:
        """Allow calls again, without a limit."""
        self.is_cancelled, self._until_s = False, math.inf

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Apply the limit to the calls into PyAV inside the ``with`` block."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def now_s(self) -> float:
        """Return the time for PyAV to compare with its limits."""
        if not self.is_expired:
            return time.monotonic()
        self._late_reads += 1  # a wait that begins now must end too
        return time.monotonic() + self._late_reads * _FAR_S


_CURRENT: ContextVar[CallLimit | None] = ContextVar("present limit", default=None)
"""Limit of the current thread's call."""


class _Clock(ModuleType):
    """Replacement of the module ``time`` in PyAV."""

    @staticmethod
    def monotonic() -> float:
        limit = _CURRENT.get()
        return time.monotonic() if limit is None else limit.now_s()

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


pyav.time = _Clock("time")  # type: ignore[attr-defined]
