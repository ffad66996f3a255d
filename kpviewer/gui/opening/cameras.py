"""Asks for cameras and screens of this machine in a thread: drivers may take their time. No Qt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from kpviewer.runtime.loading import BackgroundLoader

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A camera or a screen."""

    source: str
    """As a source is named: "0", "screen:1"."""
    name: str
    """For people."""
    id: str
    """What is remembered of it is kept by this; the same after it was plugged in elsewhere."""
    path: str = ""
    """Where the system has it, "/dev/video0" for one; empty where that isn't known."""


class Devices(NamedTuple):
    """What there is to watch."""

    cameras: tuple[Device, ...] = ()
    screens: tuple[Device, ...] = ()


class CameraFinder:
    """Polled by the thread that owns it; ``close`` ends it."""

    def __init__(self) -> None:
        self._loader: BackgroundLoader[Devices] = BackgroundLoader()
        self._then: Callable[[Devices], None] | None = None
        self.known: Devices | None = None
        """What was found last; None before the first time."""

    def ask(self, then: Callable[[Devices], None]) -> None:
        """Look for devices; ``then`` gets them in a later ``poll``, unless another ask follows."""
        self._then = then
        self._loader.submit("cameras", find_devices)

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
        self.known = outcome.value or Devices()
        then, self._then = self._then, None
        if then is not None:
            then(self.known)

    def close(self) -> None:
        """Wait for nothing: what still looks is let go."""
        self._loader.close()


def find_cameras() -> tuple[Device, ...]:
    """List the cameras; it may take a while, for it loads OpenCV."""
    from kpviewer.sources.camera import list_cameras  # noqa: PLC0415

    return tuple(
        Device(str(camera.index), camera.name, camera.id or camera.name, camera.path or "")
        for camera in list_cameras()
    )


def find_devices() -> Devices:
    """List cameras and screens."""
    from kpviewer.sources.screen import list_screens  # noqa: PLC0415 - it loads OpenCV too

    cameras = find_cameras()
    screens = (Device(f"screen:{each.index}", each.name, each.name) for each in list_screens())
    return Devices(cameras, tuple(screens))


def first_camera(devices: Devices) -> str:
    """Name the first camera as a source; camera 0 where none is known, for its error's cure."""
    return next((camera.source for camera in devices.cameras), "0")
