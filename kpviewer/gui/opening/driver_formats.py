"""Formats that a camera's driver lists, read with Qt's multimedia module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import QLoggingCategory

from kpviewer.gui.opening.cameras import Device
from kpviewer.sources.naming import CameraRequest

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
