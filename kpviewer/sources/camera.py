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


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What a camera is asked for; it gives what it can."""

    width: int = 1280
    height: int = 720
    fps: float = 30.0


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
    found = (Camera(item.index, item.name, item.path) for item in enumerate_cameras(wanted))
    return sorted(found, key=lambda camera: camera.index)


class CameraSource:
    """A FrameSource over a camera. Only the thread that opened it may use it, close included.

    Args:
        index: of ``list_cameras``.
        name: for people; "camera 0" if left out.
        request: size and rate to ask for.
        open_capture: makes the capture; for tests.
    """

    warning: str | None = None

    def __init__(
        self,
        index: int,
        *,
        name: str | None = None,
        request: CameraRequest | None = None,
        open_capture: OpenCapture | None = None,
    ) -> None:
        self._index = index
        self._request = request or CameraRequest()
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
    def next_index(self) -> int:
        """Number of frames read so far."""
        return self._next_index

    def open(self) -> StreamInfo:
        """Switch the camera on and take a first picture, to see its real size.

        Raises:
            SourceError: if there is no such camera, or it gives no picture.
        """
        self.close()
        capture = self._open_capture(self._index)
        self._capture = capture
        if not capture.isOpened():
            self.close()
            raise SourceError(
                f"Camera {self._index} can't be opened. Is it plugged in, free of other programs "
                "and allowed to you? 'kpviewer cameras' lists what there is."
            )
        self._ask(capture)
        picture = self._first_picture(capture)
        if picture is None:
            self.close()
            raise SourceError(
                f"Camera {self._index} is there but gives no picture. Is another program using it, "
                "or its lid closed? Unplug it and plug it in again."
            )
        height, width = picture.shape[:2]
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._next_index = 0
        self._info = StreamInfo(
            self._name,
            width,
            height,
            fps if 1.0 <= fps <= 240.0 else None,
            None,
            is_live=True,
            is_seekable=False,
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next picture; never None.

        Raises:
            SourceError: if the source is closed, or the camera lost.
        """
        capture, info = self._capture, self.info
        if capture is None:
            raise closed_error(self._name)
        # isOpened() stays True when a camera is unplugged: a failed read is all that tells.
        lost = SourceError(f"{self._name} gives no more pictures. Is it unplugged?")
        if not capture.grab():
            raise lost
        captured_ns = time.monotonic_ns()
        buffer = allocate(info.height, info.width)
        is_good, picture = capture.retrieve(buffer)
        if not is_good or picture is None:
            raise lost
        self._next_index += 1
        return Captured(self._in_buffer(picture, buffer, allocate), captured_ns, None)

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
        # MJPG first: over USB 2 the raw format has 10 frames a second at 1280x720.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._request.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._request.height)
        capture.set(cv2.CAP_PROP_FPS, self._request.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    @staticmethod
    def _first_picture(capture: Capture) -> ImageArray | None:
        for _ in range(WARM_UP_READS):
            if capture.grab():
                is_good, picture = capture.retrieve()
                if is_good and picture is not None:
                    return np.asarray(picture, np.uint8)
        return None

    @staticmethod
    def _in_buffer(picture: ImageArray, buffer: ImageArray, allocate: Allocate) -> ImageArray:
        """Give the buffer that holds the picture: OpenCV fills ours only if the size is right."""
        if picture.shape != buffer.shape:
            return copy_into(picture, allocate)
        if not np.shares_memory(picture, buffer):
            np.copyto(buffer, picture)
        return buffer


def _open_capture(index: int) -> Capture:
    return cv2.VideoCapture(index, backend())
