"""Results of a pipeline as an iterator, for programs without a window.

Results wait in one slot until the program takes them: a file loses none, a live source keeps the
newest. Each has a copy of its frame, so it may be kept.
"""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Generator, Iterator
from types import TracebackType

from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.source.signal_loss import SignalLoss
from kpviewer.pipeline.state.channels import FrameQueue
from kpviewer.structures import FrameResult
from kpviewer.system.interrupts import interrupts_deferred

_POLL_S = 0.05
"""Interval in s at which the end of the pipeline is checked."""


class ResultStream(Iterator["FrameResult"]):
    """Iterator over the results of a pipeline, which it starts at the first and closes at the end.

    Leaving the loop early closes it too, once nothing refers to the iterator. ``close`` or a
    ``with`` block closes it at once. Trouble with a source is a UserWarning.

    Raises:
        KpviewerError: while iterating, the first error of source or model.
    """

    def __init__(self, pipeline: Pipeline, name: str = "") -> None:
        outlet = _Outlet(pipeline)
        self._results = _results(outlet, pipeline, name)
        self._outlet = weakref.ref(outlet)
        self._is_closed = False

    def __next__(self) -> FrameResult:
        """Return the next result; its frame owns its pixels."""
        try:
            return next(self._results)
        except ValueError:
            if self._is_closed:  # another thread is about to end it
                raise StopIteration from None
            raise

    def close(self) -> None:
        """End the threads and close the source; idempotent. Any thread may call it."""
        self._is_closed = True
        try:
            self._results.close()
        except ValueError:  # another thread is in the loop, which ends
            if (outlet := self._outlet()) is not None:
                outlet.close()

    def __enter__(self) -> ResultStream:
        """Return the stream."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the stream."""
        self.close()


class _Outlet:
    """A result sink that holds the results that were not taken yet, with leases of their frames."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.queue: FrameQueue[FrameResult] = FrameQueue(1, lambda result: result.frame.release())

    def accept(self, result: FrameResult) -> None:
        """Keep a result: wait for room if no frame may be lost, else replace the waiting one."""
        info = self._pipeline.info
        result.frame.retain()
        if info is not None and info.is_live:
            self.queue.offer(result)
        elif not self.queue.put(result):
            result.frame.release()

    def close(self) -> None:
        """Accept no more results, and close the pipeline."""
        self.queue.abort()
        self._pipeline.close()
        self._pipeline.remove_sink(self)


_open: weakref.WeakSet[_Outlet] = weakref.WeakSet()


def _close_all() -> None:
    for outlet in list(_open):
        outlet.close()


# For a stream that a program never closed: Python waits for its threads before ``atexit`` runs.
threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # noqa: SLF001


def _results(outlet: _Outlet, pipeline: Pipeline, name: str) -> Generator[FrameResult]:
    signal = SignalLoss(name, _warn)
    pipeline.add_sink(outlet)
    _open.add(outlet)
    try:
        with interrupts_deferred():
            pipeline.start()
        is_over = False
        while not is_over:
            with interrupts_deferred():
                status = pipeline.status()  # read first, so that no result before the end is missed
            is_over = status.state.is_over
            while (result := _next(outlet, 0 if is_over else _POLL_S)) is not None:
                yield result
            signal.check(status)
            if status.failure is None:  # else the error is raised below
                for news in pipeline.faults.take_news():
                    _warn(news)
        if status.warning is not None:
            _warn(f"{name or 'The source'}: {status.warning}")
        pipeline.join(0)  # raises the failure that ended it, after the last result
    finally:
        outlet.close()
        del outlet, pipeline  # a failure's traceback holds this call, and the pipeline the failure


def _next(outlet: _Outlet, timeout_s: float) -> FrameResult | None:
    """Return a result with a copy of its pixels, whose buffer is released; None if none comes."""
    with interrupts_deferred():
        result = outlet.queue.get(timeout_s)
        if result is None:
            return None
        try:
            return result.with_own_image()
        finally:
            result.frame.release()


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=4)  # in the loop over the stream
