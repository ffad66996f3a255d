"""State behind the window: a pipeline, its source and its model.

A session belongs to the GUI thread. Loaders report to it by queued signals; it polls the pipeline.
"""

import time
from functools import partial

from PyQt6.QtCore import pyqtSignal

from kpviewer.errors import FolderBelowError, KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import Loaders, ViewerEngine
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.source_ground_truth import FoundGroundTruth, SourceGroundTruth
from kpviewer.gui.opening.source_opening import Arrival, SourceLoading, open_turned
from kpviewer.gui.opening.source_opening import name_of as _name_of
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.session.base import AnySession, SessionStatus
from kpviewer.gui.session.model_wait import ModelWait
from kpviewer.gui.session.played_results import PlayedResults
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.pipeline.catching_up import catch_up
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.protocols import doubt_about, takes_seconds
from kpviewer.pipeline.results.comparing import SecondModel
from kpviewer.pipeline.results.reselecting import reselected
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.pipeline_status import PipelineState
from kpviewer.sources.base import FrameSource, is_folder
from kpviewer.sources.naming import is_camera, path_of
from kpviewer.sources.redact import is_address
from kpviewer.structures import FrameResult, Thresholds

CLOSE_S = 1.0
"""Time for the threads to end with the window; a read in progress may take longer."""
_LOOPED = ("", "demo")
"""Sources that loop by default; an empty one is the first camera."""


