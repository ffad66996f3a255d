"""The stream as MJPEG: parts that decode, and clients that hold nobody up."""

import asyncio
import re
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from fakes import TIMEOUT_S
from live_streams import running, served_live

from kpviewer.overlay.jpeg import bgr_of_jpeg
from kpviewer.serving.limits import BusyError, Gate
from kpviewer.serving.mjpeg import BOUNDARY, MjpegResponse
from kpviewer.serving.newest import Newest

PART = re.compile(
    rb"Content-Type: image/jpeg\r\nContent-Length: (\d+)\r\n\r\n(.*?)\r\n--kpviewer-frame\r\n",
    re.DOTALL,
)


class Client:
    """ASGI client of one response, which takes a chunk whenever it is told to."""

    def __init__(self, stream, gate: Gate) -> None:
        self.chunks: list[bytes] = []
        self.status = 0
        self.is_gone = asyncio.Event()
        self._takes = asyncio.Semaphore(0)
        self._took = asyncio.Semaphore(0)
        self.task = asyncio.create_task(MjpegResponse(stream, gate)({}, self._receive, self._send))

    async def take(self, count: int = 1) -> None:
        for _ in range(count):
            self._takes.release()
            await self._took.acquire()

    async def parts(self, count: int) -> list[bytes]:
        """Take chunks until there are some JPEGs; return them."""
        while len(found := PART.findall(b"".join(self.chunks))) < count:
            await self.take()
        for length, jpeg in found:
            assert int(length) == len(jpeg)
        return [jpeg for _, jpeg in found]

    async def leave(self) -> None:
        self.is_gone.set()
        await self.task

    async def _receive(self) -> dict[str, str]:
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self._takes.acquire()
        self.chunks.append(message["body"])
        self._took.release()


def gate(most: int = 9) -> Gate:
    return Gate(most, "there are enough", lambda: None)


async def in_time(work) -> object:
    return await asyncio.wait_for(work, TIMEOUT_S)


def test_parts_are_frames():
    async def watch(stream) -> list[bytes]:
        client = Client(stream, gate())
        parts = await client.parts(3)
        await client.leave()
        return parts

    with running() as stream:
        parts = asyncio.run(in_time(watch(stream)))
        assert stream.state().viewers == 0
    assert all(bgr_of_jpeg(jpeg).shape == (24, 32, 3) for jpeg in parts)


def test_a_slow_client_skips_frames_and_holds_nobody_up():
    async def watch(stream) -> tuple[int, int]:
        slow, quick = Client(stream, gate()), Client(stream, gate())
        await slow.parts(1)
        before = stream.frames.held.number
        await quick.parts(20)
        passed = stream.frames.held.number - before
        await slow.parts(3)  # the one that was under way, and the newest
        parts = len(await slow.parts(3))
        await slow.leave()
        await quick.leave()
        return parts, passed

    with running() as stream:
        parts, passed = asyncio.run(in_time(watch(stream)))
    assert parts == 3
    assert passed >= 18


def test_a_frame_is_sent_once():
    frames: Newest[SimpleNamespace] = Newest()
    for number in range(5):
        frames.publish(SimpleNamespace(jpeg=lambda number=number: b"frame %d" % number))
    stream = SimpleNamespace(frames=frames, watching=nullcontext)

    async def watch() -> list[bytes]:
        client = Client(stream, gate())
        parts = await client.parts(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.take(), 0.05)
        await client.leave()
        return parts

    assert asyncio.run(in_time(watch())) == [b"frame 4"]


def test_there_is_a_most_of_clients():
    async def watch(stream) -> None:
        places = gate(1)
        first = Client(stream, places)
        await first.parts(1)
        with pytest.raises(BusyError, match="there are enough"):
            await MjpegResponse(stream, places)({}, first._receive, first._send)  # noqa: SLF001
        await first.leave()
        await Client(stream, places).parts(1)

    with running() as stream:
        asyncio.run(in_time(watch(stream)))


def test_the_response_ends_with_the_stream():
    async def watch(stream) -> None:
        client = Client(stream, gate())
        await client.parts(1)
        stream.let_go()
        while not client.task.done():
            taking = asyncio.create_task(client.take())
            await asyncio.wait({taking, client.task}, return_when=asyncio.FIRST_COMPLETED)
            taking.cancel()

    with running() as stream:
        asyncio.run(in_time(watch(stream)))


def test_the_route_says_what_it_sends():
    async def ask(client, app) -> tuple[int, str]:
        app.state.live.stream.let_go()  # httpx's transport waits for the end of a response
        answer = await client.get("/live.mjpg")
        return answer.status_code, answer.headers["content-type"]

    kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    assert served_live(ask) == (200, kind)
