"""Work that can't be interrupted: a read in a driver, a compilation, a user's model, a dead disk.

The contract of such work:

- It runs on a thread of its own, never on the window's.
- Its owner waits for a limited time, then calls ``let_go``. From then on the owner does without it:
  the thread's result is discarded, and new work may begin beside it.
- The thread keeps its resources (a frame buffer, a device, an engine) until it returns. It then
  releases them itself and reports nothing.
- A process with such threads ends by ``end_process``, which waits for none of them.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from kpviewer.errors import KpviewerError
from kpviewer.runtime.process.ending import leave_at_once
from kpviewer.system.progress import PROGRESS, Progress

T = TypeVar("T")

DISK_S = 0.5
"""Time limit for a disk to answer whether a file exists, while the window waits."""
_POLL_S = 0.5
"""Interval in s at which a time limit is asked for."""

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_let_go: list[tuple[threading.Thread, str]] = []


class NoAnswerError(KpviewerError):
    """A call didn't return in time."""


def let_go(thread: threading.Thread, work: str) -> None:
    """Stop waiting for a thread that may never end, and log that."""
    if not thread.is_alive():
        return
    with _lock:
        _let_go[:] = [(each, name) for each, name in _let_go if each.is_alive()]
        _let_go.append((thread, work))
    _log.info("No longer waiting for this: %s", work)


def still_running() -> list[str]:
    """Return the work of the threads that were let go and still run."""
    with _lock:
        return [work for thread, work in _let_go if thread.is_alive()]


def wait_for_stragglers(seconds: float) -> None:
    """Wait for the threads that were let go, for a limited time."""
    end_s = time.monotonic() + seconds
    with _lock:
        threads = [thread for thread, _ in _let_go]
    for thread in threads:
        thread.join(max(end_s - time.monotonic(), 0))


def answer_within(seconds: float | Callable[[], float], ask: Callable[[], T], work: str) -> T:
    """Call ``ask`` on a thread of its own, and return its result or raise its error.

    Args:
        seconds: time limit without ``noting_progress``, after which the thread is let go; a
            function returns one that may grow.
        ask: function that may hang.
        work: description of the work for users.

    Raises:
        NoAnswerError: if the function doesn't return in time.
    """
    future: Future[T] = Future()
    progress = Progress()
    thread = threading.Thread(
        target=_answer, args=(future, ask, progress), name="kpviewer-question"
    )
    thread.start()
    limit = seconds if callable(seconds) else lambda: seconds
    began_s = time.monotonic()
    while not future.done():
        left_s = max(began_s, progress.noted_s) + limit() - time.monotonic()
        if left_s <= 0:
            break
        wait([future], min(left_s, _POLL_S))
    if not future.done():
        let_go(thread, work)
        raise NoAnswerError(f"No answer for {limit():.0f} s: {work}.")
    return future.result()


def end_process(code: int) -> None:
    """End the process at once if a thread that was let go would keep it alive; else return.

    Call it last, with recordings finished and settings written: nothing is cleaned up afterwards.
    """
    left = still_running()
    if not left:
        return
    _log.info("Ended without waiting for: %s", ", ".join(left))
    leave_at_once(code)


def _answer(future: Future[T], ask: Callable[[], T], progress: Progress) -> None:
    PROGRESS.set(progress)
    try:
        future.set_result(ask())
    except BaseException as error:  # raised again in the caller's thread
        future.set_exception(error)
