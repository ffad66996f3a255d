"""The streams of a grid as one source of frames, for a recording of the whole grid."""

import time
from collections.abc import Callable, Sequence

from kpviewer.gui.grid.layout import cells
from kpviewer.overlay import MosaicCell, OverlayStyle, render_mosaic
from kpviewer.pipeline.state.channels import Latest
from kpviewer.sources.base import Allocate, Captured, PolledSource, closed_error, copy_into
from kpviewer.structures import FrameResult, ImageArray, StreamInfo

FPS = 25.0
GAP_PX = 2


class MosaicStream:
    """Sink that keeps the newest result of one stream for the mosaic."""

    def __init__(self, caption: str) -> None:
        self.caption = caption
        self.is_dimmed = False
        """Whether the image is outdated."""
        self._newest: Latest[FrameResult] = Latest(lambda result: result.frame.release())
        self._result: FrameResult | None = None
        self._captured_ns = 0

    def accept(self, result: FrameResult) -> None:
        """Keep a result until a later one, or another one of its frame; on any thread."""
        if result.frame.captured_ns >= self._captured_ns:
            self._captured_ns = result.frame.captured_ns
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


class MosaicSource(PolledSource):
    """FrameSource that paints the newest results of all streams, 25 times a second."""

    def __init__(
        self,
        name: str,
        size_wh: tuple[int, int],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(FPS, sleep)
        self._name = name
        self.stream_info = StreamInfo(name, *size_wh, FPS, None, is_live=True, is_seekable=False)
        """Description of the frames, before it is opened, too."""
        self.streams: tuple[MosaicStream, ...] = ()
        """Streams from the upper left to the lower right; replaced as a whole."""
        self.style = OverlayStyle()
        """Style of the overlay; replaced as a whole."""
        self._size_wh = size_wh

    def open(self) -> StreamInfo:
        """Begin with the first frame."""
        return self._begin(self.stream_info)

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the time of the next frame, and paint it; never None.

        Raises:
            SourceError: if the source is closed.
        """
        if self._info is None:
            raise closed_error(self._name)
        captured_ns = self._wait()
        streams = [(each.caption, each.result(), each.is_dimmed) for each in self.streams]
        image = mosaic(streams, self._size_wh, self.style)
        self._next_index += 1
        return Captured(copy_into(image, allocate), captured_ns, None)

    def close(self) -> None:
        """Stop."""
        self._info = None
