"""One job on a thread of its own, which reports its outcome once: models load in one.

A load can't be interrupted. A superseded one is let go (``runtime.abandoned``): it runs
to its end and reports nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpviewer.errors import KpviewerError
from kpviewer.models.libraries.torch_needed import is_torch_missing, torch_needed
from kpviewer.runtime.abandoned import let_go

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


class LoaderThread(threading.Thread, Generic[T]):
    """Thread that runs one job and reports its outcome, unless it was let go before.

    Args:
        work: name of the job for users.
        job: function that runs on this thread; it may change nothing but its own result.
        report: callback for this thread and the outcome, called on this thread; must not block.
    """

    def __init__(
        self,
        work: str,
        job: Callable[[], T],
        report: Callable[[LoaderThread[T], Outcome[T]], None],
    ) -> None:
        super().__init__(name="kpviewer-loader")
        self.work = work
        self._job = job
        self._report: Callable[[LoaderThread[T], Outcome[T]], None] | None = report
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run the job."""
        try:
            outcome = Outcome(self.work, self._job(), None)
        except BaseException as error:  # SystemExit too: the owner reports it
            outcome = Outcome(self.work, None, error)
        with self._lock:
            if self._report is not None:
                self._report(self, outcome)

    def let_go(self) -> None:
        """Stop waiting for the job; its outcome is dropped."""
        with self._lock:
            self._report = None
        let_go(self, self.work)
