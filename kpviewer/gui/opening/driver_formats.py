"""The formats that a camera's driver lists, by Qt's multimedia module."""

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
"""By Qt's names of pixel formats: the codes of V4L2's headers, which OpenCV takes."""


def driver_formats(camera: Device) -> list[CameraRequest]:
    """List what a camera can give: largest first, then fastest.

    Empty where it can't be known: Qt has other names for the camera, or its multimedia module
    doesn't load (on Linux it wants PulseAudio's library).
    """
    found = [each for each in video_inputs() if _is(each, camera)]
    known = {wanted for each in found for wanted in map(_request, each.videoFormats()) if wanted}
    return sorted(known, key=lambda each: (-each.width * each.height, -each.fps, each.fourcc))


def video_inputs() -> Sequence[Any]:
    """List Qt's QCameraDevices; for the thread of the window."""
    QLoggingCategory.setFilterRules("qt.multimedia.*=false")  # it tells of each library it tries
    try:
        from PyQt6.QtMultimedia import QMediaDevices  # noqa: PLC0415 - not on every machine
    except ImportError:
        return []
    return QMediaDevices.videoInputs()


def _is(found: Any, camera: Device) -> bool:
    """Whether it is the same: by the path of its device, else by its name."""
    path = bytes(found.id()).decode(errors="replace")
    return path.casefold() == camera.path.casefold() or found.description() == camera.name


def _request(offered: Any) -> CameraRequest | None:
    """Turn a QCameraFormat into what OpenCV is asked for; None for pixels without a code."""
    fourcc = FOURCC.get(offered.pixelFormat().name)
    if fourcc is None:
        return None
    size = offered.resolution()
    return CameraRequest(size.width(), size.height(), round(offered.maxFrameRate(), 2), fourcc)