class Session(AnySession):
    """Owner of a pipeline and of the loaders of its source and model; ``close`` ends them."""

    refused = pyqtSignal(str, tuple)
    """Emitted when a folder has no image, and the source before continues: the reason, and the
    sources in the folder."""
    source_changed = pyqtSignal()
    """Emitted when another source is requested; ``source_name`` is its name."""
    failure: KpviewerError | None = None
    """Error that prevents the video; None if there is none."""

    def __init__(
        self,
        options: ViewerOptions,
        loaders: Loaders,
        remembered: RememberedSettings,
        *,
        models: ModelLoading | None = None,  # shared by sessions; their owner calls use_engine
    ) -> None:
        chosen = remembered.ground_truths if models is None else None  # a grid takes what it finds
        ground_truth = SourceGroundTruth(options.source, options.ground_truth, chosen)
        models_of = models or ModelLoading(options, loaders, ground_truth)
        super().__init__(models_of, options, remembered)
        self.pipeline: Pipeline | None = None
        """The running pipeline; None while nothing is open."""
        self._leaving: Pipeline | None = None
        self._next_source: FrameSource | None = None
        self.source: FrameSource | None = None
        """Source of the pipeline, which alone may read it; None while nothing is open."""
        self.ground_truth = ground_truth
        make = partial(open_turned, loaders.open_source, remembered)
        self._sources = SourceLoading(make, ground_truth)
        self._owns_models = models is None
        self._sources.arrived.connect(self._on_source_arrived)
        if self._owns_models:
            self.models.engine_loaded.connect(self.use_engine)
        self.model_wait = ModelWait()
        self._has_frames, self._opening_since = False, 0.0
        self.source_name: str | None = None
        """Name of the source for people; None while nothing is open."""
        self.played: PlayedResults | None = None
        """Sink of all results of the present source; None if nobody asks for them."""
        self.tracking = TrackingOptions()
        self.second: SecondModel | None = None
        """Second model of the current and of future pipelines; None compares nothing."""
        self.speed = 1.0
        self.loops = False
        self.lossless: bool | None = None
        """True: live sources deliver every frame. None: they deliver the newest one."""

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds from the next frame on; a model that loads later keeps them."""
        super().set_thresholds(thresholds)
        if self.pipeline is not None:
            self.pipeline.set_thresholds(thresholds)

    def use_engine(self, engine: ViewerEngine, thresholds: Thresholds | None = None) -> None:
        """Use a model that was loaded.

        Args:
            engine: the model; another one than before begins with its own thresholds.
            thresholds: use these instead, as all streams of a grid do.
        """
        if thresholds is None:
            self._take_model(engine.spec)
        else:
            self._thresholds = thresholds
        self.engine = engine
        if self.pipeline is not None:
            self.pipeline.set_thresholds(self._thresholds)
            self.pipeline.set_engine(engine)
        self.model_changed.emit()

    def open(self, text: str | None) -> None:
        """Open another source. The present one plays until then, and on if that fails."""
        if not self._has_frames or self.failure or _open_one_at_a_time(text, self.source_text):
            self._replace(text)
        else:
            self._opening_since = time.monotonic()
            self._sources.look_for(text, _name_of(text), is_offer=True)

    def cancel(self) -> None:
        """Cancel the opening of another source, or else the loading of a model."""
        (self._sources if self._sources.offered else self.models).cancel()

    def reopen(self) -> None:
        """Open the same source again, looped or not as before."""
        loops = self.loops
        self._replace(self.source_text)
        self.loops = loops

    @property
    def below(self) -> tuple[str, ...]:
        """Sources in a folder that has no image: the nearest folder with some, or videos."""
        return _below(self.failure)

    def close_source(self) -> None:
        """Close the source."""
        self.source_name = self.info = self.failure = None
        self._leave()
        self.source_changed.emit()

    def poll(self) -> SessionStatus:
        """Process the threads' news; return the status. Call it about ten times a second."""
        info = self.info
        # The model is prepared for the size of the source's first image.
        waits = self.source_name is not None and self.failure is None and not self._has_frames
        source_hw = (info.height, info.width) if info is not None else None
        self.models.start_due(source_hw, can_wait=waits)
        self._start_next()
        self.model_wait.poll(self.models.loading, has_frames=self._has_frames)
        self._poll_faults()
        is_shown = self._has_frames and not self.model_wait.for_recording  # else it starts anew
        if self.pipeline is not None and self.engine is not None and is_shown:
            catch_up(self.pipeline)
        if news := self.ground_truth.take_news():
            self.warned.emit(news)
        status = self.pipeline.status() if self.pipeline is not None else None
        if self.pipeline is not None and status is not None:
            info = self.pipeline.info
            if info is not None and info is not self.info and self.failure is None:
                self.info = info
                self.source_name = info.name
                self.opened.emit()
                if status.warning is not None:
                    self.warned.emit(status.warning)
            if status.state is PipelineState.FAILED and self.failure is None:
                self.failure = _pipeline_error(self.pipeline)
        return SessionStatus(
            source=self.source_name,
            opening_s=time.monotonic() - self._opening_since,
            opening=self._sources.offered,
            pipeline=status,
            failure=str(self.failure) if self.failure is not None else None,
            loading_model=self.models.loading,
            loading_s=self.models.loading_s,
            model_failure=self.models.failure,
            model_doubt=doubt_about(self.engine),
            waits_for_model=self.model_wait.is_on,
            has_model=self.engine is not None,
            is_one_image=self.info is not None and self.info.frame_count == 1,
            below=self.below,
        )

    def take_result(self) -> FrameResult | None:
        """Return the newest result or None; the caller must release its frame."""
        self._start_next()
        result = self.pipeline.latest.take() if self.pipeline is not None else None
        self._has_frames = self._has_frames or result is not None
        engine = self.engine
        if result is None or engine is None or result.spec is not engine.spec:
            return result
        if result.thresholds == self._thresholds:
            return result
        # It was selected before a slider moved, and may be the last for as long as it is paused.
        return reselected(result, self._thresholds, engine.spec, self.second)

    def close(self) -> None:
        """Stop everything and wait for it in bounded time; threads that hang are abandoned."""
        self._leave()
        if self._leaving is not None:
            self._leaving.close(CLOSE_S)
            self._leaving = None
        self._sources.close()
        self.ground_truth.close()
        if self._owns_models:
            self.models.close()

    def _replace(self, text: str | None) -> None:
        """Leave the current source, then look for another one."""
        self._begin(text)
        self.ground_truth.use(FoundGroundTruth(None))
        self._sources.look_for(text, _name_of(text))
        self.source_changed.emit()

    def _begin(self, text: str | None) -> None:
        """Leave the current source for another one."""
        self.source_text, self.source_name = text, _name_of(text)
        self.failure = self.info = None
        self._opening_since = time.monotonic()
        self.loops = (text or "").strip().lower() in _LOOPED
        self._leave()

    def _leave(self) -> None:
        """Ask the current pipeline to end.

        The next one starts after that: both may need the same camera and the same model.
        """
        self._sources.cancel()
        self.model_wait.drop()
        self._has_frames = False
        if self._next_source is not None:
            self._next_source.close()  # it may have been opened ahead
            self._next_source = None
        if self.pipeline is not None:
            self.pipeline.stop()
            self._leaving, self.pipeline = self.pipeline, None

    def _on_source_arrived(self, arrival: Arrival) -> None:
        if arrival.failure is not None:
            if arrival.is_offer and (below := _below(arrival.failure)):
                self.refused.emit(str(arrival.failure), below)
            elif arrival.is_offer:
                self.warned.emit(str(arrival.failure))
            else:
                self.failure = arrival.failure
            return
        if arrival.is_offer:
            self._begin(arrival.text)
        self._next_source = arrival.source
        self.ground_truth.use(arrival.ground_truth)
        if arrival.is_offer:
            self.source_changed.emit()
        self._start_next()

    def _start_next(self) -> None:
        """Start the source that waits, once the one before it has ended."""
        if self._leaving is not None and self._leaving.status().state.is_over:
            self._leaving.close()
            stuck, self._leaving = self._leaving.faults.running_engine(), None
            if stuck is not None and stuck is self.engine:
                self.engine = None  # an abandoned thread still runs it
                self.models.load_again()
            if self.second is not None and self.second.engine is stuck:
                self.second = None
        source = self._next_source
        if source is None or self._leaving is not None:
            return
        self._next_source, self.source = None, source
        wait = self.model_wait
        is_recorded = wait.for_recording or wait.is_next_recorded
        self.pipeline = _pipeline_of(source, self, can_wait=not is_recorded)
        if self.played is not None:
            self.played.take()  # those of the source before
            self.pipeline.add_sink(self.played)
        if (self.engine is None or is_recorded) and not self.loops:
            wait.hold(self.pipeline, self.source_text)
        self.pipeline.start()

    def _poll_faults(self) -> None:
        """Report what failed in the pipeline, and note its move to another device."""
        if self.pipeline is None:
            return
        for news in self.pipeline.faults.take_news():
            self.warned.emit(news)
        engine = self.pipeline.settings.current.engine
        if engine is not None and engine is not self.engine:
            self.engine = self.models.moved_to_cpu(engine)
            self.model_changed.emit()


