"""The thread that runs the model on every frame of the queue and publishes the results."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from kpviewer.models.selection import select
from kpviewer.models.spec import Task
from kpviewer.pipeline.protocols import (
    InferenceEngine,
    NotRunError,
    ResultSink,
    doubt_about,
    notice_about,
    spare_on_cpu,
    takes_seconds,
    waited_ms,
)
from kpviewer.pipeline.results.reselecting import error_of
from kpviewer.pipeline.results.tracking import ObjectTracker
from kpviewer.pipeline.state.faults import is_device_error
from kpviewer.pipeline.state.settings import InferenceSettings
from kpviewer.pipeline.state.stats import DISPLAY_SKIPPED
from kpviewer.pipeline.state.wiring import Wiring
from kpviewer.pipeline.threads.in_flight import Flight, InFlight
from kpviewer.pipeline_status import StopReason
from kpviewer.structures import (
    Candidates,
    Detections,
    Frame,
    FrameResult,
    SecondResult,
    StageTimings,
)

T = TypeVar("T")


class InferenceThread(threading.Thread):
    """Takes frames, runs the model, publishes results: first to the sinks, then to the mailbox.

    Ends when the queue is closed and empty. The first error ends it and stops the capture too,
    unless ``PipelineOptions.carries_on``: then the frame is published without the part that failed.
    The thread holds its claim on a frame until the results are published; the mailbox has its own.
    """

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(name="kpviewer-inference", daemon=False)
        self._wiring = wiring
        self._tracker = ObjectTracker()
        self._in_flight = InFlight(wiring)
        self._has_published = False
        self.has_ended = threading.Event()
        self.is_let_go = False
        """Whether no thread waits for this one any more. It then releases its frame and publishes
        nothing."""

    def run(self) -> None:
        """Serve until the queue ends or something breaks."""
        wiring = self._wiring
        try:
            while not self.is_let_go and (flight := self._in_flight.next()) is not None:
                self._serve(flight)
        except BaseException as error:  # SystemExit too: it is not the end of the video
            wiring.lifecycle.failed(error, self)
        finally:
            self._in_flight.discard()
            if not self.is_let_go:
                wiring.transport.stop()
                wiring.queue.abort()
            wiring.lifecycle.thread_ended(self)
            del self._wiring, self._in_flight  # a failure's traceback holds this thread
            self.has_ended.set()

    def _serve(self, flight: Flight) -> None:
        """Publish a frame and release it; after a stop, those behind it are only released."""
        try:
            self._publish(flight)
        except NotRunError:
            if self._wiring.settings.current.engine is not flight.settings.engine:
                self._in_flight.put_back(flight)
        finally:
            flight.item.release()
        if self._wiring.lifecycle.stop_reason is StopReason.REQUESTED:
            self._in_flight.discard()

    def _publish(self, flight: Flight) -> None:
        """Make the result of one frame and pass it on.

        A paused frame is shown before a model that takes seconds has seen it.
        """
        latest, stats = self._wiring.latest, self._wiring.stats
        is_paused = self._wiring.transport.paused
        if takes_seconds(flight.settings.engine) and (not self._has_published or is_paused):
            flight.item.frame.retain()
            latest.put(_without_model(flight.item.frame, StageTimings()))
        self._has_published = True
        result = self._infer(flight)
        if self.is_let_go:
            return
        stats.frame_inferred(result.timings)
        for sink in flight.settings.sinks:
            self._pass_on(sink, result)
        result.frame.retain()  # the mailbox's claim; the reader that takes the result inherits it
        if latest.put(result) and latest.has_reader:
            stats.dropped(DISPLAY_SKIPPED)

    def _pass_on(self, sink: ResultSink, result: FrameResult) -> None:
        """Pass a result to a sink; where the video carries on, a sink that fails is removed."""
        try:
            sink.accept(result)
        except BaseException as error:
            if not self._carries_on:
                raise
            self._wiring.settings.remove_sink(sink)
            self._wiring.faults.report("Results are no longer passed on", sink, error)

    def _infer(self, flight: Flight) -> FrameResult:
        """Run the model or wait for it, then the comparisons and object tracking."""
        engine = flight.settings.engine
        found = None if engine is None else self._detect(engine, flight)
        item, settings = flight.item, flight.settings  # now: a newer frame may have replaced it
        frame = item.frame
        result = _without_model(frame, _waited(flight)) if found is None else found
        cut = (item.cut, id(settings.engine))  # another model sees other objects
        tracked = self._attempt(
            lambda: self._tracker.update(result.detections, frame, cut, settings.tracking),
            result.detections,
            message="Objects aren't tracked",
            owner=self._tracker,
        )
        total_ms = (self._wiring.clock.now_ns() - frame.captured_ns) / 1e6
        return replace(
            result, detections=tracked, timings=replace(result.timings, total_ms=total_ms)
        )

    def _evaluated(
        self, result: FrameResult, engine: InferenceEngine, settings: InferenceSettings
    ) -> FrameResult:
        """Return a result, compared with the ground truth and with the second model."""
        spec, detections = engine.spec, result.detections
        error = self._attempt(
            lambda: error_of(detections, result.frame.ground_truth, settings.thresholds, spec),
            None,
            message="Nothing is compared with the ground truth",
            owner=self,
        )
        second = None
        if spec.task is not Task.CLASSIFY:
            second = self._detect_second(result, engine, settings)
        return replace(result, error=error, second=second)

    def _detect(self, engine: InferenceEngine, flight: Flight) -> FrameResult | None:
        """Run a model; a frame that it fails on is tried once more, and once on the CPU.

        Returns:
            None where the model failed and the video carries on.
        """
        faults = self._wiring.faults
        try:
            try:
                result = self._run_model(engine, flight)
            except Exception as error:  # memory may have been short for a moment
                faults.report("The model failed, and the frame is tried again", engine, error)
                result = self._run_model(engine, flight)
        except NotRunError:
            raise
        except BaseException as error:
            spare = spare_on_cpu(engine) if is_device_error(error) else None
            if spare is not None:
                faults.report("The model's device failed; it continues on the CPU", engine, error)
                self._wiring.settings.replace_engine(engine, spare)
                self._in_flight.run_alone()
                return self._detect(spare, flight)
            if not self._carries_on or self.is_let_go:
                raise
            faults.model_failed(engine, error)
            return None
        faults.model_works()
        return self._evaluated(result, engine, flight.settings)

    def _run_model(self, engine: InferenceEngine, flight: Flight) -> FrameResult:
        """Run a model on a frame, or wait for its result, and select the detections."""
        faults, clock = self._wiring.faults, self._wiring.clock
        faults.begins(engine)
        try:
            found = self._in_flight.result(engine, flight)
        finally:
            faults.answered(engine)
        candidates, (upload_ms, forward_ms, decode_ms) = found
        self._in_flight.note_ms(upload_ms + forward_ms + decode_ms)
        faults.notify(engine, doubt_about(engine), notice_about(engine))
        thresholds, before = flight.settings.thresholds, _waited(flight)
        select_ns = clock.now_ns()
        detections = select(candidates, thresholds)
        select_ms = (clock.now_ns() - select_ns) / 1e6
        timings = replace(
            before,
            queue_wait_ms=before.queue_wait_ms + waited_ms(engine),
            upload_ms=upload_ms,
            forward_ms=forward_ms,
            postprocess_ms=decode_ms + select_ms,
        )
        frame, spec = flight.item.frame, engine.spec
        return FrameResult(frame, candidates, detections, timings, spec=spec, thresholds=thresholds)

    def _detect_second(
        self, result: FrameResult, engine: InferenceEngine, settings: InferenceSettings
    ) -> SecondResult | None:
        """Run the second model, if there is one."""
        second, faults = settings.second, self._wiring.faults
        if second is None:
            return None
        faults.begins(second.engine)
        try:
            return self._attempt(
                lambda: second.infer(
                    result.frame.bgr, result.detections, engine.spec, self._wiring.clock
                ),
                None,
                message="The second model failed on a frame",
                owner=second.engine,
            )
        finally:
            faults.answered(second.engine, is_second=True)

    @property
    def _carries_on(self) -> bool:
        return self._wiring.options.carries_on

    def _attempt(self, act: Callable[[], T], fallback: T, *, message: str, owner: object) -> T:
        """Do a part that the video can do without; a failure is reported once for its owner."""
        try:
            return act()
        except BaseException as error:
            if not self._carries_on:
                raise
            self._wiring.faults.report(message, owner, error)
            return fallback


def _waited(flight: Flight) -> StageTimings:
    """Return the times of a frame before the model started it."""
    item = flight.item
    return StageTimings(
        read_ms=item.read_ms, queue_wait_ms=(flight.begun_ns - item.queued_ns) / 1e6
    )


def _without_model(frame: Frame, timings: StageTimings) -> FrameResult:
    """Return a frame as it is without a model."""
    return FrameResult(frame, Candidates.empty(), Detections.empty(), timings, has_model=False)
