"""Cameras and screens of this machine, listed on a thread, as drivers may take their time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from kpviewer.config.settings import Settings
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.runtime.loading import Outcome
from kpviewer.sources.naming import parse_camera

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A camera or a screen."""

    source: str
    """Name of the source: "0", "screen:1"."""
    name: str
    """Name for people."""
    id: str
    """Key of what is remembered about the device; the same after it is plugged in elsewhere."""
    path: str = ""
    """Device file, such as "/dev/video0"; empty if unknown."""


class Devices(NamedTuple):
    """Cameras and screens that can be opened."""

    cameras: tuple[Device, ...] = ()
    screens: tuple[Device, ...] = ()


class CameraFinder:
    """Looks for devices in the background; ``close`` ends it."""

    def __init__(self) -> None:
        self._loader = BackgroundLoader()
        self._then: Callable[[Devices], None] | None = None
        self.known: Devices | None = None
        """Devices that were found last; None before the first time."""

    def ask(self, then: Callable[[Devices], None]) -> None:
        """Look for devices; ``then`` gets them, unless another request follows."""
        self._then = then
        self._loader.submit("cameras", find_devices, self._on_found)

    def drop(self) -> None:
        """Drop the last request."""
        self._then = None

    def close(self) -> None:
        """Let go of a search that runs; doesn't wait for it."""
        self._loader.close()

    def _on_found(self, outcome: Outcome[Devices]) -> None:
        if outcome.failure is not None:
            _log.warning("Cameras can't be listed: %s", outcome.failure)
        self.known = outcome.value or Devices()
        then, self._then = self._then, None
        if then is not None:
            then(self.known)


def find_cameras() -> tuple[Device, ...]:
    """List the cameras; slow, as it loads OpenCV and asks drivers."""
    from kpviewer.sources.devices.camera import list_cameras  # noqa: PLC0415

    return tuple(
        Device(str(camera.index), camera.name, camera.id or camera.name, camera.path or "")
        for camera in list_cameras()
    )


def in_kept_format(text: str | None, settings: Settings) -> str | None:
    """Return the source to open for ``text``: cameras in their remembered formats.

    It lists the cameras, which may be slow.

    Args:
        text: source as typed; None opens the remembered camera.
        settings: what is remembered.
    """
    name = None if text else settings.camera
    typed = parse_camera(text) if text else None
    is_bare = typed is not None and typed.request is None
    if name is None and not (is_bare and settings.camera_formats):
        return text
    number = str(typed.index) if typed is not None else None
    for camera in find_cameras():
        if camera.name == name or camera.source == number:
            kept = settings.camera_formats.get(camera.id)
            return f"{camera.source}:{kept}" if kept else camera.source
    return text


def find_devices() -> Devices:
    """List cameras and screens."""
    from kpviewer.sources.devices.screen import list_screens  # noqa: PLC0415 - it loads OpenCV too

    cameras = find_cameras()
    screens = (Device(f"screen:{each.index}", each.name, each.name) for each in list_screens())
    return Devices(cameras, tuple(screens))


def first_camera(devices: Devices) -> str:
    """Return the source name of the first camera; "0" if none is known, for its error message."""
    return next((camera.source for camera in devices.cameras), "0")
