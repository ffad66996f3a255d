"""The state of a pipeline, why it ended, and the first thing that went wrong in it."""

from __future__ import annotations

import threading

from kpviewer.errors import KpviewerError, PipelineError
from kpviewer.pipeline_status import PipelineState, StopReason


class Lifecycle:
    """Counts the threads of a run. Thread-safe.

    ::

        IDLE --begin--> STARTING --opened--> RUNNING --stopping/failed--> STOPPING
          ^                                     |                            |
          +-------- last thread ended ----------+----------------------------+--> FAILED
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = PipelineState.IDLE
        self._stop_reason: StopReason | None = None
        self._failure: KpviewerError | None = None
        self._alive = 0
        self._through: set[object] = set()
        """Threads that ended or were let go: neither counts twice."""
        self._is_spent = False

    @property
    def state(self) -> PipelineState:
        """The state; PAUSED is the transport's to know."""
        return self._state

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the pipeline stops or stopped; None while it runs."""
        return self._stop_reason

    @property
    def failure(self) -> KpviewerError | None:
        """The first error of any thread of this run."""
        return self._failure

    def begin(self, threads: int) -> None:
        """Start a run of ``threads`` threads.

        Raises:
            PipelineError: if the run before has not ended, or a thread of it was let go.
        """
        with self._lock:
            if self._is_spent:
                raise PipelineError("A source that never answered can't be used again: open anew.")
            if self._alive:
                raise PipelineError(f"A pipeline starts once at a time; it is {self._state}.")
            self._alive = threads
            self._through.clear()
            self._state = PipelineState.STARTING
            self._stop_reason = None
            self._failure = None

    def opening(self) -> None:
        """Note that a source is being opened."""
        self._set_unless_stopping(PipelineState.STARTING)

    def opened(self) -> None:
        """Note that the source is open."""
        self._set_unless_stopping(PipelineState.RUNNING)

    def stopping(self, reason: StopReason) -> None:
        """Note that the run ends; the first reason stays."""
        with self._lock:
            if self._alive and self._stop_reason is None:
                self._stop_reason = reason
                self._state = PipelineState.STOPPING

    def failed(self, error: BaseException, thread: object = None) -> None:
        """Keep the first error; anything but a KpviewerError is wrapped in a PipelineError.

        Args:
            error: what went wrong.
            thread: in which it did; one that was let go has nothing more to say.
        """
        if thread is not None and thread in self._through:
            return
        with self._lock:
            if self._failure is None:
                self._failure = _as_kpviewer_error(error)
                self._stop_reason = StopReason.FAILED
                self._state = PipelineState.STOPPING

    def let_go(self, thread: object, *, has_successor: bool = False) -> bool:
        """Count a thread as ended that may never end; False if it has ended or was let go before.

        Args:
            thread: that no longer counts.
            has_successor: whether another thread takes its place.
        """
        with self._lock:
            if thread in self._through or not self._alive:
                return False
            self._through.add(thread)
            self._is_spent = True
            if not has_successor:
                self._settle_one()
            return True

    def thread_ended(self, thread: object = None) -> None:
        """Note that a thread is through; the last one settles the state.

        A thread that ends before anyone gave a reason has failed: only the capture thread knows
        the end of a stream, and says so.
        """
        with self._lock:
            if thread is not None and thread in self._through:
                return
            self._through.add(thread)
            if self._stop_reason is None:
                error = PipelineError("A thread of the pipeline ended without a reason.")
                self._failure, self._stop_reason = error, StopReason.FAILED
                self._state = PipelineState.STOPPING
            self._settle_one()

    def _settle_one(self) -> None:
        self._alive -= 1
        if self._alive == 0:
            self._state = PipelineState.FAILED if self._failure else PipelineState.IDLE

    def _set_unless_stopping(self, state: PipelineState) -> None:
        with self._lock:
            if self._stop_reason is None:
                self._state = state


def _as_kpviewer_error(error: BaseException) -> KpviewerError:
    if isinstance(error, KpviewerError):
        return error
    wrapped = PipelineError(f"{type(error).__name__}: {_first_line(error)}")
    wrapped.__cause__ = error
    return wrapped


def _first_line(error: BaseException) -> str:
    """The first line of an error's text; a traceback inside it is of no use to people."""
    return str(error).strip().partition("\n")[0] or "no reason given"