def _below(failure: KpviewerError | None) -> tuple[str, ...]:
    return failure.below if isinstance(failure, FolderBelowError) else ()


def _open_one_at_a_time(text: str | None, present: str | None) -> bool:
    """Return whether the present source must be left before another one is opened.

    Some drivers open one camera at a time; some network cameras, and ports, have one connection.
    """
    if text == present and is_address(text or ""):
        return True
    return all(not each or is_camera(each) for each in (text, present))


def _pipeline_of(source: FrameSource, session: Session, *, can_wait: bool) -> Pipeline:
    """Return a pipeline that plays a source as the session is set.

    If it can, a folder waits at its first image, and any file for a model that takes seconds a
    frame.
    """
    options = PipelineOptions(loop=session.loops, carries_on=True)
    pipeline = Pipeline(source, session.engine, thresholds=session.thresholds, options=options)
    pipeline.transport.change(speed=session.speed, lossless=session.lossless)
    pipeline.settings.set_tracking(session.tracking)
    pipeline.settings.set_second(session.second)
    is_slow = takes_seconds(session.engine) and path_of(session.source_text) is not None
    if (is_folder(source) or is_slow) and can_wait:
        pipeline.pause()  # a folder is no film; its first image is shown all the same
    return pipeline


def _pipeline_error(pipeline: Pipeline) -> KpviewerError:
    try:
        pipeline.join(0.0)
    except KpviewerError as error:
        return error
    return KpviewerError(pipeline.status().failure or tr("The video stopped. Try again."))
