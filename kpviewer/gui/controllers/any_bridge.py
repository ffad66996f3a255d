"""What joins widgets and sessions alike in both windows: thresholds, style, tracking, the model."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.controllers.playback import repeat_frame
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import backend_of
from kpviewer.gui.opening.model_names import loaded_name
from kpviewer.gui.session import Session
from kpviewer.gui.session.base import AnySession
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.runtime.process.loading import Outcome
from kpviewer.structures import FrameResult, Thresholds

_log = logging.getLogger(__name__)


def load_tracker() -> None:
    """Import the tracker. It takes a second, and imports OpenCV too."""
    from kpviewer.runtime.tracking import import_tracker  # noqa: PLC0415

    import_tracker()


class Tracking:
    """Switch of smoothing and tracking in pipelines.

    Tracking starts once the tracker is imported: no frame waits for the import. ``close`` lets go
    of an import that runs.
    """

    def __init__(
        self, sessions: Callable[[], Iterable[Session]], load: Callable[[], None] = load_tracker
    ) -> None:
        self._sessions = sessions
        self._load = load
        self._loader = BackgroundLoader()
        self._has_begun = self._is_ready = False
        self._wanted = TrackingOptions()

    @property
    def is_wanted(self) -> bool:
        """Whether tracking is requested; it may not have started."""
        return self._wanted.track

    def prepare(self) -> None:
        """Import the tracker in a thread: it may be needed soon."""
        if not self._has_begun:
            self._has_begun = True
            self._loader.submit("tracker", self._load, self._on_loaded)

    def set_style(self, style: OverlayStyle) -> None:
        """Add what the style shows in the current and in future pipelines."""
        self._wanted = TrackingOptions(smooth=style.smooth_landmarks, track=style.tracks)
        if style.tracks:
            self.prepare()
        self._pass_on()

    def _on_loaded(self, outcome: Outcome[None]) -> None:
        if outcome.failure is not None:  # the inference thread will fail alike, and report it
            _log.warning("The tracker can't be imported: %s", outcome.failure)
        self._is_ready = True
        self._pass_on()

    def close(self) -> None:
        """Stop waiting for the import."""
        self._loader.close()

    def _pass_on(self) -> None:
        wanted = self._wanted
        options = TrackingOptions(wanted.smooth, track=wanted.track and self._is_ready)
        for session in self._sessions():
            session.tracking = options
            if session.pipeline is not None:
                session.pipeline.settings.set_tracking(options)


FRAME_MS = 16


class AnyBridge(QObject):
    """Owner of the timers that update a window; ``stop`` ends them."""

    titled = pyqtSignal(str)
    """Emitted with the title that the window should have."""

    _panes: AnyPanes
    _session: AnySession

    def __init__(
        self,
        panes: AnyPanes,
        session: AnySession,
        sessions: Callable[[], Iterable[Session]],
        refresh_ms: int,
    ) -> None:
        super().__init__(panes.docks)
        self._panes, self._session, self._sessions = panes, session, sessions
        self._tracking = Tracking(sessions)
        self._timers = []
        for interval_ms, slot in ((FRAME_MS, self._on_frame_tick), (refresh_ms, self.refresh)):
            timer = QTimer(self)
            timer.setTimerType(Qt.TimerType.PreciseTimer)  # as regular as the system allows
            timer.timeout.connect(slot)
            timer.start(interval_ms)
            self._timers.append(timer)
        session.warned.connect(panes.say)
        session.model_changed.connect(self._on_model_changed)
        panel = panes.side_panel
        panel.thresholds_edited.connect(self._on_thresholds_edited)
        # The switch Track is in that section: import the tracker before it is ticked.
        panel.sections[Intent.ACT].entered.connect(self._tracking.prepare)
        panel.display.changed.connect(self._on_display_edited)

    def stop(self) -> None:
        """Stop the timers and what they drive."""
        for timer in self._timers:
            timer.stop()
        self._tracking.close()

    @abstractmethod
    def refresh(self) -> None:
        """Update everything but the images."""

    def use_thresholds(self, thresholds: Thresholds) -> None:
        """Set thresholds of the same model in session and panels; a paused image is updated."""
        if self._session.engine is not None:
            self._session.set_thresholds(thresholds)
            self._panes.side_panel.show_thresholds(self._session.engine.spec, thresholds)
            self._select_again(thresholds)

    @abstractmethod
    def _on_frame_tick(self) -> None:
        """Show the newest images."""

    @abstractmethod
    def _select_again(self, thresholds: Thresholds) -> None:
        """Select detections again from the candidates on the screen."""

    @abstractmethod
    def _use_style(self, style: OverlayStyle) -> None:
        """Draw in another style, on the screen and in recordings."""

    def _on_model_changed(self) -> None:
        engine = self._session.engine
        if engine is not None:
            self._panes.side_panel.show_model(engine.spec, self._session.thresholds)
            self._on_display_edited()
            for session in self._sessions():
                repeat_frame(session)
            self.refresh()

    def _on_thresholds_edited(self) -> None:
        thresholds = self._panes.side_panel.edited_thresholds()
        self._session.set_thresholds(thresholds)
        self._select_again(thresholds)

    def _on_display_edited(self) -> None:
        engine = self._session.engine
        spec = engine.spec if engine is not None else None
        style = self._panes.side_panel.overlay_style(spec, self._session.thresholds)
        was_wanted = self._tracking.is_wanted
        self._tracking.set_style(style)
        if self._tracking.is_wanted and not was_wanted:  # a paused image shows none
            self._panes.say(tr("Objects get their numbers in the next frames."))
        self._use_style(style)

    def _show_model_in_use(self) -> None:
        engine, loaded = self._session.engine, self._session.models.loaded
        request = loaded.model if loaded is not None else None
        name = loaded_name(request, engine.spec) if engine is not None else tr("None")
        self._panes.top_bar.model.set_choice(name)

    def _show_title(self, title: str, state: RecordingState | None) -> None:
        """Show the state of the recording on its button and in the title."""
        self._panes.top_bar.show_recording(state)
        self.titled.emit(f"{state.mark} {title}" if state is not None else title)

    def _show_found(self, results: Sequence[FrameResult]) -> None:
        """Show what was found in the images on the screen, and the mean time of the model."""
        engine, panel, bar = self._session.engine, self._panes.side_panel, self._panes.status_bar
        run = [each for each in results if each.has_model and engine is not None]
        ids = [np.zeros(0, np.int64), *(each.detections.class_ids for each in run)]
        found, is_loading = np.concatenate(ids), self._session.models.loading is not None
        panel.classes.show_counts(found)
        panel.show_found(len(found) if run else None, is_loading=is_loading)
        if engine is None:
            bar.show_model("", "", None)
        else:
            mean_ms = sum(each.timings.model_ms for each in run) / len(run) if run else None
            bar.show_model(engine.device_name, backend_of(engine), mean_ms)
