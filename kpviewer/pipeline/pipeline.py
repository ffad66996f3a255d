"""The pipeline: a source, a model and two threads, behind one object that any thread may call.

Works with no window and without torch; the model is whatever satisfies ``InferenceEngine``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpviewer.errors import PipelineError
from kpviewer.pipeline.channels import FrameQueue, Latest
from kpviewer.pipeline.faults import Faults
from kpviewer.pipeline.lifecycle import Lifecycle
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.protocols import InferenceEngine, ResultSink, needs_pinned_memory
from kpviewer.pipeline.reader import QueuedFrame, SourceReader
from kpviewer.pipeline.run import STOP_S, Run
from kpviewer.pipeline.settings import Settings, SettingsCell
from kpviewer.pipeline.stats import StatsRecorder
from kpviewer.pipeline.transport import PlaybackSettings, Transport
from kpviewer.pipeline.wiring import Wiring
from kpviewer.pipeline_status import PipelineState, PipelineStatus, StopReason
from kpviewer.runtime.buffers import PinnedPool
from kpviewer.structures import FrameResult, StreamInfo, Thresholds

if TYPE_CHECKING:
    from kpviewer.sources.base import FrameSource

__all__ = ["InferenceEngine", "Latest", "Pipeline", "PipelineOptions", "ResultSink"]


FILE_STALL_S = 5.0
"""A read of a file that takes longer is told."""


class Pipeline:
    """Carries frames from a source through a model to whoever wants the results.

    ::

        IDLE --start--> STARTING --source open--> RUNNING <--pause/resume--> PAUSED
          ^                                          | stop, end, error
          +--- threads ended --- STOPPING <----------+
                                    +--- after an error ---> FAILED      (start again from both)

    Results: poll ``latest.take()``, and release the frame of each result that it gives; or add a
    sink, which sees every result. The pipeline owns its source, and closes it.
    """

    def __init__(
        self,
        source: FrameSource,
        engine: InferenceEngine | None = None,
        *,
        thresholds: Thresholds | None = None,
        options: PipelineOptions | None = None,
    ) -> None:
        """Make a pipeline that stands still; nothing is opened yet.

        Args:
            source: where the frames come from, closed.
            engine: what finds objects; None shows plain frames until ``set_engine``.
            thresholds: None takes the engine's own, or the defaults.
            options: settings for its life.
        """
        options = options or PipelineOptions()
        if thresholds is None:
            thresholds = engine.spec.thresholds if engine is not None else Thresholds()
        self.latest: Latest[FrameResult] = Latest(lambda result: result.frame.release())
        """The newest result that nobody took. Who takes one releases its frame."""
        manner = PlaybackSettings(loop=options.loop, lossless=options.lossless)
        self.transport = Transport(options.clock, manner)
        """What is asked of the stream; the methods below ask for the most of it."""
        self._lifecycle = Lifecycle()
        self._stats = StatsRecorder(options.clock)
        self.faults = Faults(options.clock)
        """What failed, and the video went on without."""
        self.settings = SettingsCell(Settings(None, thresholds))
        """What may change while frames flow; the methods below change the most of it."""
        self._reader = SourceReader(source, options.clock)
        self._wiring = Wiring(
            options,
            PinnedPool(options.slots),
            _new_queue(options),
            self.latest,
            self.settings,
            self.transport,
            self._lifecycle,
            self._stats,
            self.faults,
        )
        self._run: Run | None = None
        self.set_engine(engine)

    @property
    def info(self) -> StreamInfo | None:
        """What the source says of itself; None until it is open."""
        return self._reader.info

    @property
    def thresholds(self) -> Thresholds:
        """The present thresholds."""
        return self.settings.current.thresholds

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads; the source is opened by one of them. Also starts again.

        Raises:
            PipelineError: if it runs already.
        """
        self._lifecycle.begin(threads=2)
        self.transport.begin()
        self._stats.reset()
        source = self.transport.take_source()
        if source is not None:
            self._reader.change(source)
        self._wiring = replace(self._wiring, queue=_new_queue(self._wiring.options))
        self._run = Run(self._reader, self._wiring)
        self._run.start()

    def stop(self) -> None:
        """Ask the threads to end, and return at once; any state, any number of times."""
        self._lifecycle.stopping(StopReason.REQUESTED)
        self.transport.stop()
        self._wiring.queue.abort()
        if self.status().state is PipelineState.STOPPING:
            self._reader.interrupt()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the threads have ended.

        Args:
            timeout_s: for each thread, in seconds; None waits as long as it takes.

        Returns:
            Whether they have. A thread that was let go counts as ended.

        Raises:
            KpviewerError: the first error of any thread; a PipelineError for unexpected ones.
        """
        is_over = self._run is None or self._run.join(timeout_s)
        if self._run is not None:
            self._run.watch()
        if self._lifecycle.failure is not None:
            raise self._lifecycle.failure
        return is_over

    def close(self, timeout_s: float = STOP_S) -> None:
        """Stop, wait for the threads and empty the mailbox; idempotent. Doesn't raise failures.

        Args:
            timeout_s: for both threads together, in seconds; what hangs then is let go.
        """
        self.stop()
        if self._run is not None:
            self._run.close(timeout_s)
        self.latest.clear()

    # -- transport ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Hold the stream. It still shows its first frame, and one for each seek and step."""
        self.transport.pause()

    def resume(self) -> None:
        """Go on; from the first frame where the stream is held at its end."""
        self.transport.resume()

    def step(self) -> None:
        """Pause, and let exactly one more frame out."""
        self.transport.step()

    def seek(self, index: int) -> None:
        """Go to frame ``index``, or to the nearest there is; paused, exactly that one is shown.

        Raises:
            PipelineError: if the source is open and can't be sought in.
        """
        info = self.info
        if info is not None and not info.is_seekable:
            raise PipelineError(f"{info.name} has no frames to go to; only files do.")
        self.transport.seek(index)

    def repeat_frame(self) -> None:
        """Show the frame of a paused file once more, as another model sees it.

        Nothing happens while frames are coming, nor where a frame is still to come: it shows that.
        """
        info = self.info
        if info is not None and info.is_seekable:
            self.transport.repeat_frame()

    def set_speed(self, factor: float) -> None:
        """Play files at ``factor`` times their speed.

        Args:
            factor: 2 is twice as fast, ``inf`` as fast as the model goes.

        Raises:
            ValueError: if ``factor`` is not positive.
        """
        self.transport.change(speed=factor)

    # -- settings ----------------------------------------------------------------------------

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds from the next frame on."""
        self.settings.set_thresholds(thresholds)

    def set_engine(self, engine: InferenceEngine | None) -> None:
        """Use another model, or none, from the next frame on; thresholds stay as they are."""
        self._wiring.pool.use_pinned(needs_pinned_memory(engine))
        self.settings.set_engine(engine)

    def set_source(self, source: FrameSource) -> None:
        """Change to another source, running or not; it is opened by the capture thread.

        The present source is closed first. A source that can't be opened ends the pipeline.
        """
        displaced = self.transport.change_source(source)
        if displaced is not None:
            displaced.close()

    def add_sink(self, sink: ResultSink) -> None:
        """Give every result to ``sink``, from the next frame on."""
        self.settings.add_sink(sink)

    def remove_sink(self, sink: ResultSink) -> None:
        """Give no more results to ``sink``; one may be under way in the other thread."""
        self.settings.remove_sink(sink)

    # -- what goes on ------------------------------------------------------------------------

    def status(self) -> PipelineStatus:
        """Give one snapshot of state and numbers; cheap enough for 10 times a second.

        It also lets go of a thread that should have come back long ago, so someone should ask.
        """
        if self._run is not None:
            self._run.watch()
        state, reason = self._lifecycle.state, self._lifecycle.stop_reason
        if state is PipelineState.RUNNING and self.transport.paused:
            state = PipelineState.PAUSED
            reason = StopReason.END_OF_STREAM if self.transport.at_end else None
        is_on = state in (PipelineState.RUNNING, PipelineState.PAUSED)
        info = self.info  # read once: another thread forgets it while it opens a source anew
        is_file = info is not None and not info.is_live
        engine = self.settings.current.engine
        failure, hanging = self._lifecycle.failure, self.faults.hanging()
        return PipelineStatus(
            state=state,
            stop_reason=reason,
            stats=self._stats.snapshot(len(self._wiring.queue)),
            failure=str(failure) if failure is not None else None,
            signal_lost_s=self._reader.signal_lost_s() if is_on else None,
            reconnects=self._reader.reconnects,
            warning=self._reader.warning,
            read_s=self._reader.reading.running_s(FILE_STALL_S) if is_on and is_file else None,
            model_silent_s=hanging[1] if is_on and hanging is not None else None,
            model_failure=self.faults.lasting_failure(engine) if is_on else None,
        )

    def note_displayed(self, result: FrameResult) -> None:
        """Note that a result was just painted: for display rate and latency."""
        self._stats.frame_displayed(result.frame)


def _new_queue(options: PipelineOptions) -> FrameQueue[QueuedFrame]:
    """Make the queue of one run."""
    return FrameQueue(options.queue_size, QueuedFrame.release)
