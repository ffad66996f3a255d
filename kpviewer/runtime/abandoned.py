"""Work that nobody can interrupt: a read in a driver, a compile, a foreign graph, a dead disk.

The contract of such work:

- It runs on a thread of its own, and never on that of the window.
- Its owner waits for a limited time, then calls ``let_go``. From then on the owner does without it:
  what the thread still finds out is thrown away, and something new may begin beside it.
- Whatever the thread holds (a frame buffer, a device, an engine) stays its own until it wakes.
  It then gives all of it back, in its own thread, and reports nothing.
- A process with such threads ends by ``end_process``, which waits for none of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from kpviewer.errors import KpviewerError
from kpviewer.runtime.ending import leave_at_once

T = TypeVar("T")

DISK_S = 0.5
"""For a disk to tell whether something is there, where the window waits for it."""

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_let_go: list[tuple[threading.Thread, str]] = []


class NoAnswerError(KpviewerError):
    """Something was asked and didn't answer in time."""


def let_go(thread: threading.Thread, work: str) -> None:
    """Stop waiting for a thread that may never end, and log that.

    Args:
        thread: running or ended.
        work: what it does, for people: "opening clip.mp4".
    """
    if not thread.is_alive():
        return
    with _lock:
        _let_go[:] = [(each, name) for each, name in _let_go if each.is_alive()]
        _let_go.append((thread, work))
    _log.info("No longer waiting for this: %s", work)


def still_running() -> list[str]:
    """Return what the threads do that were let go and haven't ended."""
    with _lock:
        return [work for thread, work in _let_go if thread.is_alive()]


def wait_for_stragglers(seconds: float) -> None:
    """Give the threads that were let go a last chance to end by themselves."""
    end_s = time.monotonic() + seconds
    with _lock:
        threads = [thread for thread, _ in _let_go]
    for thread in threads:
        thread.join(max(end_s - time.monotonic(), 0))


def answer_within(seconds: float, ask: Callable[[], T], work: str) -> T:
    """Return what ``ask`` returns, or raise what it raises; it runs on a thread of its own.

    Args:
        seconds: how long to wait; then the thread is let go.
        ask: may hang.
        work: what it does, for people.

    Raises:
        NoAnswerError: when the time is up.
    """
    question = _Question(ask)
    question.start()
    if not question.has_ended.wait(seconds):
        let_go(question, work)
        raise NoAnswerError(f"No answer for {seconds:.0f} s: {work}.")
    return question.answer()


def end_process(code: int) -> None:
    """End the process at once if a thread that was let go would keep it alive; else return.

    To be called last: recordings finished, settings written. Nothing is cleaned up any more.
    """
    left = still_running()
    if not left:
        return
    _log.info("Ended without waiting for: %s", ", ".join(left))
    leave_at_once(code)


class _Question(threading.Thread, Generic[T]):
    def __init__(self, ask: Callable[[], T]) -> None:
        super().__init__(name="kpviewer-question")
        self._ask = ask
        self._answers: list[T] = []
        self._failure: BaseException | None = None
        self.has_ended = threading.Event()

    def run(self) -> None:
        try:
            self._answers.append(self._ask())
        except BaseException as error:  # raised again where it was asked
            self._failure = error
        finally:
            self.has_ended.set()

    def answer(self) -> T:
        if self._failure is not None:
            raise self._failure
        return self._answers[0]
