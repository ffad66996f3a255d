"""The thread that runs the model on every frame of the queue and publishes the results."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from kpviewer.models.selection import select
from kpviewer.models.spec import Task
from kpviewer.pipeline.faults import is_of_the_device
from kpviewer.pipeline.protocols import spare_on_cpu
from kpviewer.pipeline.reselecting import error_of
from kpviewer.pipeline.stats import DISPLAY_SKIPPED
from kpviewer.pipeline.tracking import ObjectTracker
from kpviewer.structures import Candidates, Detections, FrameResult, StageTimings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpviewer.pipeline.protocols import InferenceEngine, ResultSink
    from kpviewer.pipeline.reader import QueuedFrame
    from kpviewer.pipeline.settings import Settings
    from kpviewer.pipeline.wiring import Wiring
    from kpviewer.structures import Frame, SecondResult, Thresholds

T = TypeVar("T")


class _Seen(NamedTuple):
    """What a model found in a frame."""

    engine: InferenceEngine
    candidates: Candidates
    detections: Detections
    spent: StageTimings


class InferenceThread(threading.Thread):
    """Takes frames, runs the model, publishes results: first to the sinks, then to the mailbox.

    Ends when the queue is closed and empty. The first error ends it and stops the capture too,
    unless ``PipelineOptions.carries_on``: then the frame goes out without what failed.
    The claim on a frame is the thread's until its results are out; the mailbox has its own.
    """

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(name="kpviewer-inference", daemon=False)
        self._queue = wiring.queue
        self._latest = wiring.latest
        self._settings = wiring.settings
        self._transport = wiring.transport
        self._lifecycle = wiring.lifecycle
        self._stats = wiring.stats
        self._faults = wiring.faults
        self._clock = wiring.options.clock
        self._carries_on = wiring.options.carries_on
        self._follower = ObjectTracker()
        self.has_ended = threading.Event()
        self.is_let_go = False
        """Nobody waits any more: what it holds is given back, and nothing is published."""

    def run(self) -> None:
        """Serve until the queue ends or something breaks."""
        try:
            while not self.is_let_go and (item := self._queue.get()) is not None:
                try:
                    self._publish(item, self._settings.current)
                finally:
                    item.release()
        except BaseException as error:  # SystemExit too: it is not the end of the film
            self._lifecycle.failed(error, self)
        finally:
            if not self.is_let_go:
                self._transport.stop()
                self._queue.abort()
            self._lifecycle.thread_ended(self)
            self.has_ended.set()

    def _publish(self, item: QueuedFrame, settings: Settings) -> None:
        """Make the result of one frame and hand it on."""
        result = self._infer(item, settings)
        if self.is_let_go:
            return
        self._stats.frame_inferred(result.timings)
        for sink in settings.sinks:
            self._give(sink, result)
        item.frame.retain()  # the mailbox's claim, which whoever takes the result inherits
        if self._latest.put(result) and self._latest.has_reader:
            self._stats.dropped(DISPLAY_SKIPPED)

    def _give(self, sink: ResultSink, result: FrameResult) -> None:
        """Give a sink the result; where the video goes on without it, one that fails is let go."""
        try:
            sink.accept(result)
        except BaseException as error:
            if not self._carries_on:
                raise
            self._settings.remove_sink(sink)
            self._faults.tell("Results are no longer passed on", sink, error)

    def _infer(self, item: QueuedFrame, settings: Settings) -> FrameResult:
        """Run model, thresholds and comparison with the ground truth."""
        frame = item.frame
        started_ns = self._clock.now_ns()
        timings = StageTimings(
            read_ms=item.read_ms, queue_wait_ms=(started_ns - item.queued_ns) / 1e6
        )
        seen = None
        if settings.engine is not None:
            seen = self._look(frame, settings.engine, settings.thresholds)
        candidates, detections = Candidates.empty(), Detections.empty()
        error = second = None
        if seen is not None:
            candidates, detections = seen.candidates, seen.detections
            spent = seen.spent
            timings = replace(
                timings,
                upload_ms=spent.upload_ms,
                forward_ms=spent.forward_ms,
                postprocess_ms=spent.postprocess_ms,
            )
            found, spec, thresholds = seen.detections, seen.engine.spec, settings.thresholds
            error = self._attempt(
                lambda: error_of(found, frame.ground_truth, thresholds, spec),
                None,
                told="Nothing is compared with the ground truth",
                owner=self,
            )
            if spec.task is not Task.CLASSIFY:
                second = self._look_beside(frame, seen, settings)
        cut = (item.cut, id(settings.engine))  # another model sees other objects
        found = detections
        detections = self._attempt(
            lambda: self._follower.follow(found, frame, cut, settings.tracking),
            found,
            told="Objects aren't tracked",
            owner=self._follower,
        )
        total_ms = (self._clock.now_ns() - frame.captured_ns) / 1e6
        timings = replace(timings, total_ms=total_ms)
        return FrameResult(
            frame,
            candidates,
            detections,
            timings,
            error,
            has_model=seen is not None,
            second=second,
            spec=seen.engine.spec if seen is not None else None,
            thresholds=settings.thresholds if seen is not None else None,
        )

    def _look(self, frame: Frame, engine: InferenceEngine, thresholds: Thresholds) -> _Seen | None:
        """Run the model; a frame that it fails on is tried once more, and once on the CPU.

        Returns:
            None where the model failed and the video goes on.
        """
        try:
            try:
                seen = self._run(frame, engine, thresholds)
            except Exception as error:  # memory may have been short for a moment
                self._faults.tell("The model failed, and the frame is tried again", engine, error)
                seen = self._run(frame, engine, thresholds)
        except BaseException as error:
            spare = spare_on_cpu(engine) if is_of_the_device(error) else None
            if spare is not None:
                self._faults.tell(
                    "The model goes on on the CPU, as its device fails", engine, error
                )
                self._settings.replace_engine(engine, spare)
                return self._look(frame, spare, thresholds)
            if not self._carries_on or self.is_let_go:
                raise
            self._faults.model_failed(engine, error)
            return None
        self._faults.model_works()
        return seen

    def _run(self, frame: Frame, engine: InferenceEngine, thresholds: Thresholds) -> _Seen:
        self._faults.asks(engine)
        try:
            candidates, (upload_ms, forward_ms, decode_ms) = engine.infer(frame.bgr)
        finally:
            self._faults.answered(engine)
        select_ns = self._clock.now_ns()
        detections = select(candidates, thresholds)
        select_ms = (self._clock.now_ns() - select_ns) / 1e6
        timings = StageTimings(
            upload_ms=upload_ms, forward_ms=forward_ms, postprocess_ms=decode_ms + select_ms
        )
        return _Seen(engine, candidates, detections, timings)

    def _look_beside(self, frame: Frame, seen: _Seen, settings: Settings) -> SecondResult | None:
        """Run the second model, if there is one."""
        second = settings.second
        if second is None:
            return None
        self._faults.asks(second.engine)
        try:
            return self._attempt(
                lambda: second.look(frame.bgr, seen.detections, seen.engine.spec, self._clock),
                None,
                told="The second model failed on a frame",
                owner=second.engine,
            )
        finally:
            self._faults.answered(second.engine)

    def _attempt(self, act: Callable[[], T], otherwise: T, *, told: str, owner: object) -> T:
        """Do what the video can go on without; what fails is told once for its owner."""
        try:
            return act()
        except BaseException as error:
            if not self._carries_on:
                raise
            self._faults.tell(told, owner, error)
            return otherwise
