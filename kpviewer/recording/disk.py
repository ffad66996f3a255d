"""Measure for how long a disk leaves a thread waiting: a dead mount never answers.

Whatever asks a disk does so within ``asking_disk``; any thread can read the rest. Encoding,
painting and compressing don't count.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

SILENT_S = 0.75
"""A disk that takes longer for one call "does not answer". Local ones take milliseconds."""


@dataclass(slots=True)
class _Asking:
    """The calls of one thread."""

    since: float | None = None
    """Monotonic time at which the present call began; None while there is none."""
    answers: int = 0


_asking: WeakKeyDictionary[threading.Thread, _Asking] = WeakKeyDictionary()
_lock = threading.Lock()


@contextmanager
def asking_disk() -> Iterator[None]:
    """Note that the calling thread waits for a disk; the end of an inner call is an answer too."""
    with _lock:
        mine = _asking.setdefault(threading.current_thread(), _Asking())
    is_inner = mine.since is not None
    mine.since = time.monotonic()
    try:
        yield
    finally:
        mine.answers += 1
        mine.since = time.monotonic() if is_inner else None


def disk_silence_s(*threads: threading.Thread) -> float:
    """Return for how many seconds a thread has waited for one call to a disk; 0 if none does.

    Args:
        threads: the longest of these counts; without any, that of all threads.
    """
    now_s = time.monotonic()
    starts = [each.since for each in _calls(threads)]
    return max((now_s - since for since in starts if since is not None), default=0.0)


def disk_answers(*threads: threading.Thread) -> int:
    """Return how many calls of threads to a disk have ended."""
    return sum(each.answers for each in _calls(threads))


def _calls(threads: tuple[threading.Thread, ...]) -> list[_Asking]:
    with _lock:
        return [each for thread, each in _asking.items() if not threads or thread in threads]
