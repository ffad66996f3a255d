"""The pipeline: a source, a model and two threads, behind one object that any thread may call.

Works without a window and without torch: a model is any object with the interface of
``InferenceEngine``.
"""

from dataclasses import replace

from kpviewer.errors import PipelineError
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.protocols import (
    InferenceEngine,
    ResultSink,
    interrupt,
    needs_pinned_memory,
    resume,
    silent_s,
    takes_seconds,
)
from kpviewer.pipeline.source.reader import QueuedFrame, SourceReader
from kpviewer.pipeline.source.transport import PlaybackSettings, Transport
from kpviewer.pipeline.state.channels import FrameQueue, Latest
from kpviewer.pipeline.state.faults import PATIENCE_S, Faults
from kpviewer.pipeline.state.lifecycle import Lifecycle
from kpviewer.pipeline.state.settings import InferenceSettings, SettingsCell
from kpviewer.pipeline.state.stats import StatsRecorder
from kpviewer.pipeline.state.wiring import Wiring
from kpviewer.pipeline.threads.run import STOP_S, Run
from kpviewer.pipeline_status import PipelineState, PipelineStatus, StopReason
from kpviewer.runtime.buffers import PinnedPool
from kpviewer.sources.base import FrameSource
from kpviewer.structures import FrameResult, StreamInfo, Thresholds

__all__ = ["InferenceEngine", "Latest", "Pipeline", "PipelineOptions", "ResultSink"]


FILE_STALL_S = 5.0
"""Duration in s from which on a read of a file is reported."""


