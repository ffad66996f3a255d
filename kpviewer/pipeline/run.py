"""The two threads of one run of a pipeline: started, watched, waited for, and let go.

A read in a driver, a model's graph or a disk may never come back, and no thread can be ended from
outside. So every wait has a limit, after which the thread is let go (``runtime.abandoned``): the
run counts as over, and the frame buffer that the thread holds is lent to nobody.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kpviewer.errors import SourceError
from kpviewer.pipeline.capture import CaptureThread
from kpviewer.pipeline.inference import InferenceThread
from kpviewer.pipeline_status import PipelineState, StopReason
from kpviewer.runtime.abandoned import let_go

if TYPE_CHECKING:
    from kpviewer.pipeline.reader import SourceReader
    from kpviewer.pipeline.wiring import Wiring

STOP_S = 2.0
"""How long a run may take to end; a read or a frame under way takes part of it."""
SINKS_S = 8.0
"""For sinks to take the last result: files that a slow disk or a busy machine writes."""
_NS = 1e9


class Run:
    """Owns the threads; ``watch`` is to be called some ten times a second, by one thread."""

    def __init__(self, reader: SourceReader, wiring: Wiring) -> None:
        self._reader, self._wiring = reader, wiring
        self._capture = CaptureThread(reader, wiring)
        self._inference = InferenceThread(wiring)
        self._seen: tuple[PipelineState | None, int] = (None, 0)
        """The state as it was last watched, and since when it is so."""

    def start(self) -> None:
        """Start the threads."""
        self._capture.start()
        self._inference.start()

    @property
    def is_over(self) -> bool:
        """Whether no thread is left that anyone waits for."""
        state = self._wiring.lifecycle.state
        return state in (PipelineState.IDLE, PipelineState.FAILED)

    def watch(self) -> None:
        """Let go of a thread that should have come back long ago."""
        state, since_ns = self._wiring.lifecycle.state, self._wiring.options.clock.now_ns()
        if state is not self._seen[0]:
            self._seen = (state, since_ns)
        waited_s = (since_ns - self._seen[1]) / _NS
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
        """Whether frames on their way may be dropped: at the end of a file the model takes all."""
        return self._wiring.lifecycle.stop_reason is not StopReason.END_OF_STREAM

    def join(self, timeout_s: float | None) -> bool:
        """Wait for each thread at most ``timeout_s`` seconds; whether both have ended."""
        return all(_has_ended(thread, timeout_s) for thread in self._threads()) and self.is_over

    def close(self, timeout_s: float) -> None:
        """Wait for both threads together, then let go of what hasn't ended."""
        end_s = time.monotonic() + timeout_s
        for thread in self._threads():
            _has_ended(thread, max(end_s - time.monotonic(), 0))
        if self._wiring.faults.asked_engine() is None and self._inference.ident is not None:
            _has_ended(self._inference, SINKS_S)  # no model hangs: it writes what it has found
        self.let_go()

    def let_go(self) -> None:
        """Wait for no thread any more."""
        self._let_go(self._inference, "a model that looks at a frame")
        self._let_go(self._capture, "a source that is opened, read or closed")

    def _threads(self) -> list[CaptureThread | InferenceThread]:
        """Those that were started and not let go."""
        both = (self._capture, self._inference)
        return [each for each in both if each.ident is not None and not each.is_let_go]

    def _give_up_opening(self, waited_s: float) -> None:
        wiring = self._wiring
        wiring.lifecycle.failed(
            SourceError(
                f"The source doesn't answer (waited {waited_s:.0f} s).\n"
                "Check that its disk, network or device is there, then try again."
            )
        )
        wiring.transport.stop()
        wiring.queue.abort()
        self._reader.interrupt()
        self._let_go(self._capture, "a source that is opened")

    def _replace_inference(self) -> None:
        """Go on in another thread, as nobody wants the model any more that this one waits for."""
        stuck, self._inference = self._inference, InferenceThread(self._wiring)
        if self._let_go(stuck, "a model that looks at a frame", has_successor=True):
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
    """Wait for a thread; its own event tells, as ``Thread.join`` can be wrong about it.

    Where the exception of a signal handler cuts a join short, Python before 3.13 takes the thread
    for ended from then on.
    """
    if not thread.has_ended.wait(timeout_s):
        return False
    thread.join()
    return True
