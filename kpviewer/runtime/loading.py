"""A job in a thread of its own whose outcome the caller polls for: models load in one.

It knows nothing of what is loaded. One job runs at a time; a newer request replaces one that
waits, as only the last choice of a user matters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpviewer.errors import KpviewerError

T = TypeVar("T")


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
        return f"{type(error).__name__}: {text}".removesuffix(": ")


class BackgroundLoader(Generic[T]):
    """Runs jobs on the thread ``kpviewer-loader``, which lives while there is something to do.

    ``submit``, ``take`` and ``close`` are for one thread, the owner's::

        idle --submit--> running --done--> idle (outcome kept for take)
                         running --submit--> running, the newest request waits
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: tuple[str, Callable[[], T]] | None = None
        self._running: str | None = None
        self._outcome: Outcome[T] | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def busy_with(self) -> str | None:
        """Name of the job that was asked for last and isn't done; None while idle."""
        with self._lock:
            return self._waiting[0] if self._waiting else self._running

    def submit(self, name: str, job: Callable[[], T]) -> None:
        """Run a job soon; it replaces one that waits, and the outcome of one that runs."""
        with self._lock:
            if self._is_closed:
                return
            self._waiting = (name, job)
            self._outcome = None
            if self._running is None:
                self._running = name
                self._thread = threading.Thread(target=self._run, name="kpviewer-loader")
                self._thread.start()

    def take(self) -> Outcome[T] | None:
        """Give the outcome of the last job once, None while there is none."""
        with self._lock:
            outcome, self._outcome = self._outcome, None
            return outcome

    def close(self) -> None:
        """Drop what waits, and wait for the job that runs: a load can't be cut short."""
        with self._lock:
            self._is_closed = True
            self._waiting = None
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (request := self._next()) is not None:
            name, job = request
            outcome: Outcome[T]
            try:
                outcome = Outcome(name, job(), None)
            except BaseException as error:  # SystemExit too: the owner tells the user
                outcome = Outcome(name, None, error)
            with self._lock:
                if self._waiting is None and not self._is_closed:
                    self._outcome = outcome

    def _next(self) -> tuple[str, Callable[[], T]] | None:
        with self._lock:
            request, self._waiting = self._waiting, None
            self._running = request[0] if request else None
            return request
