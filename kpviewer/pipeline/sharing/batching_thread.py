"""A thread that runs a model on images from any thread, in batches of waiting ones."""

import itertools
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple, TypeAlias

from kpviewer.errors import PipelineError
from kpviewer.pipeline.protocols import BatchEngine, EngineResult, InferenceEngine
from kpviewer.runtime.process.abandoned import let_go
from kpviewer.structures import ImageArray

_JOIN_S = 0.4
"""Time in which the thread should end; a forward pass can't be interrupted."""
_SMOOTHING = 0.2
"""Weight of the last run in the mean time of an image."""
_log = logging.getLogger(__name__)

ResultFuture: TypeAlias = "Future[EngineResult]"
"""Future result of an image."""


class _Job(NamedTuple):
    """An image that waits for its candidates."""

    take: Callable[[], ImageArray]
    future: ResultFuture
    origin: str


class _Image(NamedTuple):
    """An image whose turn has come."""

    bgr: ImageArray
    job: _Job


class BatchingThread(threading.Thread):
    """Runs a model on images: those first whose submitters have waited longest for a turn.

    Images of submitters that don't report their turns run in the order of submission. A run takes
    the waiting images, and doesn't wait for more. Any thread may call the methods. Callers bound
    the number of images that wait.

    Args:
        engine: the model; only this thread runs it.
        name: name of the thread.
        batch: most images of one run.
        budget_s: longest time of a run of several images, estimated from earlier runs.
        closed: message of the error for images that come after ``close``.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        *,
        name: str,
        batch: int = 1,
        budget_s: float = math.inf,
        closed: str = "The model was closed.",
    ) -> None:
        super().__init__(name=name)
        self._engine, self._batch, self._budget_s = engine, batch, budget_s
        self._closed_message = closed
        self._jobs: queue.PriorityQueue[tuple[float, int, _Job | None]] = queue.PriorityQueue()
        """Jobs by the last turn of their submitter and the order of submission; None: stop."""
        self._numbers = itertools.count()
        self._image_s = 0.0
        """Mean time of an image in the last runs."""
        self._running_since_s: float | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        """Held while the model runs."""
        self._is_closed = False

    @property
    def engine(self) -> InferenceEngine:
        """The model."""
        return self._engine

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    @property
    def running_s(self) -> float:
        """Duration of the present run so far in s; 0 if there is none."""
        since_s = self._running_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    @property
    def room(self) -> int:
        """Most images of the next run, at least 1."""
        if self._batch == 1 or self._image_s == 0:
            return self._batch
        return max(1, int(min(self._batch, self._budget_s / self._image_s)))

    def submit(
        self, take: Callable[[], ImageArray], origin: str = "", *, last_turn_s: float = 0.0
    ) -> ResultFuture:
        """Return the future candidates of an image, and the time of each stage.

        A future that is cancelled before its turn is skipped.

        Args:
            take: function that returns the (H, W, 3) uint8 image; called once, on this thread, when
                its turn has come.
            origin: origin of the image, for ``image_done``.
            last_turn_s: monotonic time of the submitter's last turn; the earliest goes first.

        Raises:
            PipelineError: if the thread was closed.
        """
        future: ResultFuture = Future()
        with self._lock:
            if self._is_closed:
                raise PipelineError(self._closed_message)
            self._jobs.put((last_turn_s, next(self._numbers), _Job(take, future, origin)))
        return future

    def close(self) -> None:
        """Refuse further images, and cancel those that wait; idempotent."""
        with self._lock:
            self._is_closed = True
        self._cancel_waiting()
        self._put_stop()

    def stop(self) -> None:
        """Close, and wait for the end of the thread for a limited time."""
        self.close()
        if self.is_alive():
            self.join(_JOIN_S)
            let_go(self, "a run of the model")

    def run(self) -> None:
        """Prepare the model, then run it until ``close``."""
        self.prepare()
        while jobs := self._next_jobs():
            with self._turn:
                self._running_since_s = time.monotonic()
                self._run([each for job in jobs if (each := _begun(job)) is not None])
                self._running_since_s = None
        self._cancel_waiting()

    def prepare(self) -> None:
        """Prepare the model, on this thread, before the first image."""

    def image_done(self, origin: str, model_s: float) -> None:
        """Note that the model ran on an image in ``model_s`` seconds, on this thread."""

    def image_failed(self, error: BaseException) -> None:
        """Note that the model failed at an image, on this thread; the caller has the error."""

    def _next_jobs(self) -> list[_Job]:
        """Wait for a job; return it and the jobs waiting behind it. Empty: stop."""
        (_, _, job), room, jobs = self._jobs.get(), self.room, list[_Job]()
        while job is not None:
            jobs.append(job)
            if len(jobs) == room:
                return jobs
            try:
                _, _, job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
        if jobs:
            self._put_stop()  # after these
        return jobs

    def _put_stop(self) -> None:
        self._jobs.put((math.inf, next(self._numbers), None))

    def _run(self, images: Sequence[_Image]) -> None:
        if len(images) > 1 and self._run_together(images):
            return
        for bgr, job in images:
            try:
                result = self._engine.infer(bgr)
                model_s = _model_s(result)
            except BaseException as error:  # a model's code may exit the program
                job.future.set_exception(error)
                self.image_failed(error)
            else:
                self._finish(job, result, model_s)

    def _run_together(self, images: Sequence[_Image]) -> bool:
        """Run a batch; return False if that isn't possible, and each image is to run alone."""
        if not isinstance(self._engine, BatchEngine):
            return False
        try:
            results = self._engine.infer_batch([bgr for bgr, _ in images])
            done = [
                (job, result, _model_s(result))
                for (_, job), result in zip(images, results, strict=True)
            ]
        except BaseException as error:  # the image that causes it fails alone
            _log.info("A batch failed: %s", error)
            return False
        for each in done:
            self._finish(*each)
        return True

    def _finish(self, job: _Job, result: EngineResult, model_s: float) -> None:
        weight = _SMOOTHING if self._image_s else 1.0
        self._image_s += weight * (model_s - self._image_s)
        self.image_done(job.origin, model_s)
        job.future.set_result(result)

    def _cancel_waiting(self) -> None:
        while True:
            try:
                _, _, job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                job.future.cancel()


def _begun(job: _Job) -> _Image | None:
    """Take the image of a job, whose turn has come; None if it was cancelled or can't be taken."""
    if not job.future.set_running_or_notify_cancel():
        return None
    try:
        return _Image(job.take(), job)
    except BaseException as error:
        job.future.set_exception(error)
        return None


def _model_s(result: EngineResult) -> float:
    """Return the model's time for an image in s."""
    return sum(result[1]) / 1000
