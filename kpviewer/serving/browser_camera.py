"""The camera of a viewer, such as a phone's, as a source of frames.

The browser sends video; whoever receives it calls ``offer`` with every decoded frame. The pipeline
reads the newest one, so a slow model delays nothing.
"""

import threading
import time
from typing import Any

from av import VideoFrame

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    LiveSource,
    closed_error,
    copy_into,
)
from kpviewer.structures import StreamInfo


class BrowserCamera(LiveSource):
    """FrameSource of frames that another thread offers; ends when no more will come."""

    _name = "a viewer's camera"

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: tuple[VideoFrame, int] | None = None
        """Frame that wasn't read yet, and the time in ns when it came."""
        self._is_over = False
        self._is_interrupted = False

    # -- for the receiver ---------------------------------------------------------------------

    def offer(self, frame: VideoFrame) -> None:
        """Replace the frame that waits."""
        with self._changed:
            self._waiting = frame, time.monotonic_ns()
            self._changed.notify_all()

    def end(self) -> None:
        """Note that no more frames will come."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    # -- FrameSource ----------------------------------------------------------------------------

    def open(self) -> StreamInfo:
        """Wait for a frame, and return its size.

        Raises:
            SourceError: if none comes.
        """
        self._is_interrupted = False
        frame, _ = self._wait(OPEN_TIMEOUT_S)
        self._info = StreamInfo(
            self._name, frame.width, frame.height, None, None, is_live=True, is_seekable=False
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured:
        """Return the newest frame, once there is one that wasn't read."""
        if self._info is None:
            raise closed_error(self._name)
        frame, received_ns = self._wait(READ_TIMEOUT_S)
        with self._changed:
            if self._waiting is not None and self._waiting[0] is frame:
                self._waiting = None
        pixels: Any = frame.to_ndarray(format="bgr24")  # uint8, as other formats needn't be
        bgr = copy_into(pixels, allocate)
        self._next_index += 1
        return Captured(bgr, received_ns, None)

    def interrupt(self) -> None:
        """Make a waiting ``open`` or ``read`` raise SourceError; from any thread."""
        with self._changed:
            self._is_interrupted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Read no more; idempotent."""
        self._info = None

    def _wait(self, timeout_s: float) -> tuple[VideoFrame, int]:
        """Wait for a frame, which stays waiting."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._is_over or self._is_interrupted, timeout_s
            )
            if self._is_over or self._is_interrupted or self._waiting is None:
                raise SourceError("The camera of the viewer sends no images. Is its page open?")
            return self._waiting
