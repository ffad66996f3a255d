"""Images and clients for tests of the service: by the application itself, or by a socket."""

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from fakes import TIMEOUT_S, FakeEngine, eventually
from PIL import Image

from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.serving.app import create_app
from kpviewer.serving.limits import Limits
from kpviewer.serving.server import Server, listen
from kpviewer.serving.service import Service

T = TypeVar("T")
HOST = "http://127.0.0.1:8000"


def image(number: int = 7, size_wh: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """Return an image file of one colour, of which ``FakeEngine`` reads the number."""
    file = io.BytesIO()
    Image.new("RGB", size_wh, (0, number // 256, number % 256)).save(file, kind, quality=100)
    return file.getvalue()


def served(
    ask: Callable[[httpx.AsyncClient], Awaitable[T]],
    engine: InferenceEngine | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> T:
    """Return what ``ask`` gets from a service of its own."""
    service = Service(engine or FakeEngine(), limits, **options)

    async def run() -> T:
        app = create_app(service)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=HOST) as client,
        ):
            return await ask(client)

    return asyncio.run(run())


@contextmanager
def server(
    engine: InferenceEngine | None = None, limits: Limits | None = None, **options: Any
) -> Iterator[tuple[Server, int]]:
    """Serve on a free port of this machine; return the server and the port."""
    service = Service(engine or FakeEngine(), limits, **options)
    running = Server(create_app(service), service)
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        thread = threading.Thread(target=running.run, args=([sock],))
        thread.start()
        try:
            eventually(lambda: running.started)
            yield running, port
        finally:
            running.should_exit = True
            thread.join(TIMEOUT_S)
            assert not thread.is_alive()
