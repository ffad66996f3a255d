"""A WebSocket of an ASGI application, without a socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

HOST = "127.0.0.1:8000"


class ClosedChannelError(Exception):
    """The application closed or refused the channel."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code)
        self.code, self.reason = code, reason
        """Code of the closing, or status of the refusal; and the reason of a closing."""


class Channel:
    """Client of one WebSocket, for the duration of an ``async with`` block."""

    def __init__(self, app: ASGIApp, path: str, *, origin: str = f"http://{HOST}") -> None:
        url = urlsplit(path)
        headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
        scope = {
            "type": "websocket", "path": url.path, "query_string": url.query.encode(),
            "headers": headers, "subprotocols": [], "client": ("127.0.0.1", 1), "scheme": "ws",
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        self._up: asyncio.Queue[Message] = asyncio.Queue()
        self._down: asyncio.Queue[Message] = asyncio.Queue()
        self._app, self._scope = app, scope

    async def __aenter__(self) -> Channel:
        self._up.put_nowait({"type": "websocket.connect"})
        call = self._app(self._scope, self._up.get, self._down.put)
        self._task = asyncio.ensure_future(call)
        try:
            await self._next("websocket.accept")
        except ClosedChannelError:
            await self._task
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._up.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self._task

    async def send(self, value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self._up.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> dict[str, Any]:
        return json.loads((await self._next("websocket.send"))["text"])

    async def until_state(self, **wanted: object) -> dict[str, Any]:
        """Read states until one has some values; return it."""
        while True:
            state = await self.receive()
            if state["kind"] == "state" and {name: state[name] for name in wanted} == wanted:
                return state

    async def _next(self, kind: str) -> Message:
        message = await self._down.get()
        if message["type"] != kind:
            code = message.get("code", message.get("status"))
            raise ClosedChannelError(code, message.get("reason") or "")
        return message
