"""The demo: a film of 20 s that needs no camera and no file, and knows its own truth."""

from __future__ import annotations

import time

from kpviewer.sources.base import Allocate, Captured, closed_error
from kpviewer.sources.demo_scene import FRAME_COUNT, HEIGHT, WIDTH, render
from kpviewer.sources.portraits import collins, hopper
from kpviewer.structures import StreamInfo

FPS = 30.0
INFO = StreamInfo("demo", WIDTH, HEIGHT, FPS, FRAME_COUNT, is_live=False, is_seekable=True)


class DemoSource:
    """A FrameSource over ``demo_scene``: every frame depends on its index alone."""

    warning: str | None = None

    def __init__(self) -> None:
        self._is_open = False
        self._next_index = 0

    @property
    def info(self) -> StreamInfo:
        """Size, rate and length of the film."""
        if not self._is_open:
            raise closed_error(INFO.name)
        return INFO

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` gives."""
        return self._next_index

    def open(self) -> StreamInfo:
        """Load the portraits. Raises SourceError if a picture is missing."""
        hopper(), collins()
        self._is_open, self._next_index = True, 0
        return INFO

    def read(self, allocate: Allocate) -> Captured | None:
        """Paint the next frame into a buffer; None after the last. Raises SourceError if closed."""
        if not self._is_open:
            raise closed_error(INFO.name)
        if self._next_index >= FRAME_COUNT:
            return None
        index, self._next_index = self._next_index, self._next_index + 1
        bgr = allocate(HEIGHT, WIDTH)
        truth = render(index, bgr)
        return Captured(bgr, time.monotonic_ns(), index / FPS, truth)

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one. Raises SourceError if closed."""
        if not self._is_open:
            raise closed_error(INFO.name)
        self._next_index = min(max(index, 0), FRAME_COUNT)

    def close(self) -> None:
        """Forget the position; the portraits stay in memory for the next time."""
        self._is_open = False
