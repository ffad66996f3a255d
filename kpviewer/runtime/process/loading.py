"""Jobs on a thread that is kept for them; each reports its outcome once. Models load in one.

A load can't be interrupted. A superseded one is let go (``runtime.process.abandoned``): it runs
to its end and reports nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpviewer.errors import KpviewerError
from kpviewer.models.libraries.torch_needed import is_torch_missing, torch_needed
from kpviewer.runtime.process.abandoned import let_go

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """Value or failure of a job."""

    name: str
    """Name of the job for users."""
    value: T | None
    """Value that the job returned; None if it failed."""
    failure: BaseException | None
    """Exception that the job raised; None if it succeeded."""

    @property
    def reason(self) -> str:
        """Reason of the failure, in one or two lines for users; empty after a success."""
        error = self.failure
        if error is None or isinstance(error, KpviewerError):
            return str(error or "")
        if is_torch_missing(error):
            return str(torch_needed("This"))
        text = str(error).strip().partition("\n")[0]
        if isinstance(error, OSError) and text:  # its text is clear without the type
            return text
        return f"{type(error).__name__}: {text}".removesuffix(": ")


class LoaderJob(Generic[T]):
    """Job that reports its outcome, unless it was let go before.

    Args:
        work: name of the job for users.
        job: function that runs on the loader's thread; it may change nothing but its own result.
        report: callback for this job and the outcome, called on that thread; must not block.
    """

    def __init__(
        self,
        work: str,
        job: Callable[[], T],
        report: Callable[[LoaderJob[T], Outcome[T]], None],
    ) -> None:
        self.work = work
        self._job = job
        self._report: Callable[[LoaderJob[T], Outcome[T]], None] | None = report
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run the job on the present thread, unless it was let go."""
        with self._lock:
            if self._report is None:
                return
            self._thread = threading.current_thread()
        try:
            outcome = Outcome(self.work, self._job(), None)
        except BaseException as error:  # SystemExit too: the owner reports it
            outcome = Outcome(self.work, None, error)
        with self._lock:
            report, self._report = self._report, None
            if report is not None:
                report(self, outcome)

    def let_go(self) -> bool:
        """Stop waiting for the job; its outcome is dropped.

        Returns:
            Whether it runs, for a time that nobody knows.
        """
        with self._lock:
            thread = self._thread if self._report is not None else None
            self._report = None
        if thread is not None:
            let_go(thread, self.work)
        return thread is not None


def loader_executor() -> ThreadPoolExecutor:
    """Return a runner of one job at a time, whose first job starts its thread.

    The thread is kept until ``shutdown``: ``Thread.start`` waits for a new thread, which takes tens
    of ms on a busy machine.
    """
    return ThreadPoolExecutor(1, "kpviewer-loader")
