"""Cameras of this machine, through OpenCV, and the list of them by name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.sources.base import Allocate, Captured, closed_error, copy_into, seek_error
from kpviewer.sources.naming import CameraRequest
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray, StreamInfo

BACKENDS = {
    "linux": cv2.CAP_V4L2,
    "win32": cv2.CAP_DSHOW,
    "darwin": cv2.CAP_AVFOUNDATION,
}
"""Named outright: left to choose, OpenCV tries others too, and forgets the timeouts."""

WARM_UP_READS = 5
"""Some cameras fail the first reads after they are switched on."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that this machine has."""

    index: int
    """What the command line takes."""
    name: str
    path: str | None
    id: str = ""
    """The same after it was plugged in elsewhere, where the system tells: "046d:082d Name"."""


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used here."""

    def isOpened(self) -> bool: ...  # noqa: D102

    def set(self, prop: int, value: float, /) -> bool: ...  # noqa: D102

    def get(self, prop: int, /) -> float: ...  # noqa: D102

    def grab(self) -> bool: ...  # noqa: D102

    def retrieve(self, image: Any = ..., /) -> tuple[bool, Any]: ...  # noqa: D102

    def release(self) -> None: ...  # noqa: D102


OpenCapture = Callable[[int], Capture]


def backend() -> int:
    """Give OpenCV's number of this system's camera interface."""
    return BACKENDS.get(sys.platform, cv2.CAP_ANY)


def list_cameras() -> list[Camera]:
    """List the cameras of this machine by index; empty where there is none or it can't be known."""
    # It imports cv2 itself, so it comes after the guard.
    from cv2_enumerate_cameras import (  # noqa: PLC0415
        enumerate_cameras,
        supported_backends,
    )

    wanted = backend()
    if wanted not in supported_backends:
        return []
    found = (
        Camera(item.index, item.name, item.path, _id_of(item.vid, item.pid, item.name))
        for item in enumerate_cameras(wanted)
    )
    return sorted(found, key=lambda camera: camera.index)


