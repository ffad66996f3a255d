"""The live stream: one source, one model and one pipeline, for all viewers of the page."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kpviewer.errors import KpviewerError
from kpviewer.overlay import ensure_gui_application
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.pipeline.state.stats import DISPLAY
from kpviewer.pipeline_status import PipelineState, PipelineStatus
from kpviewer.serving.annotating import AnnotatedFrame, AnnotatorThread, LiveOptions
from kpviewer.serving.live_state import LiveChange, LiveState, changed, hidden_classes
from kpviewer.serving.newest import Newest
from kpviewer.sources.base import FrameSource
from kpviewer.system.paths import utf8_text

_POLL_S = 0.05
_NOTICE_S = 10.0
"""Time for which viewers see a report, such as of one frame that the model failed on."""
_MODEL_STAGES = ("upload", "forward", "postprocess")


class LiveStream:
    """Runs a pipeline whose newest painted frame and settings are shared by all viewers.

    Any thread may call its methods. Make it on the main thread: painting needs a Qt application.
    """

    def __init__(
        self,
        make_source: Callable[[], FrameSource],
        engine: InferenceEngine,
        *,
        options: LiveOptions | None = None,
    ) -> None:
        """Make a stream; nothing is opened before ``start``.

        Args:
            make_source: function that makes the source, also anew after a viewer's camera.
            engine: the model.
            options: settings for its life.
        """
        ensure_gui_application()
        options = options or LiveOptions()
        style = options.style
        self.spec = engine.spec
        """Description of the model."""
        self.frames: Newest[AnnotatedFrame] = Newest()
        """The newest painted frame."""
        self.changes: Newest[int] = Newest()
        """Number of changes of the settings; a new one is to be shown at once."""
        self._make_source = make_source
        self._lock = threading.Lock()
        self._switching = threading.Lock()
        """Held while the source changes, which may take seconds."""
        self._change_count = self._watchers = self._viewers = 0
        self._camera: FrameSource | None = None
        self._notice = ""
        self._notice_until_s = 0.0
        self._pipeline = Pipeline(
            make_source(),
            engine,
            options=PipelineOptions(loop=options.loop, carries_on=True),
        )
        self._pipeline.settings.set_tracking(
            TrackingOptions(smooth=style.smooth_landmarks, track=style.tracks)
        )
        self._annotator = AnnotatorThread(
            self._pipeline.settings, options, self._publish, self._watch
        )
        self._pipeline.add_sink(self._annotator)

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the source and run.

        Raises:
            KpviewerError: if the source can't be opened; the stream is closed then.
        """
        self._annotator.start()
        self._pipeline.start()
        try:
            while self._pipeline.status().state is PipelineState.STARTING:
                self._pipeline.join(_POLL_S)
            self._pipeline.join(0)  # raises why it failed
        except KpviewerError:
            self.close()
            raise

    def let_go(self) -> None:
        """Disconnect every viewer: no more frames and states are sent."""
        self.frames.close()
        self.changes.close()

    def close(self) -> None:
        """End the threads and disconnect every viewer; idempotent."""
        self.let_go()
        self._pipeline.close()
        self._annotator.stop()
        if self._annotator.ident is not None:
            self._annotator.join()

    # -- viewers -----------------------------------------------------------------------------

    @contextmanager
    def watching(self, *, is_viewer: bool = True) -> Iterator[None]:
        """Count as a watcher for a ``with`` block; frames are painted only while there is one.

        Args:
            is_viewer: whether to count as one who receives the video.
        """
        self._count(1, int(is_viewer))
        try:
            yield
        finally:
            self._count(-1, -int(is_viewer))

    def apply(self, change: LiveChange) -> None:
        """Change settings for all viewers; shown frames follow without running the model.

        Raises:
            InputError: if the model has no such class.
        """
        with self._lock:
            before = self._pipeline.settings.current.thresholds
            self._pipeline.set_thresholds(changed(before, change, self.spec))
        if change.paused is not None:
            (self._pipeline.pause if change.paused else self._pipeline.resume)()
        self._annotator.repaint()
        self._note_change()

    def state(self) -> LiveState:
        """Return a snapshot for the page."""
        status, info, held = self._pipeline.status(), self._pipeline.info, self.frames.held
        thresholds, latency = self._pipeline.settings.current.thresholds, status.stats.latency
        size_wh = (info.width, info.height) if info is not None else None
        if held is not None:  # a phone was turned, or images of a folder differ
            height, width = held.item.result.frame.bgr.shape[:2]
            size_wh = width, height
        has_model = all(stage in latency for stage in _MODEL_STAGES)
        return LiveState(
            source=utf8_text(info.name) if info is not None else "",
            state=status.state.value,
            is_camera=self._camera is not None,
            problem=self._problem(status),
            frame=held.number if held is not None else 0,
            size_wh=size_wh,
            score=thresholds.score,
            iou=thresholds.iou,
            nms=thresholds.nms,
            hidden=hidden_classes(thresholds, self.spec),
            counts=dict(held.item.counts) if held is not None else {},
            fps=status.stats.inference_fps,
            model_ms=sum(latency[stage].p50 for stage in _MODEL_STAGES) if has_model else None,
            latency_ms=latency[DISPLAY].p50 if DISPLAY in latency else None,
            viewers=self._viewers,
        )

    # -- a viewer's camera -------------------------------------------------------------------

    @property
    def has_camera(self) -> bool:
        """Whether the camera of a viewer is the source."""
        return self._camera is not None

    def use_camera(self, camera: FrameSource) -> bool:
        """Make a viewer's camera, which sends already, the source for all viewers.

        Returns:
            False if the camera of another viewer is the source, or no other can be used.
        """
        with self._switching:
            if self._camera is not None:
                return False
            self._camera = camera
            try:
                self._switch(camera)
            except KpviewerError as error:  # a thread hangs in the source before
                self._camera = None
                self._report(str(error))
                return False
            return True

    def drop_camera(self, camera: FrameSource) -> None:
        """Return to the source of the command line, if ``camera`` is the source now."""
        with self._switching:
            if self._camera is not camera:
                return
            self._camera = None
            try:
                self._switch(self._make_source())
            except KpviewerError as error:  # a file that is gone, a camera that was unplugged
                self._report(str(error))

    def _switch(self, source: FrameSource) -> None:
        """Change the source, also after a failure. Waits for threads that are about to end.

        A pipeline that isn't about to end now doesn't end before it has used the source.
        """
        self._pipeline.set_source(source)
        self._pipeline.resume()
        state = self._pipeline.status().state
        if state is PipelineState.STOPPING or state.is_over:
            self._pipeline.close()
            self._pipeline.set_source(source)  # threads that end close the one that waits
            self._pipeline.start()
        self._note_change()

    # -- parts -------------------------------------------------------------------------------

    def _problem(self, status: PipelineStatus) -> str | None:
        notice = self._notice if time.monotonic() < self._notice_until_s else None
        found = _trouble_of(status) or self._annotator.problem or notice or status.warning
        return utf8_text(found) if found else None

    def _report(self, notice: str) -> None:
        """Show viewers what went wrong once, for some seconds."""
        self._notice, self._notice_until_s = notice, time.monotonic() + _NOTICE_S
        self._note_change()

    def _publish(self, frame: AnnotatedFrame) -> None:
        """Pass a painted frame to the viewers; on the annotator's thread."""
        self._pipeline.note_displayed(frame.result)
        self.frames.publish(frame)

    def _watch(self) -> None:
        """Abandon a thread that hangs, and report faults; on the annotator's thread."""
        self._pipeline.status()
        for news in self._pipeline.faults.take_news():
            self._report(news)

    def _count(self, watchers: int, viewers: int) -> None:
        """Count watchers who come (1) or leave (-1), and the viewers among them."""
        with self._lock:
            if self._watchers == 0:
                self.frames.forget()  # it was painted for those before, perhaps long ago
            self._watchers += watchers
            self._viewers += viewers
        self._annotator.add_watchers(watchers)
        self._note_change()

    def _note_change(self) -> None:
        with self._lock:
            self._change_count += 1
            count = self._change_count
        self.changes.publish(count)


def _trouble_of(status: PipelineStatus) -> str | None:
    """Return why a pipeline shows nothing new; None if it does."""
    if status.failure is not None:
        return status.failure
    if status.signal_lost_s is not None:
        reason = status.warning or "It is connected, but silent."
        return f"No image from the source for {status.signal_lost_s:.0f} s. {reason}"
    if status.model_silent_s is not None and status.stats.frames_inferred:
        return f"The model has spent {status.model_silent_s:.0f} s on a frame."
    return status.model_failure
