"""Generated videos, which need no file and have exact ground truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kpviewer.sources.base import Allocate, Captured, OpenedSource, closed_error
from kpviewer.structures import GroundTruth, ImageArray, StreamInfo


class GeneratedVideo(OpenedSource):
    """FrameSource whose frames depend on their index alone.

    Args:
        info: description of the video, with frame rate and number of frames.
        prepare: function that loads and caches the data of all frames; raises SourceError.
        paint: function that fills a (height, width, 3) uint8 BGR buffer with a frame and returns
            its ground truth, or None if it has none.
    """

    open_timeout_s = 60.0
    """It waits for no device: where it takes long, the machine is busy."""

    def __init__(
        self,
        info: StreamInfo,
        prepare: Callable[[], object],
        paint: Callable[[int, ImageArray], GroundTruth | None],
    ) -> None:
        assert info.nominal_fps is not None and info.frame_count is not None
        self._name, self._described = info.name, info
        self._fps, self._count = info.nominal_fps, info.frame_count
        self._prepare, self._paint = prepare, paint

    def open(self) -> StreamInfo:
        """Load the data of the frames. Raises SourceError if that fails."""
        self._prepare()
        self._info, self._next_index = self._described, 0
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Paint the next frame into a buffer; None at the end. Raises SourceError if closed."""
        info = self.info
        if self._next_index >= self._count:
            return None
        index, self._next_index = self._next_index, self._next_index + 1
        bgr = allocate(info.height, info.width)
        ground_truth = self._paint(index, bgr)
        return Captured(bgr, time.monotonic_ns(), index / self._fps, ground_truth)

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one. Raises SourceError if closed."""
        if self._info is None:
            raise closed_error(self._name)
        self._next_index = min(max(index, 0), self._count)

    def close(self) -> None:
        """Close the source."""
        self._info = None


class GeneratedGroundTruth:
    """GroundTruthProvider of a generated video, which paints nothing."""

    def __init__(self, ground_truth_at: Callable[[int], GroundTruth]) -> None:
        self._ground_truth_at = ground_truth_at

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Do nothing: a generated video has no files."""

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of a frame."""
        return self._ground_truth_at(index)
