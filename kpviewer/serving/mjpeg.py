"""The annotated stream as MJPEG: JPEG after JPEG in one response, which every browser shows.

A client that reads slowly skips frames: one is under way to it at a time, and the next is the
newest. Whoever doesn't read at all is let go (``connections``).
"""

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from kpviewer.serving.ending import until_one_ends
from kpviewer.serving.limits import Gate
from kpviewer.serving.live import LiveStream
from kpviewer.serving.newest import ClosedError

BOUNDARY = "kpviewer-frame"
_REPEAT_S = 2.0
"""Time after which the frame of a paused stream is sent again: a gone client is noticed by it."""


class MjpegResponse(Response):
    """Response that lasts as long as client and stream do (multipart/x-mixed-replace)."""

    def __init__(self, stream: LiveStream, gate: Gate) -> None:
        super().__init__()
        self._stream, self._gate = stream, gate

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the client leaves or the stream ends.

        Raises:
            BusyError: if there are too many clients.
        """
        with self._gate.entered():
            await until_one_ends(_disconnected(receive), self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        headers = [
            (b"content-type", kind.encode()),
            (b"cache-control", b"no-store"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(_body(f"--{BOUNDARY}\r\n".encode()))
        number = 0
        with self._stream.watching(), contextlib.suppress(ClosedError):
            while True:
                with contextlib.suppress(TimeoutError):
                    await self._stream.frames.after(number, _REPEAT_S)
                held = self._stream.frames.held
                if held is not None:
                    number = held.number
                    jpeg = await asyncio.to_thread(held.item.jpeg)
                    await send(_body(part_of(jpeg)))
        await send(_body(b"", more=False))


def part_of(jpeg: bytes) -> bytes:
    """Return one part, with the boundary behind it: browsers show a frame once it has ended."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + f"\r\n--{BOUNDARY}\r\n".encode()


def _body(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
