"""Time that threads wait for a disk: a dead mount never answers.

Every access to a disk is made within ``disk_call``, and any thread may read how long it takes.
Encoding, painting and compressing don't count.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

SILENT_S = 0.75
"""Time in s from which on a disk "does not answer" a call. Local disks take milliseconds."""


@dataclass(slots=True)
class _Calls:
    """The calls of one thread to a disk."""

    since: float | None = None
    """Monotonic time in s at which the present call began; None without one."""
    answers: int = 0
    """Number of calls that have ended."""


_calls: WeakKeyDictionary[threading.Thread, _Calls] = WeakKeyDictionary()
_lock = threading.Lock()


@contextmanager
def disk_call() -> Iterator[None]:
    """Note that this thread waits for a disk; the end of an inner call counts as an answer."""
    with _lock:
        mine = _calls.setdefault(threading.current_thread(), _Calls())
    is_inner = mine.since is not None
    mine.since = time.monotonic()
    try:
        yield
    finally:
        mine.answers += 1
        mine.since = time.monotonic() if is_inner else None


def disk_silence_s(*threads: threading.Thread) -> float:
    """Return the longest time in s that a thread has waited for one call to a disk, or 0.

    Without threads, all of them count.
    """
    now_s = time.monotonic()
    starts = [each.since for each in _calls_of(threads)]
    return max((now_s - since for since in starts if since is not None), default=0.0)


def disk_answers(*threads: threading.Thread) -> int:
    """Return the number of calls to a disk that have ended in these threads."""
    return sum(each.answers for each in _calls_of(threads))


def _calls_of(threads: tuple[threading.Thread, ...]) -> list[_Calls]:
    with _lock:
        return [each for thread, each in _calls.items() if not threads or thread in threads]
