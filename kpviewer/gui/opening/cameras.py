"""Cameras and screens of this machine, listed on a thread, as drivers may take their time.

The formats that a camera's driver lists are read with Qt's multimedia module.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from PyQt6.QtCore import QLoggingCategory

from kpviewer.config.settings import Settings
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.runtime.process.loading import Outcome
from kpviewer.sources.naming import CameraRequest, parse_camera

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
            named = f"{camera.source}:{settings.camera_formats.get(camera.id, '')}"
            return named if parse_camera(named) is not None else camera.source
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


FOURCC = {
    "Format_Jpeg": "MJPG",
    "Format_YUYV": "YUYV",
    "Format_UYVY": "UYVY",
    "Format_NV12": "NV12",
    "Format_NV21": "NV21",
    "Format_YUV420P": "YU12",
    "Format_YV12": "YV12",
    "Format_Y8": "GREY",
}
"""FourCC codes of V4L2, as OpenCV expects them, by Qt's names of pixel formats."""


def driver_formats(camera: Device) -> list[CameraRequest]:
    """List the formats of a camera: largest first, then fastest.

    The list is empty if Qt doesn't know the camera, or if its multimedia module can't be loaded (on
    Linux it requires PulseAudio's library).
    """
    found = [each for each in video_inputs() if _is(each, camera)]
    known = {fmt for each in found for fmt in map(_request, each.videoFormats()) if fmt}
    return sorted(known, key=lambda each: (-each.width * each.height, -each.fps, each.fourcc))


def video_inputs() -> Sequence[Any]:
    """List Qt's QCameraDevices; to be called on the GUI thread."""
    QLoggingCategory.setFilterRules("qt.multimedia.*=false")  # it logs each library that it tries
    try:
        from PyQt6.QtMultimedia import QMediaDevices  # noqa: PLC0415 - not on every machine
    except ImportError:
        return []
    return QMediaDevices.videoInputs()


def _is(found: Any, camera: Device) -> bool:
    """Return whether Qt's device is this camera: by its device file, else by its name."""
    path = bytes(found.id()).decode(errors="replace")
    return path.casefold() == camera.path.casefold() or found.description() == camera.name


def _request(offered: Any) -> CameraRequest | None:
    """Convert a QCameraFormat to a request to OpenCV; None for pixels without a FourCC code."""
    fourcc = FOURCC.get(offered.pixelFormat().name)
    if fourcc is None:
        return None
    size = offered.resolution()
    return CameraRequest(size.width(), size.height(), round(offered.maxFrameRate(), 2), fourcc)
