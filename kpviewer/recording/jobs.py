"""Disk jobs that run one after another on a thread; their owner polls for the results.

A job whose disk doesn't answer is let go, and the next one runs. It counts as failed.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import disk_silence_s

T = TypeVar("T")

_LET_GO_S = 5.0
"""Time in s for one call to a disk, after which the job is reported as failed."""
_CLOSE_SILENT_S = 1.5
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """Outcome of a job."""

    value: T | None
    """Result of the job; None if it failed."""
    failure: BaseException | None


class DiskJobs(Generic[T]):
    """Runs jobs in order, on a thread that lives while there are jobs.

    All methods are for one thread, the owner's.
    """

    def __init__(self, name: str, *, let_go_s: float | None = None) -> None:
        """Prepare; no thread runs yet.

        Args:
            name: name of the thread.
            let_go_s: time in s that a disk may take for one call; None: less when closing, as a
                user waits.
        """
        self._name = name
        self._let_go_s = let_go_s
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], T]] = deque()
        self._done: list[Done[T]] = []
        self._worker: threading.Thread | None = None

    @property
    def count(self) -> int:
        """Number of jobs that wait or run."""
        with self._lock:
            return len(self._waiting) + (self._worker is not None)

    @property
    def silence_s(self) -> float:
        """Time in s that the running job has waited for the disk."""
        worker = self._worker
        return disk_silence_s(worker) if worker is not None else 0.0

    def submit(self, job: Callable[[], T]) -> None:
        """Run a job after those submitted before."""
        with self._lock:
            self._waiting.append(job)
            if self._worker is None:
                self._start_worker()

    def take(self) -> list[Done[T]]:
        """Return the outcomes since the last call, in order."""
        if self.silence_s > (_LET_GO_S if self._let_go_s is None else self._let_go_s):
            self._let_go()
        with self._lock:
            done, self._done = self._done, []
            return done

    def close(self, patience_s: float) -> list[Done[T]]:
        """Wait for all jobs and return their outcomes; those that haven't ended fail."""
        end_s = time.monotonic() + patience_s
        silent_s = _CLOSE_SILENT_S if self._let_go_s is None else self._let_go_s
        done = self.take()
        while self.count and time.monotonic() < end_s and self.silence_s < silent_s:
            worker = self._worker
            if worker is not None:
                worker.join(_POLL_S)
            done += self.take()
        with self._lock:
            left = len(self._waiting) + (self._worker is not None)
            self._waiting.clear()
            self._worker = None
            done += self._done
        return done + [Done(None, _unanswered()) for _ in range(left)]

    def _start_worker(self) -> None:
        # A daemon, as it may be let go.
        self._worker = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._worker.start()

    def _let_go(self) -> None:
        with self._lock:
            self._done.append(Done(None, _unanswered()))
            self._worker = None
            if self._waiting:
                self._start_worker()

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._worker is not threading.current_thread():
                    return
                if not self._waiting:
                    self._worker = None
                    return
                job = self._waiting.popleft()
            done: Done[T]
            try:
                done = Done(job(), None)
            except BaseException as error:  # returned to the owner, which reports it
                done = Done(None, error)
            with self._lock:
                if self._worker is threading.current_thread():
                    self._done.append(done)


def _unanswered() -> RecordingError:
    return RecordingError("the folder does not answer. Choose another folder, or try again.")
