"""Images and clients for tests of the service. No socket: requests go to the application itself."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
from fakes import FakeEngine
from PIL import Image

from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.serving.app import create_app
from kpviewer.serving.limits import Limits
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
