"""The two threads of one run of a pipeline: started, watched, waited for, and let go.

A call of a driver, a model or a disk may never return, and no thread can be ended from outside.
Therefore every wait has a limit, after which the thread is let go
(``runtime.process.abandoned``): the run counts as over, and the frame buffer that the thread holds
is not used again.
"""

import time

from kpviewer.errors import SourceError
from kpviewer.pipeline.source.reader import SourceReader
from kpviewer.pipeline.state.wiring import Wiring
from kpviewer.pipeline.threads.capture import CaptureThread
from kpviewer.pipeline.threads.inference import InferenceThread
from kpviewer.pipeline_status import PipelineState, StopReason
from kpviewer.runtime.process.abandoned import let_go

STOP_S = 2.0
"""Time in s in which a run must end; a read or a frame under way takes part of it."""
SINKS_S = 8.0
"""Time in s for sinks to process the last result, such as files on a slow disk."""
_NS = 1e9


class Run:
    """Owns the threads; one thread calls ``watch`` about ten times a second."""

    def __init__(self, reader: SourceReader, wiring: Wiring) -> None:
        self._reader, self._wiring = reader, wiring
        self._capture = CaptureThread(reader, wiring)
        self._inference = InferenceThread(wiring)
        self._watched: tuple[PipelineState | None, int] = (None, 0)
        """State at the last ``watch``, and the time in ns since which it has been the same."""

    def start(self) -> None:
        """Start the threads."""
        self._capture.start()
        self._inference.start()

    @property
    def is_over(self) -> bool:
        """Whether both threads have ended or were let go."""
        return self._wiring.lifecycle.state.is_over

    def watch(self) -> None:
        """Let go of a thread that hangs."""
        state, since_ns = self._wiring.lifecycle.state, self._wiring.options.clock.now_ns()
        if state is not self._watched[0]:
            self._watched = (state, since_ns)
        waited_s = (since_ns - self._watched[1]) / _NS
        if state is PipelineState.STARTING and waited_s > self._reader.open_timeout_s:
            self._give_up_opening(waited_s)
        elif state is PipelineState.STOPPING and waited_s > STOP_S and self._is_asked_to_stop():
            self.let_go()
        elif (hanging := self._wiring.faults.hanging()) is not None:
            settings = self._wiring.settings.current
            second = settings.second.engine if settings.second is not None else None
            if hanging[0] is not settings.engine and hanging[0] is not second:
                self._wiring.faults.answered(hanging[0])
                self._replace_inference()

    def _is_asked_to_stop(self) -> bool:
        """Return whether frames under way may be dropped: not at the end of a file."""
        return self._wiring.lifecycle.stop_reason is not StopReason.END_OF_STREAM

    def join(self, timeout_s: float | None) -> bool:
        """Wait for each thread at most ``timeout_s`` seconds; return whether both have ended."""
        return all(_has_ended(thread, timeout_s) for thread in self._threads()) and self.is_over

    def close(self, timeout_s: float) -> None:
        """Wait for both threads together, then let go of those that haven't ended."""
        end_s = time.monotonic() + timeout_s
        for thread in self._threads():
            _has_ended(thread, max(end_s - time.monotonic(), 0))
        if self._wiring.faults.running_engine() is None and self._inference.ident is not None:
            _has_ended(self._inference, SINKS_S)  # no model hangs: its sinks are writing
        self.let_go()

    def let_go(self) -> None:
        """Let go of both threads."""
        self._let_go(self._inference, "a model that runs on a frame")
        self._let_go(self._capture, "a source that is opened, read or closed")

    def _threads(self) -> list[CaptureThread | InferenceThread]:
        """Return the threads that were started and not let go."""
        both = (self._capture, self._inference)
        return [each for each in both if each.ident is not None and not each.is_let_go]

    def _give_up_opening(self, waited_s: float) -> None:
        wiring = self._wiring
        wiring.lifecycle.failed(
            SourceError(
                f"The source doesn't answer (waited {waited_s:.0f} s).\n"
                "Check that its disk, network or device is connected, then try again."
            )
        )
        wiring.transport.stop()
        wiring.queue.abort()
        self._reader.interrupt()
        self._let_go(self._capture, "a source that is opened")

    def _replace_inference(self) -> None:
        """Continue in another thread: this one waits for a model that is no longer used."""
        stuck, self._inference = self._inference, InferenceThread(self._wiring)
        if self._let_go(stuck, "a model that runs on a frame", has_successor=True):
            self._inference.start()

    def _let_go(
        self, thread: CaptureThread | InferenceThread, work: str, *, has_successor: bool = False
    ) -> bool:
        if thread.ident is None or thread.has_ended.is_set():
            return False
        thread.is_let_go = True
        if not self._wiring.lifecycle.let_go(thread, has_successor=has_successor):
            return False
        let_go(thread, work)
        return True


def _has_ended(thread: CaptureThread | InferenceThread, timeout_s: float | None) -> bool:
    """Wait for a thread, by its own event, as ``Thread.join`` can be wrong.

    If the exception of a signal handler interrupts a join, Python before 3.13 treats the thread as
    ended from then on.
    """
    if not thread.has_ended.wait(timeout_s):
        return False
    thread.join()
    return True