class CameraSource:
    """A FrameSource over a camera. Only the thread that opened it may use it, close included.

    Args:
        index: of ``list_cameras``.
        name: for people; "camera 0" if left out.
        request: what to ask for; None is the usual, which may be had or not.
        id: of ``list_cameras``: where another index has it when it is opened again, that one is
            opened. Empty: whatever has the index.
        open_capture: makes the capture; for tests.
        find: lists the cameras; for tests.
    """

    open_timeout_s = 15.0
    """Some drivers take longer to open a camera than a disk or a network may."""

    def __init__(
        self,
        index: int,
        *,
        name: str | None = None,
        request: CameraRequest | None = None,
        id: str = "",
        open_capture: OpenCapture | None = None,
        find: Callable[[], list[Camera]] = list_cameras,
    ) -> None:
        self._index, self._id, self._find = index, id, find
        self._request = request
        self._has_been_open = False
        self._warning: str | None = None
        self._open_capture = open_capture or _open_capture
        self._capture: Capture | None = None
        self._info: StreamInfo | None = None
        self._next_index = 0
        self._name = name or f"camera {index}"

    @property
    def info(self) -> StreamInfo:
        """What the camera really gives."""
        if self._info is None:
            raise closed_error(self._name)
        return self._info

    @property
    def warning(self) -> str | None:
        """In what the camera gives another format than it was asked for."""
        return self._warning

    @property
    def next_index(self) -> int:
        """Number of frames read so far."""
        return self._next_index

    def open(self) -> StreamInfo:
        """Switch the camera on and take a first image, to see its real size.

        Raises:
            SourceError: if there is no such camera, or it gives no image.
        """
        self.close()
        self._find_again()
        capture = self._open_capture(self._index)
        self._capture = capture
        if not capture.isOpened():
            self.close()
            raise SourceError(
                f"Camera {self._index} can't be opened. Is it plugged in, free of other programs "
                "and allowed to you? 'kpviewer cameras' lists what there is."
            )
        self._ask(capture)
        image = self._first_image(capture)
        if image is None:
            self.close()
            raise SourceError(
                f"Camera {self._index} is there but gives no image. Is another program using it, "
                "or its lid closed? Unplug it and plug it in again."
            )
        height, width = image.shape[:2]
        fps = capture.get(cv2.CAP_PROP_FPS)
        fps_given = fps if 1.0 <= fps <= 240.0 else None
        self._next_index, self._has_been_open = 0, True
        self._warning = self._difference(width, height, fps_given)
        self._info = StreamInfo(
            self._name, width, height, fps_given, None, is_live=True, is_seekable=False
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next image; never None.

        Raises:
            SourceError: if the source is closed, or the camera lost.
        """
        capture, info = self._capture, self.info
        if capture is None:
            raise closed_error(self._name)
        # isOpened() stays True when a camera is unplugged: a failed read is all that tells.
        lost = SourceError(f"{self._name} gives no more images. Is it unplugged?")
        if not capture.grab():
            raise lost
        captured_ns = time.monotonic_ns()
        buffer = allocate(info.height, info.width)
        is_good, image = capture.retrieve(buffer)
        if not is_good or image is None:
            raise lost
        self._next_index += 1
        return Captured(self._in_buffer(image, buffer, allocate), captured_ns, None)

    def seek(self, index: int) -> None:
        """Raise SourceError: a camera has no way back."""
        if self._capture is None:
            raise closed_error(self._name)
        raise seek_error(self._name)

    def close(self) -> None:
        """Switch the camera off."""
        if self._capture is not None:
            self._capture.release()
        self._capture = self._info = None

    def _ask(self, capture: Capture) -> None:
        # The pixel format first: sizes and rates depend on it.
        request = self._request or CameraRequest()
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*request.fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, request.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, request.height)
        capture.set(cv2.CAP_PROP_FPS, request.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def _find_again(self) -> None:
        """Follow the camera to the number that it has since it was plugged in again.

        Raises:
            SourceError: if other cameras are there and this one is not.
        """
        if not self._has_been_open or not self._id:
            return
        found = self._find()
        mine = [camera.index for camera in found if camera.id == self._id]
        if mine:
            self._index = self._index if self._index in mine else mine[0]
        elif found:
            raise SourceError(f"{self._name} is not plugged in. Plug it in again.")

    def _difference(self, width: int, height: int, fps: float | None) -> str | None:
        """Say where the camera gives something else than somebody chose."""
        asked = self._request
        if asked is None:
            return None
        same_rate = fps is None or abs(fps - asked.fps) < 0.5
        if (width, height) == (asked.width, asked.height) and same_rate:
            return None
        given = f"{width}x{height}" + (f"@{fps:g}" if fps is not None else "")
        return (
            f"{self._name} gives {given}, not the {asked.width}x{asked.height}@{asked.fps:g} "
            "that was asked for. Choose another format."
        )

    @staticmethod
    def _first_image(capture: Capture) -> ImageArray | None:
        for _ in range(WARM_UP_READS):
            if capture.grab():
                is_good, image = capture.retrieve()
                if is_good and image is not None:
                    return np.asarray(image, np.uint8)
        return None

    @staticmethod
    def _in_buffer(image: ImageArray, buffer: ImageArray, allocate: Allocate) -> ImageArray:
        """Give the buffer that holds the image: OpenCV fills ours only if the size is right."""
        if image.shape != buffer.shape:
            return copy_into(image, allocate)
        if not np.shares_memory(image, buffer):
            np.copyto(buffer, image)
        return buffer


def _id_of(vid: int | None, pid: int | None, name: str) -> str:
    return name if vid is None or pid is None else f"{vid:04x}:{pid:04x} {name}"


def _open_capture(index: int) -> Capture:
    return cv2.VideoCapture(index, backend())
