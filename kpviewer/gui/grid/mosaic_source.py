"""The streams of a grid as one source of frames, for a recording of the whole grid."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from kpviewer.gui.grid.layout import cells
from kpviewer.overlay import MosaicCell, OverlayStyle, render_mosaic
from kpviewer.pipeline.state.channels import Latest
from kpviewer.sources.base import Allocate, Captured, closed_error, seek_error
from kpviewer.structures import FrameResult, ImageArray, StreamInfo

FPS = 25.0
GAP_PX = 2
_NS = 1_000_000_000


class MosaicStream:
    """Sink that keeps the newest result of one stream for the mosaic."""

    def __init__(self, caption: str) -> None:
        self.caption = caption
        self.is_dimmed = False
        """Whether the image is outdated."""
        self._newest: Latest[FrameResult] = Latest(lambda result: result.frame.release())
        self._result: FrameResult | None = None

    def accept(self, result: FrameResult) -> None:
        """Keep a result until the next one; called on the inference thread."""
        result.frame.retain()
        self._newest.put(result)

    def result(self) -> FrameResult | None:
        """Return the newest result, which is held until the next call; on the mosaic's thread."""
        newest = self._newest.take()
        if newest is not None:
            self._release()
            self._result = newest
        return self._result

    def clear(self) -> None:
        """Release the results, once neither thread uses them any more."""
        self._newest.clear()
        self._release()

    def _release(self) -> None:
        result, self._result = self._result, None
        if result is not None:
            result.frame.release()


def mosaic(
    streams: Sequence[tuple[str, FrameResult | None, bool]],
    size_wh: tuple[int, int],
    style: OverlayStyle,
) -> ImageArray:
    """Return an (H, W, 3) uint8 image of streams in the layout of the grid."""
    places = cells(len(streams), *size_wh, GAP_PX)
    return render_mosaic(
        [MosaicCell(place, *stream) for place, stream in zip(places, streams, strict=True)],
        size_wh,
        style,
    )


class MosaicSource:
    """FrameSource that paints the newest results of all streams, 25 times a second."""

    warning: str | None = None

    def __init__(
        self,
        name: str,
        size_wh: tuple[int, int],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.stream_info = StreamInfo(name, *size_wh, FPS, None, is_live=True, is_seekable=False)
        """Description of the frames, before it is opened, too."""
        self.streams: tuple[MosaicStream, ...] = ()
        """Streams from the upper left to the lower right; replaced as a whole."""
        self.style = OverlayStyle()
        """Style of the overlay; replaced as a whole."""
        self._size_wh, self._sleep = size_wh, sleep
        self._is_open = False
        self._due_ns = 0
        self.next_index = 0
        """Number of frames read so far."""

    @property
    def info(self) -> StreamInfo:
        """Size and rate of the frames."""
        if not self._is_open:
            raise closed_error(self.stream_info.name)
        return self.stream_info

    def open(self) -> StreamInfo:
        """Begin with the first frame."""
        self._is_open = True
        self.next_index = self._due_ns = 0
        return self.stream_info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the time of the next frame, and paint it; never None.

        Raises:
            SourceError: if the source is closed.
        """
        if not self._is_open:
            raise closed_error(self.stream_info.name)
        now_ns = time.monotonic_ns()
        if self._due_ns > now_ns:
            self._sleep((self._due_ns - now_ns) / _NS)
        self._due_ns = max(self._due_ns, now_ns) + round(_NS / FPS)
        captured_ns = time.monotonic_ns()
        streams = [(each.caption, each.result(), each.is_dimmed) for each in self.streams]
        image = mosaic(streams, self._size_wh, self.style)
        buffer = allocate(image.shape[0], image.shape[1])
        np.copyto(buffer, image)
        self.next_index += 1
        return Captured(buffer, captured_ns, None)

    def seek(self, index: int) -> None:
        """Raise SourceError: a grid is not seekable."""
        raise seek_error(self.stream_info.name)

    def close(self) -> None:
        """Stop."""
        self._is_open = False
