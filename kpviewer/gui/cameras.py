"""Asks for the cameras of this machine in a thread: drivers may take their time. No Qt."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kpviewer.runtime.loading import BackgroundLoader

Cameras = tuple[tuple[int, str], ...]
"""(index, name) of each."""

_log = logging.getLogger(__name__)


class CameraFinder:
    """Polled by the thread that owns it; ``close`` joins what still looks."""

    def __init__(self) -> None:
        self._loader: BackgroundLoader[Cameras] = BackgroundLoader()
        self._then: Callable[[Cameras], None] | None = None
        self.known: Cameras | None = None
        """What was found last; None before the first time."""

    def ask(self, then: Callable[[Cameras], None]) -> None:
        """Look for cameras; ``then`` gets them in a later ``poll``, unless another ask follows."""
        self._then = then
        self._loader.submit("cameras", find_cameras)

    def drop(self) -> None:
        """Tell nobody what is found."""
        self._then = None

    def poll(self) -> None:
        """Hand on what was found; to be called some ten times a second."""
        outcome = self._loader.take()
        if outcome is None:
            return
        if outcome.failure is not None:
            _log.warning("Cameras can't be listed: %s", outcome.failure)
        self.known = outcome.value or ()
        then, self._then = self._then, None
        if then is not None:
            then(self.known)

    def close(self) -> None:
        """Wait for what still looks."""
        self._loader.close()


def find_cameras() -> Cameras:
    """List the cameras; it may take a while, for it loads OpenCV."""
    from kpviewer.sources.camera import list_cameras  # noqa: PLC0415

    return tuple((camera.index, camera.name) for camera in list_cameras())


def first_camera(cameras: Cameras) -> str:
    """Name the first camera as a source; camera 0 where none is known, for its error's cure."""
    return next((str(index) for index, _ in cameras), "0")