class Pipeline:
    """Carries frames from a source through a model to the readers of its results.

    ::

        IDLE --start--> STARTING --source open--> RUNNING <--pause/resume--> PAUSED
          ^                                          | stop, end, error
          +--- threads ended --- STOPPING <----------+
                                    +--- after an error ---> FAILED      (start again from both)

    To read results, poll ``latest.take()`` and release the frame of each result; or add a sink,
    which gets every result. The pipeline owns its source and closes it.
    """

    def __init__(
        self,
        source: FrameSource,
        engine: InferenceEngine | None = None,
        *,
        thresholds: Thresholds | None = None,
        options: PipelineOptions | None = None,
    ) -> None:
        """Make a pipeline; nothing is opened before ``start``.

        Args:
            source: source of the frames, closed.
            engine: engine that detects objects; None shows plain frames until ``set_engine``.
            thresholds: None uses the engine's own, or the defaults.
            options: settings for its life.
        """
        options = options or PipelineOptions()
        if thresholds is None:
            thresholds = engine.spec.thresholds if engine is not None else Thresholds()
        self.latest: Latest[FrameResult] = Latest(lambda result: result.frame.release())
        """Mailbox with the newest result. The reader that takes one releases its frame."""
        playback = PlaybackSettings(loop=options.loop, lossless=options.lossless)
        self.transport = Transport(options.clock, playback)
        """Commands to the stream; the methods below give most of them."""
        self.faults = Faults(options.clock)
        """Failures of parts that the video continued without."""
        self.settings = SettingsCell(InferenceSettings(None, thresholds))
        """Settings that may change while frames flow; the methods below change most of them."""
        self._reader = SourceReader(source, options.clock)
        self._wiring = Wiring(
            options=options,
            pool=PinnedPool(options.slots),
            queue=_new_queue(options),
            latest=self.latest,
            settings=self.settings,
            transport=self.transport,
            lifecycle=Lifecycle(),
            stats=StatsRecorder(options.clock),
            faults=self.faults,
        )
        self._run: Run | None = None
        self.set_engine(engine)

    @property
    def info(self) -> StreamInfo | None:
        """Description of the source's stream; None until it is open."""
        return self._reader.info

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads, one of which opens the source. Also restarts a pipeline that ended.

        Raises:
            PipelineError: if it is running.
        """
        self._wiring.lifecycle.begin(threads=2)
        self.transport.begin()
        self._wiring.stats.reset()
        source = self.transport.take_source()
        if source is not None:
            self._reader.change(source)
        self._wiring = replace(self._wiring, queue=_new_queue(self._wiring.options))
        resume(self.settings.current.engine)
        self._run = Run(self._reader, self._wiring)
        self._run.start()

    def stop(self) -> None:
        """Ask the threads to end, and return at once; idempotent, in any state."""
        self._wiring.lifecycle.stopping(StopReason.REQUESTED)
        self.transport.stop()
        self._wiring.queue.abort()
        interrupt(self.settings.current.engine)
        if self.status().state is PipelineState.STOPPING:
            self._reader.interrupt()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the threads have ended.

        Args:
            timeout_s: longest wait for each thread, in s; None waits without a limit.

        Returns:
            Whether they have ended. A thread that was let go counts as ended.

        Raises:
            KpviewerError: the first error of any thread; a PipelineError for unexpected ones.
        """
        is_over = self._run is None or self._run.join(timeout_s)
        if self._run is not None:
            self._run.watch()
        failure = self._wiring.lifecycle.failure
        if failure is not None:
            raise failure
        return is_over

    def close(self, timeout_s: float = STOP_S) -> None:
        """Stop, wait for the threads and empty the mailbox; idempotent. Doesn't raise failures.

        Args:
            timeout_s: longest wait for both threads together, in s; one that hangs is let go.
        """
        self.stop()
        if self._run is not None:
            self._run.close(timeout_s)
        self._wiring.lifecycle.forget_variables()
        self.latest.clear()

    # -- transport ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Pause the stream. It still shows its first frame, and one for each seek and step."""
        self.transport.pause()

    def resume(self) -> None:
        """Continue; a stream that is held at its end restarts from the first frame."""
        self.transport.resume()

    def step(self) -> None:
        """Pause, and deliver exactly one more frame."""
        self.transport.step()

    def seek(self, index: int) -> None:
        """Go to frame ``index``, or to the nearest there is; paused, exactly that one is shown.

        Raises:
            PipelineError: if the source is open and not seekable.
        """
        info = self.info
        if info is not None and not info.is_seekable:
            raise PipelineError(f"{info.name} is not seekable; only files are.")
        self.transport.seek(index)

    def repeat_frame(self, engine: InferenceEngine | None = None) -> None:
        """Deliver the last frame of a paused file once more, as for another model.

        Nothing happens while the stream runs or another frame is still to be delivered.

        Args:
            engine: model to repeat it for, unless that has seen it or is about to.
        """

        def is_wanted() -> bool:  # in this order: one that isn't idle may be about to answer
            return self._wiring.queue.is_idle and self.faults.last_engine is not engine

        info = self.info
        if info is not None and info.is_seekable:
            self.transport.repeat_frame(is_wanted if engine is not None else None)

    def set_speed(self, factor: float) -> None:
        """Play files at ``factor`` times their speed.

        Args:
            factor: 2 is twice as fast, ``inf`` as fast as the model runs.

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
        before = self.settings.set_engine(engine)
        if before is not engine:
            interrupt(before)

    def set_source(self, source: FrameSource) -> None:
        """Change to another source, running or not; the capture thread opens it.

        The present source is closed first. A source that can't be opened ends the pipeline.
        """
        displaced = self.transport.change_source(source)
        if displaced is not None:
            displaced.close()

    def add_sink(self, sink: ResultSink) -> None:
        """Pass every result to ``sink``, from the next frame on."""
        self.settings.add_sink(sink)

    def remove_sink(self, sink: ResultSink) -> None:
        """Pass no more results to ``sink``; one may be under way in the other thread."""
        self.settings.remove_sink(sink)

    # -- state -------------------------------------------------------------------------------

    @property
    def state(self) -> PipelineState:
        """Present state alone, without the statistics of ``status``, which take 0.2 ms or more."""
        return _state_and_reason(self.transport, self._wiring)[0]

    def status(self) -> PipelineStatus:
        """Return a snapshot of state and statistics; cheap enough for 10 times a second.

        It also lets go of a thread that hangs, so call it regularly.
        """
        if self._run is not None:
            self._run.watch()
        lifecycle, reader = self._wiring.lifecycle, self._reader
        state, reason = _state_and_reason(self.transport, self._wiring)
        is_on = state in (PipelineState.RUNNING, PipelineState.PAUSED)
        info = self.info  # read once: another thread resets it while it opens a source anew
        is_file = info is not None and not info.is_live
        engine = self.settings.current.engine
        failure, at_frame = lifecycle.failure, self.faults.at_frame() if is_on else None
        is_slow = at_frame is not None and takes_seconds(at_frame[0])
        at_frame_s = silent_s(*at_frame) if at_frame is not None else 0.0
        return PipelineStatus(
            state=state,
            stop_reason=reason,
            stats=self._wiring.stats.snapshot(len(self._wiring.queue)),
            failure=str(failure) if failure is not None else None,
            signal_lost_s=reader.signal_lost_s() if is_on else None,
            reconnects=reader.reconnects,
            attempts=reader.failed_attempts,
            warning=reader.warning,
            read_s=reader.reading.running_s(FILE_STALL_S) if is_on and is_file else None,
            model_silent_s=at_frame_s if at_frame_s > PATIENCE_S and not is_slow else None,
            detecting_s=at_frame_s if is_slow else None,
            model_failure=self.faults.lasting_failure(engine) if is_on else None,
        )

    def note_displayed(self, result: FrameResult) -> None:
        """Note that a result was just painted, for display rate and latency."""
        self._wiring.stats.frame_displayed(result.frame)


def _state_and_reason(
    transport: Transport, wiring: Wiring
) -> tuple[PipelineState, StopReason | None]:
    """Return the state of a pipeline, and why it stops, stopped or is at its end."""
    state, reason = wiring.lifecycle.state, wiring.lifecycle.stop_reason
    if state is PipelineState.RUNNING and transport.paused:
        at_end = transport.at_end
        if not at_end or wiring.queue.is_idle:  # else its last frames are still to come
            return PipelineState.PAUSED, StopReason.END_OF_STREAM if at_end else None
    return state, reason


def _new_queue(options: PipelineOptions) -> FrameQueue[QueuedFrame]:
    """Make the queue of one run."""
    return FrameQueue(options.queue_size, QueuedFrame.release)
