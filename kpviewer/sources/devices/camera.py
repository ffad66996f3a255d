"""Cameras of this machine, read with OpenCV, and the list of their names."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.sources.base import Allocate, Captured, LiveSource, copy_into
from kpviewer.sources.naming import CameraRequest
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray, StreamInfo

BACKENDS = {
    "linux": cv2.CAP_V4L2,
    "win32": cv2.CAP_DSHOW,
    "darwin": cv2.CAP_AVFOUNDATION,
}
"""Camera interface by platform. If OpenCV chooses, it tries others and loses the timeouts."""

WARM_UP_READS = 5
"""Number of first reads that may fail, as some cameras fail them after power-on."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Camera of this machine."""

    index: int
    """Number on the command line."""
    name: str
    path: str | None
    id: str = ""
    """Id that stays when the camera is plugged in elsewhere, if known: "046d:082d Name"."""


OpenCapture = Callable[[int], cv2.VideoCapture]


def backend() -> int:
    """Return OpenCV's number of this system's camera interface."""
    return BACKENDS.get(sys.platform, cv2.CAP_ANY)


def list_cameras() -> list[Camera]:
    """Return the cameras of this machine by index; empty if there are none or they are unknown."""
    # This package imports cv2, so the guard must be imported first.
    from cv2_enumerate_cameras import enumerate_cameras, supported_backends  # noqa: PLC0415

    interface = backend()
    if interface not in supported_backends:
        return []
    found = (
        Camera(item.index, item.name, item.path, _id_of(item.vid, item.pid, item.name))
        for item in enumerate_cameras(interface)
    )
    return sorted(found, key=lambda camera: camera.index)


class CameraSource(LiveSource):
    """A FrameSource over a camera. Only the thread that opened it may use it, close included.

    Args:
        index: index in ``list_cameras``.
        name: display name; "camera 0" by default.
        request: requested format; None requests the default without a warning if it differs.
        id: id in ``list_cameras``. If the camera has another index when it is opened again, that
            index is opened. Empty: any camera with the index.
        open_capture: function that opens the capture; for tests.
        find: function that lists the cameras; for tests.
    """

    open_timeout_s = 15.0
    """Time limit for opening; some camera drivers are slower than disks and networks."""

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
        self.has_twin = False
        """Whether another camera has the id; then the camera is found again by its index alone."""
        self._has_been_open = False
        self._open_capture = open_capture or _open_capture
        self._capture: cv2.VideoCapture | None = None
        self._name = name or f"camera {index}"

    def open(self) -> StreamInfo:
        """Open the camera and read a first image, which has the actual size.

        Raises:
            SourceError: if there is no such camera, or it sends no image.
        """
        self.close()
        self._find_again()
        capture = self._open_capture(self._index)
        self._capture = capture
        if not capture.isOpened():
            self.close()
            path = Path(str(self._index))
            hint = f" For the file or folder, write ./{path}." if path.exists() else ""
            raise SourceError(
                f"Camera {self._index} can't be opened. Is it plugged in, not in use by another "
                f"program, and may you access it? 'kpviewer cameras' lists the cameras.{hint}"
            )
        self._request_format(capture)
        image = self._first_image(capture)
        if image is None:
            self.close()
            raise SourceError(
                f"Camera {self._index} is connected but sends no image. Is another program using "
                "it, or is its lid closed? Unplug it and plug it in again."
            )
        height, width = image.shape[:2]
        fps = capture.get(cv2.CAP_PROP_FPS)
        given_fps = fps if 1.0 <= fps <= 240.0 else None
        self._next_index, self._has_been_open = 0, True
        self._warning = self._difference(width, height, given_fps)
        self._info = StreamInfo(
            self._name, width, height, given_fps, None, is_live=True, is_seekable=False
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next image and return it; never None."""
        info, capture = self.info, self._capture
        assert capture is not None
        # isOpened() stays True when a camera is unplugged; only a failed read shows it.
        lost = SourceError(f"{self._name} sends no more images. Is it unplugged?")
        if not capture.grab():
            raise lost
        captured_ns = time.monotonic_ns()
        buffer = allocate(info.height, info.width)
        is_good, image = capture.retrieve(buffer)
        if not is_good or image is None:
            raise lost
        self._next_index += 1
        return Captured(
            self._in_buffer(np.asarray(image, np.uint8), buffer, allocate), captured_ns, None
        )

    def close(self) -> None:
        """Close the camera."""
        if self._capture is not None:
            self._capture.release()
        self._capture = self._info = None

    def _request_format(self, capture: cv2.VideoCapture) -> None:
        # The pixel format comes first, as sizes and rates depend on it.
        request = self._request or CameraRequest()
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*request.fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, request.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, request.height)
        capture.set(cv2.CAP_PROP_FPS, request.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def _find_again(self) -> None:
        """Set the index that the camera has after it was plugged in again.

        Raises:
            SourceError: if there are other cameras but not this one.
        """
        if not self._has_been_open or not self._id:
            return
        found = self._find()
        mine = [camera.index for camera in found if camera.id == self._id]
        if self._index in mine:
            return
        if mine and not self.has_twin:
            self._index = mine[0]
        elif found:
            raise SourceError(f"{self._name} is not plugged in. Plug it in again.")

    def _difference(self, width: int, height: int, fps: float | None) -> str | None:
        """Return a warning if the camera's format differs from the one that a user chose."""
        requested = self._request
        if requested is None:
            return None
        same_rate = fps is None or abs(fps - requested.fps) < 0.5
        if (width, height) == (requested.width, requested.height) and same_rate:
            return None
        given = f"{width}x{height}" + (f"@{fps:g}" if fps is not None else "")
        return (
            f"{self._name} sends {given} instead of the requested "
            f"{requested.width}x{requested.height}@{requested.fps:g}. Choose another format."
        )

    @staticmethod
    def _first_image(capture: cv2.VideoCapture) -> ImageArray | None:
        for _ in range(WARM_UP_READS):
            if capture.grab():
                is_good, image = capture.retrieve()
                if is_good and image is not None:
                    return np.asarray(image, np.uint8)
        return None

    @staticmethod
    def _in_buffer(image: ImageArray, buffer: ImageArray, allocate: Allocate) -> ImageArray:
        """Return the buffer with the image; OpenCV fills the given one only if the size matches."""
        if image.shape != buffer.shape:
            return copy_into(image, allocate)
        if not np.shares_memory(image, buffer):
            np.copyto(buffer, image)
        return buffer


def _id_of(vid: int | None, pid: int | None, name: str) -> str:
    return name if vid is None or pid is None else f"{vid:04x}:{pid:04x} {name}"


def _open_capture(index: int) -> cv2.VideoCapture:
    return cv2.VideoCapture(index, backend())
