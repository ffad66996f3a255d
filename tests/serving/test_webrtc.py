"""WebRTC: aiortc on both sides, over the real interfaces of this machine."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from av import VideoFrame
from channels import Channel
from live_streams import served_live

from kpviewer.serving.addresses import network_addresses
from kpviewer.serving.webrtc import PeerLimits

pytestmark = pytest.mark.skipif(
    not network_addresses(), reason="WebRTC needs an interface other than loopback"
)
SIZE_WH = (64, 48)


class FakeCamera(VideoStreamTrack):
    """Camera whose frames get brighter."""

    def __init__(self, size_wh: tuple[int, int] = SIZE_WH) -> None:
        super().__init__()
        self._size_wh, self._level = size_wh, 0

    async def recv(self) -> VideoFrame:
        self._level += 1
        width, height = self._size_wh
        image = np.full((height, width, 3), self._level % 200, np.uint8)
        frame = VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


@asynccontextmanager
async def viewer(client: Any, app: Any) -> AsyncIterator[tuple[Channel, "Browser"]]:
    """Open a page: its state channel, and what it needs for a connection."""
    async with Channel(app, "/live/state") as channel:
        browser = Browser(client, (await channel.receive())["viewer"])
        try:
            yield channel, browser
        finally:
            await browser.close()


class Browser:
    """What a browser does to watch, or to send its camera."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self.name = client, name
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tracks: asyncio.Queue[Any] = asyncio.Queue()
        self.connection.on("track", self._tracks.put_nowait)

    async def offer(
        self, camera: FakeCamera | None = None, *, connects: bool = True, extra: str = ""
    ) -> Any:
        """Offer a connection, and make it if it is answered; return the answer of the service."""
        if camera is None:
            self.connection.addTransceiver("video", direction="recvonly")
        else:
            self.connection.addTrack(camera)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        body = {"viewer": self.name, "sdp": self.connection.localDescription.sdp + extra}
        answer = await self._client.post("/live/offer", json={**body, "camera": bool(camera)})
        if connects and answer.status_code == 200:
            await self.connection.setRemoteDescription(RTCSessionDescription(**answer.json()))
        return answer

    async def frames(self, count: int) -> list[Any]:
        """Return the next frames as arrays."""
        track = await self._tracks.get()
        received = [await track.recv() for _ in range(count)]
        self._tracks.put_nowait(track)
        return [frame.to_ndarray(format="bgr24") for frame in received]

    async def close(self) -> None:
        await self.connection.close()


async def until_all_have_gone(app: Any) -> None:
    """Wait until the service has no connection; states in between may go unseen."""
    while app.state.live.peers.count:
        await asyncio.sleep(0.005)


def test_a_viewer_sees_the_painted_frames_move():
    async def ask(client, app):
        async with viewer(client, app) as (channel, browser):
            assert "a=candidate" in (await browser.offer()).json()["sdp"]
            frames = await browser.frames(8)
            state = await channel.until_state(viewers=1)
        async with Channel(app, "/live/state") as channel:
            await channel.until_state(viewers=0)
        return frames, state

    frames, state = served_live(ask)
    assert {frame.shape for frame in frames} == {(24, 32, 3)}
    assert len({frame.tobytes() for frame in frames}) > 3
    assert state["counts"] == {"0": 2}


def test_a_connection_ends_with_the_channel_of_its_page():
    async def ask(client, app):
        async with Channel(app, "/live/state") as watching:
            async with Channel(app, "/live/state") as channel:
                browser = Browser(client, (await channel.receive())["viewer"])
                await browser.offer()
                await browser.frames(1)
                await watching.until_state(viewers=1)
            await watching.until_state(viewers=0)
        await browser.close()

    served_live(ask)


def test_a_camera_is_the_source_until_its_page_is_closed():
    async def ask(client, app):
        async with viewer(client, app) as (channel, browser):
            assert (await browser.offer(FakeCamera())).status_code == 200
            state = await channel.until_state(is_camera=True, size_wh=list(SIZE_WH))
            while (await browser.frames(1))[0].shape != (48, 64, 3):
                pass
            async with viewer(client, app) as (_, other):
                refused = await other.offer(FakeCamera())
        async with Channel(app, "/live/state") as channel:
            after = await channel.until_state(is_camera=False, source="fake", state="running")
        return state, refused, after

    state, refused, after = served_live(ask)
    assert state["source"] == "a viewer's camera"
    assert (refused.status_code, after["viewers"]) == (409, 0)


def test_another_camera_of_the_same_page_replaces_the_first():
    async def ask(client, app):
        async with viewer(client, app) as (channel, browser):
            await browser.offer(FakeCamera())
            await channel.until_state(is_camera=True, size_wh=list(SIZE_WH))
            other = Browser(client, browser.name)  # the first one's end isn't noticed yet
            answer = await other.offer(FakeCamera((48, 64)))
            await channel.until_state(is_camera=True, size_wh=[48, 64], viewers=1)
            await other.close()
        return answer

    assert served_live(ask, limits=PeerLimits(peers=1)).status_code == 200


def test_a_camera_whose_frames_are_too_large_is_let_go():
    async def ask(client, app):
        async with viewer(client, app) as (channel, browser):
            await browser.offer(FakeCamera((80, 32)))
            await until_all_have_gone(app)
            return await channel.until_state(viewers=0, is_camera=False)

    assert served_live(ask, limits=PeerLimits(side_px=64))["source"] == "fake"


def test_a_connection_that_is_never_made_ends():
    async def ask(client, app):
        async with viewer(client, app) as (channel, browser):
            assert (await browser.offer(connects=False)).status_code == 200
            await until_all_have_gone(app)
            await channel.until_state(viewers=0)

    served_live(ask, limits=PeerLimits(connect_s=0.1))


def test_a_name_that_is_no_candidate_is_left_out():
    async def ask(client, app):
        async with viewer(client, app) as (_, browser):
            await browser.offer(extra="a=candidate:1 1 udp 1 bad.local\r\n")
            return len(await browser.frames(3))

    assert served_live(ask, host="192.0.2.9") == 3


def test_a_page_that_closes_while_its_connection_closes_is_no_trouble(caplog):
    async def ask(client, app):
        for _ in range(3):
            async with viewer(client, app) as (_, browser):
                await browser.offer()
                await browser.frames(1)
                await browser.close()
        async with Channel(app, "/live/state") as channel:
            await channel.until_state(viewers=0)

    served_live(ask)
    gc.collect()  # asyncio reports errors that nobody awaited when it forgets their tasks
    assert caplog.messages == []


def test_there_is_a_most_of_connections():
    async def ask(client, app):
        async with viewer(client, app) as (_, one), viewer(client, app) as (_, other):
            await one.offer()
            await one.frames(1)
            return await other.offer()

    answer = served_live(ask, limits=PeerLimits(peers=1))
    assert answer.status_code == 503
    assert "WebRTC connections are in use" in answer.json()["error"]
    assert answer.headers["retry-after"] == "1"


def test_connections_end_with_the_service():
    async def ask(client, app):
        async with viewer(client, app) as (_, browser):
            await browser.offer()
            await browser.frames(1)
            await app.state.live.close()
            closed = asyncio.Event()
            browser.connection.on("connectionstatechange", closed.set)
            while browser.connection.connectionState != "closed":
                await closed.wait()
                closed.clear()

    served_live(ask)
