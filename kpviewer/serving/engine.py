"""The thread on which the model runs: one for all requests, streams and live sources."""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.pipeline.protocols import BatchEngine
from kpviewer.runtime.abandoned import let_go
from kpviewer.serving.reasons import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kpviewer.models.spec import ModelSpec
    from kpviewer.pipeline.protocols import EngineResult, InferenceEngine
    from kpviewer.structures import ImageArray

LIVE = "live"
"""Origin of the images of a pipeline."""
_WARM_UP_HW = (480, 640)
"""Height and width of the first image: that of most cameras."""
_SILENT_S = 60.0
"""Time for one run of the model after which it counts as hanging."""
_STOPPING = "The service is stopping."
_JOIN_S = 0.4
"""Time in which the thread should end; a forward pass can't be interrupted."""
_log = logging.getLogger(__name__)

_Future: TypeAlias = "Future[EngineResult]"


class _Job(NamedTuple):
    """An image that waits for its candidates."""

    bgr: ImageArray
    future: _Future
    origin: str


class EngineThread(threading.Thread):
    """Runs the model on images in the order of their submission.

    It is an ``InferenceEngine`` too, so a pipeline may share it. Any thread may call its methods.
    Callers bound the number of images that wait.

    starting ──▶ ready ◀──▶ failed ──▶ stopped

    Args:
        engine: the model; only this thread calls it.
        batch: most images of one run; those that wait already are run together.
        report: called with the origin of each image, and the time of the model for it in s.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        batch: int = 1,
        report: Callable[[str, float], None] = lambda _origin, _seconds: None,
    ) -> None:
        super().__init__(name="kpviewer-serving")
        self._engine, self._batch, self._report = engine, batch, report
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._problem: str | None = "The model is being prepared. Try again in a few seconds."
        self._running_since_s: float | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""
        return self._engine.spec

    @property
    def engine(self) -> InferenceEngine:
        """The model, for its description."""
        return self._engine

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    @property
    def problem(self) -> str | None:
        """Why the model can't answer now, in one line; None if it can."""
        since_s = self._running_since_s
        if self._problem is None and since_s is not None:
            silent_s = time.monotonic() - since_s
            if silent_s > _SILENT_S:
                return f"The model has not answered for {silent_s:.0f} s."
        return self._problem

    def submit(self, bgr: ImageArray, origin: str) -> _Future:
        """Return the future candidates of an (H, W, 3) uint8 image, and the time of each stage.

        A future that is cancelled before its turn is skipped.

        Args:
            bgr: the image.
            origin: what it came from, for the metrics.

        Raises:
            PipelineError: if the thread was closed.
        """
        future: _Future = Future()
        with self._lock:
            if self._is_closed:
                raise PipelineError(_STOPPING)
            self._jobs.put(_Job(bgr, future, origin))
        return future

    def infer(self, bgr: ImageArray) -> EngineResult:
        """Return what ``submit`` promises for a frame of a live source, and wait for it."""
        return self.submit(bgr, LIVE).result()

    def close(self) -> None:
        """Refuse further images, and cancel those that wait; idempotent."""
        with self._lock:
            self._is_closed = True
            self._problem = _STOPPING
        self._cancel_waiting()
        self._jobs.put(None)

    def stop(self) -> None:
        """Close, and wait for the end of the thread for a limited time."""
        self.close()
        if self.is_alive():
            self.join(_JOIN_S)
            let_go(self, "a run of the model")

    def run(self) -> None:
        """Prepare the model, then run it until ``close``."""
        self._warm_up()
        while jobs := self._next_jobs():
            begun = [each for each in jobs if each.future.set_running_or_notify_cancel()]
            self._running_since_s = time.monotonic()
            if begun:
                self._run(begun)
            self._running_since_s = None
        self._cancel_waiting()

    def _next_jobs(self) -> list[_Job]:
        """Wait for a job; return it with those that wait behind it. Empty: stop."""
        job = self._jobs.get()
        jobs = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == self._batch:
                return jobs
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
        if jobs:
            self._jobs.put(None)  # stop after these
        return jobs

    def _run(self, jobs: Sequence[_Job]) -> None:
        if len(jobs) > 1 and isinstance(self._engine, BatchEngine):
            try:
                results = self._engine.infer_batch([job.bgr for job in jobs])
            except Exception as error:  # the image that causes it fails alone
                _log.info("A batch failed: %s", error)
            else:
                for job, result in zip(jobs, results, strict=True):
                    self._finish(job, result)
                return
        for job in jobs:
            try:
                result = self._engine.infer(job.bgr)
            except BaseException as error:  # a model's code may exit the program
                job.future.set_exception(error)
                self._probe(error)
            else:
                self._finish(job, result)

    def _finish(self, job: _Job, result: EngineResult) -> None:
        self._note(None)
        self._report(job.origin, sum(result[1]) / 1000)
        job.future.set_result(result)

    def _probe(self, error: BaseException) -> None:
        """Find out whether the model fails at every image, or only at that one."""
        _log.warning("The model failed: %s", reason_of(error))
        try:
            self._engine.infer(np.zeros((*_WARM_UP_HW, 3), np.uint8))
        except BaseException as still:
            self._note(f"The model fails: {reason_of(still)}")
        else:
            self._note(None)

    def _warm_up(self) -> None:
        warm_up = getattr(self._engine, "warm_up", None)
        try:
            if warm_up is not None:
                warm_up(_WARM_UP_HW)
            self._prepare_batches()
        except BaseException as error:
            _log.warning("The model failed: %s", reason_of(error))
            self._note(f"The model fails: {reason_of(error)}")
        else:
            self._note(None)

    def _prepare_batches(self) -> None:
        """Run the numbers of images that batches have, as each is compiled at its first run."""
        if self._batch > 1 and isinstance(self._engine, BatchEngine):
            blank = np.zeros((*_WARM_UP_HW, 3), np.uint8)
            for power in range(1, self._batch.bit_length()):
                self._engine.infer_batch([blank] * (1 << power))

    def _note(self, problem: str | None) -> None:
        with self._lock:
            if not self._is_closed:
                self._problem = problem

    def _cancel_waiting(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                job.future.cancel()
