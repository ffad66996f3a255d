"""The live page: its files, its stream by WebRTC and MJPEG, and its state channel."""

import asyncio
import contextlib
import ipaddress
import secrets
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from kpviewer.errors import InputError
from kpviewer.serving import page_files
from kpviewer.serving.bodies import body_in
from kpviewer.serving.dependencies import ServiceOf
from kpviewer.serving.ending import until_one_ends
from kpviewer.serving.limits import Gate, RequestError
from kpviewer.serving.live import LiveStream
from kpviewer.serving.live_state import LiveState, change_of, greeting
from kpviewer.serving.mjpeg import MjpegResponse
from kpviewer.serving.newest import ClosedError
from kpviewer.serving.offers import LONGEST_OFFER
from kpviewer.serving.service import Service
from kpviewer.serving.webrtc import PeerLimits, PeerOptions, Peers

STATE_S = 0.25
"""Interval of the messages on the state channel; changes are sent at once."""
_GOING_AWAY, _INVALID, _BUSY = 1001, 1008, 1013
"""Codes of closed WebSockets (RFC 6455, and IANA's registry)."""
_LONGEST_REASON = 123
"""Bytes of a reason (RFC 6455)."""
_MOST_VIEWERS = 32
"""Number of MJPEG clients, and of state channels."""


router = APIRouter(include_in_schema=False)


class Live:
    """A live stream with its viewers, for the routes below."""

    router: ClassVar[APIRouter] = router
    """Routes of the page."""

    def __init__(
        self, stream: LiveStream, service: Service, limits: PeerLimits | None = None
    ) -> None:
        limits = limits or PeerLimits()
        refused = service.metrics.rejected.labels("busy").inc
        self.stream, self.token = stream, service.token
        places = Gate(limits.peers, f"All {limits.peers} WebRTC connections are in use.", refused)
        self.peers = Peers(stream, places, limits)
        self.viewers: set[str] = set()
        """Names of the open pages."""
        self.mjpeg = Gate(_MOST_VIEWERS, f"{_MOST_VIEWERS} viewers watch by MJPEG.", refused)
        self.channels = Gate(_MOST_VIEWERS, f"{_MOST_VIEWERS} pages are open.", refused)
        service.at_close(stream.let_go)  # responses and channels last as long as the stream

    async def close(self) -> None:
        """End the connections and the stream."""
        await self.peers.close()
        await asyncio.to_thread(self.stream.close)


def live_of(connection: HTTPConnection) -> Live:
    """Return the live stream of a request or WebSocket."""
    live: Live = connection.app.state.live
    return live


LiveOf = Annotated[Live, Depends(live_of)]
"""Parameter of a route that holds the live stream."""


class OfferMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /live/offer``."""

    viewer: str
    """Name of the page, from the first message of its state channel."""
    sdp: str
    camera: bool = False
    """Whether the browser sends its camera's video, to be the source."""


# -- files --------------------------------------------------------------------------------------


@router.get("/")
def index(live: LiveOf) -> Response:
    """Return the page."""
    return page_files.index(live.token).response()


@router.get("/icon.svg")
def icon() -> Response:
    """Return the icon."""
    return page_files.icon()


@router.get("/page/{name}")
def page_file(name: str) -> Response:
    """Return a file of the page."""
    if name not in page_files.NAMES:
        raise RequestError(404, "The page has no such file.")
    return page_files.page_file(name).response()


# -- stream -------------------------------------------------------------------------------------


@router.get("/live.mjpg")
async def mjpeg(live: LiveOf) -> Response:
    """Send the annotated stream as MJPEG."""
    return MjpegResponse(live.stream, live.mjpeg)


@router.post("/live/offer")
async def offer(request: Request, live: LiveOf, service: ServiceOf) -> Response:
    """Answer the WebRTC offer of a browser."""
    body = await body_in(request, replace(service.limits, max_bytes=2 * LONGEST_OFFER))
    try:
        message = msgspec.json.decode(body, type=OfferMessage)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RequestError(422, f"The offer must be JSON as the page sends it: {error}.") from error
    if message.viewer not in live.viewers:
        raise RequestError(409, "The page's state channel is closed. Open the page again.")
    options = PeerOptions(message.viewer, message.camera, looks_up=not _is_here(request))
    return JSONResponse({"type": "answer", "sdp": await live.peers.answer(message.sdp, options)})


def _is_here(request: Request) -> bool:
    """Return whether a request comes from this machine."""
    host = request.client.host if request.client is not None else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a test, or a Unix socket
        return True


# -- state --------------------------------------------------------------------------------------


@router.websocket("/live/state")
async def state(socket: WebSocket, live: LiveOf) -> None:
    """Send what the page shows, and receive what its viewer changes."""
    await socket.accept()
    viewer = secrets.token_urlsafe(9)
    try:
        with live.channels.entered(), live.stream.watching(is_viewer=False):
            live.viewers.add(viewer)
            sending = _send_states(socket, live.stream, viewer)
            await until_one_ends(sending, _receive_changes(socket, live.stream))
    except RequestError as error:
        await _close(socket, _BUSY, str(error))
    except InputError as error:
        await _close(socket, _INVALID, str(error))
    except ClosedError:
        await _close(socket, _GOING_AWAY, "The service is stopping.")
    except WebSocketDisconnect:
        pass
    finally:
        live.viewers.discard(viewer)
        live.peers.drop(viewer)


async def _send_states(socket: WebSocket, stream: LiveStream, viewer: str) -> None:
    await _send(socket, greeting(stream.spec, viewer))
    changes = 0
    before: LiveState | None = None
    while True:
        now = stream.state()
        if now != before:
            await _send(socket, now)
            before = now
        with contextlib.suppress(TimeoutError):
            changes = (await stream.changes.after(changes, STATE_S)).number


async def _receive_changes(socket: WebSocket, stream: LiveStream) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        stream.apply(change_of(message.get("text") or message.get("bytes") or b""))


async def _send(socket: WebSocket, message: LiveState | dict[str, Any]) -> None:
    await socket.send_text(msgspec.json.encode(message).decode())


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone
        await socket.close(code, reason.encode()[:_LONGEST_REASON].decode(errors="ignore"))
