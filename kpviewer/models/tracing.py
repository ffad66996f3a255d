"""Networks are traced by one thread at a time, as torch keeps what belongs to a trace in globals.

A run on the ``meta`` device beside an export in another thread failed with KeyError: 'custom'.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 60.0
"""For another thread's trace; one that takes longer hangs, and is waited for no more."""

_lock = threading.RLock()


@contextmanager
def tracing_alone() -> Iterator[None]:
    """Wait until no other thread traces, and keep others waiting meanwhile."""
    is_mine = _lock.acquire(timeout=PATIENCE_S)
    try:
        yield
    finally:
        if is_mine:
            _lock.release()
