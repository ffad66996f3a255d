"""Smoothing and tracking in the pipeline, switched on by the style of the overlay."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.runtime.loading import Outcome

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
    def is_waiting(self) -> bool:
        """Whether tracking is requested and has not started."""
        return self._wanted.track and not self._is_ready

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
