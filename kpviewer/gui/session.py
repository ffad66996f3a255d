"""What the window shows, without the window: a pipeline, its source, and the model that loads.

It belongs to the GUI thread and is polled; the threads behind it never call back into Qt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import Loaders, ViewerEngine
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.source_ground_truth import FoundGroundTruth, SourceGroundTruth
from kpviewer.gui.opening.source_opening import SourceLoading
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.recall import Recall
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.comparing import SecondModel
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.tracking import TrackingOptions
from kpviewer.pipeline_status import PipelineState, PipelineStatus
from kpviewer.sources.base import FrameSource
from kpviewer.sources.naming import is_camera
from kpviewer.sources.redact import is_address, redact_url
from kpviewer.structures import FrameResult, StreamInfo, Thresholds

JUMP_S = 5.0
FALLBACK_FPS = 30.0
CLOSE_S = 1.0
"""For the threads to end with the window; a read that is under way may take longer."""
_OVER = (PipelineState.IDLE, PipelineState.FAILED)
_LOOPING = (None, "demo")
"""Sources that start again by themselves."""


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """Everything that the cards and chips over the video depend on."""

    source: str | None
    """For people; None while nothing is open."""
    opening_s: float
    pipeline: PipelineStatus | None
    failure: str | None
    loading_model: str | None
    loading_s: float
    model_failure: str | None


class Session(QObject):
    """Owns a Pipeline and what makes its source and its model; ``close`` joins them all."""

    opened = pyqtSignal()
    """Another stream has begun; ``info`` tells which."""
    source_changed = pyqtSignal()
    """Another source was asked for; ``source_name`` tells which."""
    ground_truth_changed = pyqtSignal()
    """The source that is open has another ground truth."""
    model_changed = pyqtSignal()
    """Another engine is in place; ``engine`` is it."""
    warned = pyqtSignal(str)

    def __init__(
        self,
        options: ViewerOptions,
        loaders: Loaders,
        recall: Recall,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._options, self._recall = options, recall
        self._clock = clock
        self._pipeline: Pipeline | None = None
        self._leaving: Pipeline | None = None
        self._next_source: FrameSource | None = None
        self.ground_truth = SourceGroundTruth(options.source, options.ground_truth)
        self._sources = SourceLoading(
            lambda text, ground_truth: loaders.open_source(recall.source(text), ground_truth),
            self.ground_truth,
        )
        self.models = ModelLoading(options, loaders, self.ground_truth, clock)
        self._engine: ViewerEngine | None = None
        self._has_frames = False
        self._info: StreamInfo | None = None
        self.source_text: str | None = None
        """The source as it was named; None is the first camera."""
        self.source_name: str | None = None
        """For people; None while nothing is open."""
        self._failure: KpviewerError | None = None
        self._opening_since = 0.0
        self._thresholds = options.on_top_of(Thresholds())
        self._is_edited = False
        self.following = TrackingOptions()
        self.second: SecondModel | None = None
        """What the pipeline of now, and those to come, compare with."""
        self.speed = 1.0
        self.loops = False
        self.lossless: bool | None = None
        """True: live sources give every frame; None: files do, live ones give the newest."""

    @property
    def pipeline(self) -> Pipeline | None:
        """The running pipeline; None while nothing is open."""
        return self._pipeline

    @property
    def info(self) -> StreamInfo | None:
        """What the source says of itself, once it is open."""
        return self._info

    @property
    def engine(self) -> ViewerEngine | None:
        """The model that watches; None until it is loaded."""
        return self._engine

    @property
    def failure(self) -> KpviewerError | None:
        """Why there is no video; None while all is well."""
        return self._failure

    @property
    def thresholds(self) -> Thresholds:
        """The settings that turn candidates into detections."""
        return self._thresholds

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Select by other thresholds, from the next frame on; the first model keeps them."""
        self._is_edited = True
        self._thresholds = thresholds
        if self._pipeline is not None:
            self._pipeline.set_thresholds(thresholds)

    def open(self, text: str | None) -> None:
        """Watch another source; what can't be opened shows up in ``status``."""
        self._begin(text)
        self.ground_truth.use(FoundGroundTruth(None))
        self._sources.look_for(text, _name_of(text))
        self.source_changed.emit()

    def try_open(self, text: str) -> None:
        """Watch another source if there is one of that name; else say so, and change nothing."""
        if self._pipeline is None or self._failure is not None:
            self.open(text)
        else:
            self._sources.look_for(text, _name_of(text), is_offer=True)

    def reopen(self) -> None:
        """Try the same source again."""
        self.open(self.source_text)

    def close_source(self) -> None:
        """Watch nothing."""
        self.source_name = self._info = self._failure = None
        self._leave()
        self.source_changed.emit()

    def poll(self) -> SessionStatus:
        """Notice what the threads have done since; to be called some ten times a second."""
        self._poll_models()
        self._start_next()
        self._poll_faults()
        if self.ground_truth.poll():
            self.ground_truth_changed.emit()
        if news := self.ground_truth.take_news():
            self.warned.emit(news)
        status = self._pipeline.status() if self._pipeline is not None else None
        if self._pipeline is not None and status is not None:
            info = self._pipeline.info
            if info is not None and info is not self._info and self._failure is None:
                self._info = info
                self.source_name = info.name
                self.opened.emit()
                if status.warning is not None:
                    self.warned.emit(status.warning)
            if status.state is PipelineState.FAILED and self._failure is None:
                self._failure = _pipeline_error(self._pipeline)
        now = self._clock()
        return SessionStatus(
            source=self.source_name,
            opening_s=now - self._opening_since,
            pipeline=status,
            failure=str(self._failure) if self._failure is not None else None,
            loading_model=self.models.loading,
            loading_s=self.models.loading_s,
            model_failure=self.models.failure,
        )

    def take_result(self) -> FrameResult | None:
        """Give the newest result; the caller holds its frame and must let it go."""
        self._start_next()
        result = self._pipeline.latest.take() if self._pipeline is not None else None
        self._has_frames = self._has_frames or result is not None
        return result

    def close(self) -> None:
        """Stop everything and wait for it, in bounds: what hangs is let go."""
        self._next_source = None
        pipelines = [each for each in (self._pipeline, self._leaving) if each is not None]
        for pipeline in pipelines:
            pipeline.stop()
        for pipeline in pipelines:
            pipeline.close(CLOSE_S / len(pipelines))
        self._pipeline = self._leaving = None
        self._sources.close()
        self.ground_truth.close()
        self.models.close()

    def _begin(self, text: str | None) -> None:
        """Leave the present source for one that is named so."""
        self.source_text = text
        self.source_name = _name_of(text)
        self._failure = self._info = None
        self._has_frames = False
        self._opening_since = self._clock()
        self.loops = text in _LOOPING
        self._leave()

    def _leave(self) -> None:
        """Ask the present pipeline to end.

        The next one starts when it has, as both may want the same camera and the same model.
        """
        self._sources.cancel()
        self._next_source = None
        if self._pipeline is not None:
            self._pipeline.stop()
            self._leaving, self._pipeline = self._pipeline, None

    def _take_source(self) -> None:
        arrival = self._sources.take()
        if arrival is None:
            return
        if arrival.failure is not None:
            if arrival.is_offer:
                self.warned.emit(str(arrival.failure))
            else:
                self._failure = arrival.failure
            return
        if arrival.is_offer:
            self._begin(arrival.text)
        self._next_source = arrival.source
        self.ground_truth.use(arrival.ground_truth)
        if arrival.is_offer:
            self.source_changed.emit()

    def _start_next(self) -> None:
        self._take_source()
        if self._leaving is not None and self._leaving.status().state in _OVER:
            self._leaving.close()
            stuck, self._leaving = self._leaving.faults.asked_engine(), None
            if stuck is not None and stuck is self._engine:
                self._engine = None  # it is still at a frame, in a thread that was let go
                self.models.load_again()
            if self.second is not None and self.second.engine is stuck:
                self.second = None
        source = self._next_source
        if source is None or self._leaving is not None:
            return
        self._next_source = None
        options = PipelineOptions(loop=self.loops, carries_on=True)
        thresholds = self._thresholds
        self._pipeline = Pipeline(source, self._engine, thresholds=thresholds, options=options)
        self._pipeline.transport.change(speed=self.speed, lossless=self.lossless)
        self._pipeline.settings.set_tracking(self.following)
        self._pipeline.settings.set_second(self.second)
        self._pipeline.start()

    def _poll_faults(self) -> None:
        """Tell what failed in the pipeline, and follow it to another device."""
        if self._pipeline is None:
            return
        for news in self._pipeline.faults.take_news():
            self.warned.emit(news)
        engine = self._pipeline.settings.current.engine
        if engine is not None and engine is not self._engine:
            self._engine = self.models.moved_to_cpu(engine)
            self.model_changed.emit()

    def _poll_models(self) -> None:
        info = self._info
        # The model makes ready for the size of the source's first image.
        waits = self.source_name is not None and self._failure is None and not self._has_frames
        source_hw = (info.height, info.width) if info is not None else None
        engine = self.models.poll(source_hw, can_wait=waits)
        if engine is None:
            return
        before = self._engine
        if before is None or before.spec != engine.spec:  # else it is on another device
            edited = self._thresholds if before is None and self._is_edited else None
            options = self._options if before is None else replace(self._options, classes=())
            self._thresholds = _thresholds_of(
                engine.spec, options, self._recall, edited, self.warned.emit
            )
        self._engine = engine
        if self._pipeline is not None:
            self._pipeline.set_thresholds(self._thresholds)
            self._pipeline.set_engine(engine)
        self.model_changed.emit()


def _thresholds_of(
    spec: ModelSpec,
    options: ViewerOptions,
    recall: Recall,
    edited: Thresholds | None,
    warn: Callable[[str], None],
) -> Thresholds:
    """Return the thresholds of a new model, under what the user was faster to edit."""
    try:
        asked = options.thresholds_for(spec)
    except ValueError as error:
        warn(tr("{error} All classes are shown.").format(error=error))
        asked = replace(options, classes=()).thresholds_for(spec)
    thresholds = recall.thresholds(spec, asked)
    return thresholds if edited is None else replace(edited, classes=thresholds.classes)


def _pipeline_error(pipeline: Pipeline) -> KpviewerError:
    try:
        pipeline.join(0.0)
    except KpviewerError as error:
        return error
    return KpviewerError(pipeline.status().failure or tr("The video stopped. Try again."))


def _name_of(text: str | None) -> str:
    """Name a source for people, before it can tell its own name."""
    if text is None:
        return tr("the first camera")
    if is_camera(text):
        return tr("camera {number}").format(number=text.partition(":")[0])
    return redact_url(text) if is_address(text) else Path(text).name
