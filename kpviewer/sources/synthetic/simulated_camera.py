"""Simulated camera: a video whose images come at its own rate, whether they are read or not."""

import time
from dataclasses import replace

from kpviewer.sources.base import (
    Allocate,
    Captured,
    FrameSource,
    LiveSource,
    closed_error,
    seek_error,
)
from kpviewer.structures import StreamInfo

_FPS = 30.0
"""Rate of a video that has none."""
_NS = 1_000_000_000


class SimulatedCamera(LiveSource):
    """Live FrameSource of a seekable video, which begins again at its end.

    A reader that comes late gets the newest image; those before it are lost, as with a camera.

    Args:
        video: seekable source whose frames are fast to read, such as a generated one.
        delay_s: time of the first image after ``open``, in s: cameras aren't synchronised.
    """

    _name = "The simulated camera"

    def __init__(self, video: FrameSource, delay_s: float = 0.0) -> None:
        self._video, self._delay_s = video, delay_s
        self._frames, self._interval_ns = 1, _NS
        self._began_ns = 0

    def open(self) -> StreamInfo:
        """Open the video; the first image comes after the delay.

        Raises:
            SourceError: if the video can't be opened, or isn't seekable.
        """
        video = self._video.open()
        if not video.is_seekable or not video.frame_count:
            raise seek_error(video.name)
        self._frames = video.frame_count
        self._interval_ns = round(_NS / (video.nominal_fps or _FPS))
        self._began_ns = time.monotonic_ns() + round(self._delay_s * _NS)
        self._next_index = 0
        self._info = replace(video, is_live=True, is_seekable=False, frame_count=None)
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next image, or return the newest if several have come since the last."""
        name = self.info.name
        newest = (time.monotonic_ns() - self._began_ns) // self._interval_ns
        index = max(self._next_index, newest)
        came_ns = self._began_ns + index * self._interval_ns
        time.sleep(max(came_ns - time.monotonic_ns(), 0) / _NS)
        self._video.seek(index % self._frames)
        captured = self._video.read(allocate)
        if captured is None:
            raise closed_error(name)
        self._next_index = index + 1
        return replace(captured, captured_ns=came_ns, position_s=None)

    def close(self) -> None:
        """Close the video."""
        self._video.close()
        self._info = None
