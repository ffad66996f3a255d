"""Objects are followed from frame to frame where the overlay shows it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.tracking import TrackingOptions
from kpviewer.runtime.loading import BackgroundLoader

_log = logging.getLogger(__name__)


def load_tracker() -> None:
    """Import what following needs; it takes a second, and OpenCV comes with it."""
    from kpviewer.runtime.tracking import import_tracker  # noqa: PLC0415

    import_tracker()


class Following:
    """Has pipelines follow objects once the tracker is imported, so that no frame waits for that.

    Polled by the thread that owns it; ``close`` ends that.
    """

    def __init__(self, session: Session, load: Callable[[], None] = load_tracker) -> None:
        self._session = session
        self._load = load
        self._loader: BackgroundLoader[None] = BackgroundLoader()
        self._has_begun = self._is_ready = False
        self._wanted = TrackingOptions()

    @property
    def is_waiting(self) -> bool:
        """Whether objects are to be followed and are not yet."""
        return self._wanted.track and not self._is_ready

    def prepare(self) -> None:
        """Import the tracker in a thread: it may be asked for soon."""
        if not self._has_begun:
            self._has_begun = True
            self._loader.submit("tracker", self._load)

    def follow(self, style: OverlayStyle) -> None:
        """Have the pipeline of now, and those to come, add what the style shows."""
        self._wanted = TrackingOptions(smooth=style.smooth_landmarks, track=style.tracks)
        if style.tracks:
            self.prepare()
        self._pass_on()

    def poll(self) -> None:
        """Begin to follow where the tracker has come; to be called some ten times a second."""
        outcome = self._loader.take()
        if outcome is None:
            return
        if outcome.failure is not None:  # the inference thread will meet it, and tell
            _log.warning("The tracker can't be imported: %s", outcome.failure)
        self._is_ready = True
        self._pass_on()

    def close(self) -> None:
        """Wait for nothing: the import is let go."""
        self._loader.close()

    def _pass_on(self) -> None:
        wanted = self._wanted
        options = TrackingOptions(wanted.smooth, track=wanted.track and self._is_ready)
        self._session.following = options
        if self._session.pipeline is not None:
            self._session.pipeline.settings.set_tracking(options)
