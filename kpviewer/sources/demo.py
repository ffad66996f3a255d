"""The demo: a film of 20 s that needs no camera and no file, and knows its own ground truth."""

from __future__ import annotations

from kpviewer.sources.demo_scene import FRAME_COUNT, HEIGHT, WIDTH, render
from kpviewer.sources.painted import PaintedFilm
from kpviewer.sources.portraits import collins, hopper
from kpviewer.structures import StreamInfo

FPS = 30.0
INFO = StreamInfo("demo", WIDTH, HEIGHT, FPS, FRAME_COUNT, is_live=False, is_seekable=True)


class DemoSource(PaintedFilm):
    """The film of ``demo_scene``; the portraits stay in memory for the next time."""

    def __init__(self) -> None:
        super().__init__(INFO, lambda: (hopper(), collins()), render)
