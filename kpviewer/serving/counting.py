"""Counting and timing of requests, by route and status code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kpviewer.serving.failures import CLIENT_GONE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kpviewer.serving.metrics import Metrics

_OTHER = "other"
"""Path of requests to addresses that don't exist: hostile ones would fill the memory."""


class Counting:
    """ASGI middleware that counts requests and their time."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it once it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s, code = time.monotonic(), CLIENT_GONE

        async def counted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        path = scope["path"] if scope["path"] in self._paths else _OTHER
        try:
            await self._app(scope, receive, counted)
        finally:
            self._metrics.requests.labels(path, str(code)).inc()
            self._metrics.request_seconds.labels(path).observe(time.monotonic() - begun_s)
