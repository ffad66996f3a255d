"""A job on a thread of its own whose outcome the owner polls for: models load in one.

It knows nothing of what is loaded. One job runs at a time; a newer request replaces one that
waits, as only the last choice of a user matters. A load can't be cut short, so one that holds up
the next for too long is let go (``runtime.abandoned``), and the next one begins beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpviewer.errors import KpviewerError
from kpviewer.runtime.abandoned import let_go

T = TypeVar("T")

PATIENCE_S = 3.0
"""For a job that nobody wants any more, until the next one begins beside it."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of a job."""

    name: str
    value: T | None
    """What the job gave; None if it failed."""
    failure: BaseException | None

    @property
    def reason(self) -> str:
        """Why the job failed, in one or two lines for people; empty where it didn't."""
        error = self.failure
        if error is None or isinstance(error, KpviewerError):
            return str(error or "")
        text = str(error).strip().partition("\n")[0]
        if isinstance(error, OSError) and text:  # it says what it is by itself
            return text
        return f"{type(error).__name__}: {text}".removesuffix(": ")


class BackgroundLoader(Generic[T]):
    """Runs each job on a thread ``kpviewer-loader``.

    All methods are for one thread, the owner's, which calls ``take`` some ten times a second. A job
    changes nothing but its own result, as nobody may be waiting for it any more::

        idle --submit--> running --done--> idle (outcome kept for take)
                         running --submit--> running, the newest request waits
                                             --done, or too long--> running the newest

    Args:
        patience_s: for a job that the newest request waits for, in seconds.
        clock: tells seconds.
    """

    def __init__(
        self, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s, self._clock = patience_s, clock
        self._waiting: _Job[T] | None = None
        self._waits_since_s = 0.0
        self._running: _Job[T] | None = None
        self._is_closed = False

    @property
    def busy_with(self) -> str | None:
        """Name of the job that was asked for last and isn't done; None while idle."""
        if self._waiting is not None:
            return self._waiting.work
        is_busy = self._running is not None and self._running.outcome is None
        return self._running.work if self._running is not None and is_busy else None

    def submit(self, name: str, job: Callable[[], T]) -> None:
        """Run a job soon; it replaces one that waits, and the outcome of one that runs."""
        if not self._is_closed:
            self._waiting, self._waits_since_s = _Job(name, job), self._clock()
            self._begin_next()

    def take(self) -> Outcome[T] | None:
        """Give the outcome of the last job once, None while there is none."""
        self._begin_next()
        running = self._running
        if running is None or running.outcome is None:
            return None
        self._running = None
        return running.outcome

    def close(self) -> None:
        """Drop what waits and let go of what runs; doesn't wait for it."""
        self._is_closed = True
        self._waiting = None
        self._let_go()

    def _begin_next(self) -> None:
        """Begin what waits, unless the job that runs may still be waited for."""
        waiting, running = self._waiting, self._running
        if waiting is None:
            return
        if running is not None and running.outcome is None:
            if self._clock() - self._waits_since_s < self._patience_s:
                return
            self._let_go()
        self._running, self._waiting = waiting, None
        waiting.start()

    def _let_go(self) -> None:
        running, self._running = self._running, None
        if running is not None and running.outcome is None:
            let_go(running, running.work)


class _Job(threading.Thread, Generic[T]):
    def __init__(self, work: str, job: Callable[[], T]) -> None:
        super().__init__(name="kpviewer-loader")
        self.work = work
        self._job = job
        self.outcome: Outcome[T] | None = None
        """None until the job is done."""

    def run(self) -> None:
        try:
            self.outcome = Outcome(self.work, self._job(), None)
        except BaseException as error:  # SystemExit too: the owner tells the user
            self.outcome = Outcome(self.work, None, error)
