"""``WS /stream``: frames up, detections down. The newest frame wins.

A client sends each frame as a binary message and gets one text message for each frame that the
model ran on. Frames that arrive while the model is busy replace each other, so answers are always
about the newest. ``index`` counts all frames of the stream: a gap shows what was left out. A client
that needs every frame answered sends the next one after the answer.
"""

import asyncio
import contextlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from kpviewer.serving.dependencies import ServiceOf
from kpviewer.serving.ending import until_one_ends
from kpviewer.serving.failures import answer_of, first_problem
from kpviewer.serving.limits import RequestError
from kpviewer.serving.queries import ThresholdQuery, check_once
from kpviewer.serving.service import Service
from kpviewer.structures import Thresholds

router = APIRouter()

_GOING_AWAY = 1001


@router.websocket("/stream")
async def stream(
    socket: WebSocket, query: Annotated[ThresholdQuery, Query()], service: ServiceOf
) -> None:
    """Detect in each frame that is the newest when the model is free."""
    try:
        check_once(socket.query_params)
        thresholds = query.thresholds(service.spec)
        with service.streams.entered():
            await socket.accept()
            await _Stream(socket, service, thresholds).run()
    except RequestError as error:
        await socket.send_denial_response(answer_of(error))


@router.get("/stream", include_in_schema=False)
def plain_request() -> None:
    """Refuse a request that isn't a WebSocket's, as behind a proxy that doesn't pass that on."""
    raise RequestError(
        426,
        "This address is a WebSocket's: open it by ws:// or wss://. A proxy must pass on the "
        "headers Upgrade and Connection.",
    )


class _Stream:
    """One open stream: a task receives, another detects and sends."""

    def __init__(self, socket: WebSocket, service: Service, thresholds: Thresholds) -> None:
        self._socket, self._service, self._thresholds = socket, service, thresholds
        self._newest: tuple[int, bytes, Thresholds] | None = None
        """Index and file of the newest frame, and the thresholds at its arrival."""
        self._has_newest = asyncio.Event()

    async def run(self) -> None:
        """Serve until the client goes, or sends nothing for too long."""
        with contextlib.suppress(WebSocketDisconnect):
            await until_one_ends(self._receive(), self._answer())

    async def _receive(self) -> None:
        """Keep the newest frame, and the thresholds of the newest text message."""
        index = 0
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                if self._newest is not None:
                    self._service.metrics.rejected.labels("replaced frame").inc()
                self._newest = (index, message["bytes"], self._thresholds)
                self._has_newest.set()
                index += 1
            else:
                await self._change(message.get("text") or "")

    async def _change(self, text: str) -> None:
        try:
            query = ThresholdQuery.model_validate_json(text)
            self._thresholds = query.thresholds(self._service.spec)
        except ValidationError as error:
            await self._send({"error": first_problem(error.errors())})
        except RequestError as error:
            await self._send({"error": str(error)})

    async def _answer(self) -> None:
        """Detect in the newest frame, until none has come for too long after an answer."""
        idle_s = self._service.limits.idle_s
        while True:
            try:
                async with asyncio.timeout(idle_s):
                    await self._has_newest.wait()
            except TimeoutError:
                await self._socket.close(_GOING_AWAY, f"No frame came for {idle_s:g} s.")
                return
            self._has_newest.clear()
            assert self._newest is not None
            (index, data, thresholds), self._newest = self._newest, None
            try:
                result = await self._service.detect(data, thresholds, "stream", index)
            except RequestError as error:
                await self._send({"index": index, "error": str(error)})
            else:
                await self._socket.send_text(self._service.json_of(result, thresholds))

    async def _send(self, value: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(value, ensure_ascii=False))
