"""The thread that runs the model on every frame of the queue and publishes the results."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.selection import judged_truth, select
from kpviewer.models.spec import Task
from kpviewer.pipeline.following import Follower
from kpviewer.pipeline.stats import DISPLAY_SKIPPED
from kpviewer.structures import Candidates, Detections, FrameResult, StageTimings

if TYPE_CHECKING:
    from kpviewer.pipeline.reader import QueuedFrame
    from kpviewer.pipeline.settings import Settings
    from kpviewer.pipeline.wiring import Wiring


class InferenceThread(threading.Thread):
    """Takes frames, runs the model, publishes results: first to the sinks, then to the mailbox.

    Ends when the queue is closed and empty, or at the first error, which stops the capture too.
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
        self._clock = wiring.options.clock
        self._follower = Follower()

    def run(self) -> None:
        """Serve until the queue ends or something breaks."""
        try:
            while (item := self._queue.get()) is not None:
                try:
                    self._publish(item, self._settings.current)
                finally:
                    item.release()
        except BaseException as error:  # SystemExit too: it is not the end of the film
            self._lifecycle.failed(error)
        finally:
            self._transport.stop()
            self._queue.abort()
            self._lifecycle.thread_ended()

    def _publish(self, item: QueuedFrame, settings: Settings) -> None:
        """Make the result of one frame and hand it on."""
        result = self._infer(item, settings)
        self._stats.frame_inferred(result.timings)
        for sink in settings.sinks:
            sink.accept(result)
        item.frame.retain()  # the mailbox's claim, which whoever takes the result inherits
        if self._latest.put(result) and self._latest.has_reader:
            self._stats.dropped(DISPLAY_SKIPPED)

    def _infer(self, item: QueuedFrame, settings: Settings) -> FrameResult:
        """Run model, thresholds and comparison with the truth."""
        frame, engine = item.frame, settings.engine
        started_ns = self._clock.now_ns()
        timings = StageTimings(read=item.read_ms, queue_wait=(started_ns - item.queued_ns) / 1e6)
        if engine is None:
            candidates, detections = Candidates.empty(), Detections.empty()
        else:
            candidates, spent = engine.infer(frame.bgr)
            select_ns = self._clock.now_ns()
            detections = select(candidates, settings.thresholds)
            select_ms = (self._clock.now_ns() - select_ns) / 1e6
            timings = replace(
                timings,
                upload=spent.upload,
                forward=spent.forward,
                postprocess=spent.postprocess + select_ms,
            )
        error = None
        has_boxes = engine is not None and engine.spec.task is not Task.CLASSIFY
        if has_boxes and frame.truth is not None:
            error = frame_error(detections, judged_truth(frame.truth, settings.thresholds))
        second = None
        if has_boxes and engine is not None and settings.second is not None:
            second = settings.second.look(frame.bgr, detections, engine.spec, self._clock)
        cut = (item.cut, id(engine))  # another model sees other objects
        detections = self._follower.follow(detections, frame, cut, settings.following)
        total_ms = (self._clock.now_ns() - frame.captured_ns) / 1e6
        timings = replace(timings, total=total_ms)
        return FrameResult(
            frame,
            candidates,
            detections,
            timings,
            error,
            has_model=engine is not None,
            second=second,
        )
