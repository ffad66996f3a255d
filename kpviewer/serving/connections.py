"""Time limits of connections: for the head of a request, and for the reading of an answer.

uvicorn limits neither. Routes limit the time of bodies and answers themselves.
"""

import asyncio
import socket
from asyncio import BaseTransport, TimerHandle, Transport

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from kpviewer.serving.failures import answer_of, reject
from kpviewer.serving.limits import BusyError, RequestError

HEAD_S = 10.0
"""Time for the head of a request, from the connection or the last answer."""
MOST_CONNECTIONS = 512
"""Open connections above which further requests are refused."""
READ_S = 30.0
"""Time for a client to read what was sent to it."""


class _ReadInTime:
    """Mixin of an asyncio protocol that aborts a connection whose client reads nothing."""

    transport: Transport
    loop: asyncio.AbstractEventLoop
    _unread: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Send without delay, and pause writing for any byte that the system doesn't accept."""
        super().connection_made(transport)  # type: ignore[misc]
        self.transport.set_write_buffer_limits(1, 0)  # with 0, TLS of asyncio always waits
        # A body would wait 40 ms for the receipt of its head; asyncio misses sockets of protocol 0.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pause_writing(self) -> None:
        """Begin to wait for the client."""
        super().pause_writing()  # type: ignore[misc]
        self._unread = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """End the wait: the client has read everything."""
        super().resume_writing()  # type: ignore[misc]
        self._end_wait()

    def connection_lost(self, error: Exception | None) -> None:
        """End the wait: the client has disconnected."""
        self._end_wait()
        super().connection_lost(error)  # type: ignore[misc]

    def _end_wait(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


_UNREADABLE = RequestError(
    400,
    "The request can't be read. Letters other than ASCII in an address must be encoded, as by "
    "curl --url-query classes=NAME.",
)


class HttpConnection(_ReadInTime, H11Protocol):
    """HTTP connection with a time limit for the head of each request."""

    _head: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for the first head; refuse all requests if there are too many clients."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self.app = _refuse
        self._wait_for_head()

    def on_response_complete(self) -> None:
        """Begin to wait for the next head; the rest of a refused body counts towards its time."""
        super().on_response_complete()
        self._wait_for_head()

    def send_400_response(self, _msg: str) -> None:
        """Refuse a request that isn't HTTP, as all others, and close the connection."""
        answer = answer_of(_UNREADABLE)
        headers = [*answer.raw_headers, (b"connection", b"close")]
        head = h11.Response(status_code=answer.status_code, headers=headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait."""
        if self._head is not None:
            self._head.cancel()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head = self.loop.call_later(HEAD_S, self._close_if_waiting)

    def _close_if_waiting(self) -> None:
        is_mine = self.transport.get_protocol() is self  # else it is a WebSocket by now
        if is_mine and (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    error = BusyError("The service has too many open connections. Try again.")
    await reject(error, scope, receive, send)


class StreamConnection(_ReadInTime, WebSocketsSansIOProtocol):
    """Connection of a WebSocket."""
