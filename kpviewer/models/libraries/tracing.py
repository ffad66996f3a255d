"""Lock for tracing networks by one thread at a time, as torch keeps a trace's state in globals.

Without it, a run on the ``meta`` device beside an export in another thread fails with
KeyError: 'custom'.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 60.0
"""Time limit for another thread's trace; one that takes longer hangs."""

_lock = threading.RLock()


@contextmanager
def tracing_alone() -> Iterator[None]:
    """Wait until no other thread traces, and hold the lock."""
    is_mine = _lock.acquire(timeout=PATIENCE_S)
    try:
        yield
    finally:
        if is_mine:
            _lock.release()
