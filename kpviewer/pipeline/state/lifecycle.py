"""The state of a pipeline, the reason why it ended, and its first error."""

import threading
import traceback
import weakref

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
        self._done: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        """Threads that ended or were let go: neither counts twice. Weak, as a thread holds this."""
        self._is_unusable = False
        """Whether a thread was let go: its source may still be in use."""

    @property
    def state(self) -> PipelineState:
        """The state, but for PAUSED, which only the transport knows."""
        return self._state

    @property
    def stop_reason(self) -> StopReason | None:
        """Reason why the pipeline stops or stopped; None while it runs."""
        return self._stop_reason

    @property
    def failure(self) -> KpviewerError | None:
        """The first error of any thread of this run."""
        return self._failure

    def begin(self, threads: int) -> None:
        """Start a run of ``threads`` threads.

        Raises:
            PipelineError: if the previous run has not ended, or a thread of it was let go.
        """
        with self._lock:
            if self._is_unusable:
                raise PipelineError(
                    "This source didn't answer and can't be used again. Open it anew."
                )
            if self._alive:
                raise PipelineError(
                    f"The pipeline is still {self._state}. Wait for its end, then start it again."
                )
            self._alive = threads
            self._done.clear()
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
        """Note that the run is to end; the first reason stays."""
        with self._lock:
            if self._alive and self._stop_reason is None:
                self._stop_reason = reason
                self._state = PipelineState.STOPPING

    def failed(self, error: BaseException, thread: threading.Thread | None = None) -> None:
        """Keep the first error; anything but a KpviewerError is wrapped in a PipelineError.

        Args:
            error: the error.
            thread: thread that raised it; errors of a thread that was let go are ignored.
        """
        if thread is not None and thread in self._done:
            return
        with self._lock:
            if self._failure is None:
                self._failure = _as_kpviewer_error(error)
                self._stop_reason = StopReason.FAILED
                self._state = PipelineState.STOPPING

    def let_go(self, thread: threading.Thread, *, has_successor: bool = False) -> bool:
        """Count a thread that may never end as ended.

        Args:
            thread: the thread.
            has_successor: whether another thread replaces it.

        Returns:
            False if the thread has ended or was let go before.
        """
        with self._lock:
            if thread in self._done or not self._alive:
                return False
            self._done.add(thread)
            self._is_unusable = True
            if not has_successor:
                self._settle_one()
            return True

    def thread_ended(self, thread: threading.Thread | None = None) -> None:
        """Note that a thread has ended; the last one settles the state.

        A thread that ends before there is a reason to stop has failed: the end of a stream is a
        reason too, which the capture thread notes.
        """
        with self._lock:
            if thread is not None and thread in self._done:
                return
            if thread is not None:
                self._done.add(thread)
            if self._stop_reason is None:
                error = PipelineError("A thread of the pipeline ended without a reason.")
                self._failure, self._stop_reason = error, StopReason.FAILED
                self._state = PipelineState.STOPPING
            self._settle_one()

    def forget_variables(self) -> None:
        """Drop the variables of the calls that failed, which hold the threads, and so this."""
        error: BaseException | None = self._failure
        seen: list[BaseException] = []  # a model may raise an error from itself
        while error is not None and error not in seen:
            traceback.clear_frames(error.__traceback__)
            seen.append(error)
            error = error.__cause__ or error.__context__

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
    """Return the first line of an error's text, without a traceback that it may hold."""
    return str(error).strip().partition("\n")[0] or "no reason given"
