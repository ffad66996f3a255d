"""Live streams for tests: a model that finds three boxes in anything, and fake sources."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import numpy as np
from clients import HOST
from fakes import TIMEOUT_S, FakeSource, FakeTimings
from fastapi import FastAPI

from kpviewer.models.spec import ModelSpec, Task
from kpviewer.serving.annotating import LiveOptions
from kpviewer.serving.app import create_app
from kpviewer.serving.live import LiveStream
from kpviewer.serving.live_routes import Live
from kpviewer.serving.service import Service
from kpviewer.serving.webrtc import PeerLimits
from kpviewer.sources.base import FrameSource
from kpviewer.structures import Candidates, ImageArray

T = TypeVar("T")
SPEC = ModelSpec("three", "three", Task.DETECT, ("cat", "dog"), (24, 32), score_threshold=0.5)


@dataclass
class ThreeBoxes:
    """Engine that finds two cats (0.9 and 0.6) and a dog (0.3) in every image, far apart."""

    spec: ModelSpec = SPEC
    runs: int = 0

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        self.runs += 1
        boxes = np.array([[0, 0, 9, 9], [12, 0, 21, 9], [0, 12, 9, 21]], np.float32)
        scores = np.array([[0.9, 0], [0.6, 0], [0, 0.3]], np.float32)
        return Candidates(boxes, scores, np.zeros((3, 0, 2), np.float32)), FakeTimings()


def long_video() -> FakeSource:
    """Return a video that outlasts a test."""
    return FakeSource(100_000)


@contextmanager
def running(
    make_source: Callable[[], FrameSource] = long_video,
    engine: ThreeBoxes | None = None,
    options: LiveOptions | None = None,
) -> Iterator[LiveStream]:
    """Run a stream for the duration of a block."""
    stream = LiveStream(make_source, engine or ThreeBoxes(), options=options)
    stream.start()
    try:
        yield stream
    finally:
        stream.close()


def until(stream: LiveStream, is_true: Callable[[], bool]) -> None:
    """Watch a stream until a condition is true after one of the frames painted meanwhile."""

    async def wait() -> None:
        number = 0
        async with asyncio.timeout(TIMEOUT_S):
            while stream.frames.held is None or not is_true():
                number = (await stream.frames.after(number)).number

    with stream.watching():
        asyncio.run(wait())


def served_live(
    ask: Callable[[httpx.AsyncClient, FastAPI], Awaitable[T]],
    make_source: Callable[[], FrameSource] = long_video,
    limits: PeerLimits | None = None,
    host: str = "127.0.0.1",
    **options: Any,
) -> T:
    """Return what ``ask`` gets from a service with a live stream; ``host`` is the client's."""
    service = Service(ThreeBoxes(), **options)
    stream = LiveStream(make_source, service.engine)
    live = Live(stream, service, limits)

    async def run() -> T:
        app = create_app(service, live)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(host, 123))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=HOST) as client,
            asyncio.timeout(TIMEOUT_S),
        ):
            return await ask(client, app)

    stream.start()
    try:
        return asyncio.run(run())
    finally:
        stream.close()
