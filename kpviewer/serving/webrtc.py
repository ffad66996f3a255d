"""The annotated stream over WebRTC, and the camera of a viewer the other way.

Only host candidates are used: peers find each other in one network, and no STUN or TURN server is
ever asked. One event loop calls this module.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from fractions import Fraction

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame

from kpviewer.serving.browser_camera import BrowserCamera
from kpviewer.serving.limits import BusyError, Gate, RequestError
from kpviewer.serving.live import LiveStream
from kpviewer.serving.newest import ClosedError
from kpviewer.serving.offers import Offer, offer_of
from kpviewer.serving.reasons import reason_of

VIDEO_CLOCK = Fraction(1, 90_000)
"""Time base of video in RTP (RFC 3551)."""
_REPEAT_S = 0.5
"""Time after which the frame of a paused stream is sent again: a new viewer waits for it."""
_CLOSE_S = 2.0
"""Time for all connections to close."""
_OVER = frozenset(("failed", "closed"))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """Limits of the WebRTC connections."""

    peers: int = 8
    """Number of connections at once; each has an encoder of its own."""
    connect_s: float = 15.0
    """Time for a connection to be made."""
    silent_s: float = 10.0
    """Time without a frame after which a viewer's camera is no longer the source."""
    side_px: int = 1920
    """Longest side of the frames of a viewer's camera, px."""


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How a connection is to be served."""

    viewer: str
    """Name of the page that it belongs to."""
    has_camera: bool = False
    """Whether the browser sends the video of its camera, to be the source."""
    looks_up: bool = False
    """Whether to look up the names of its candidates in the local network."""


class AnnotatedTrack(MediaStreamTrack):
    """Video of the newest painted frames; a slow encoder skips frames."""

    kind = "video"

    def __init__(self, stream: LiveStream) -> None:
        super().__init__()
        self._stream, self._number = stream, 0
        self._started_s = time.monotonic()

    async def recv(self) -> VideoFrame:
        """Return the next frame to encode.

        Raises:
            MediaStreamError: at the end of track or stream.
        """
        frames = self._stream.frames
        while self.readyState == "live":
            try:
                held = await frames.after(self._number, _REPEAT_S)
            except ClosedError:
                break
            except TimeoutError:
                if (kept := frames.held) is None:
                    continue
                held = kept
            self._number = held.number
            bgr = held.item.bgr
            height, width = (side // 2 * 2 for side in bgr.shape[:2])  # chroma has half the size
            video = VideoFrame.from_ndarray(bgr[:height, :width], format="bgr24")
            video.pts = round((time.monotonic() - self._started_s) / VIDEO_CLOCK)
            video.time_base = VIDEO_CLOCK
            return video
        self.stop()
        raise MediaStreamError


class Peers:
    """WebRTC connections of the page's viewers; each ends when its viewer has gone."""

    def __init__(self, stream: LiveStream, places: Gate, limits: PeerLimits) -> None:
        self._stream, self._places, self._limits = stream, places, limits
        self._peers: dict[asyncio.Task[None], _Peer] = {}
        for name in ("aiortc", "aioice"):  # they log packets that can't be read, and tracebacks
            logging.getLogger(name).setLevel(logging.CRITICAL)

    @property
    def count(self) -> int:
        """Number of connections."""
        return len(self._peers)

    async def answer(self, sdp: str, options: PeerOptions) -> str:
        """Answer a browser's offer, and serve the connection until its viewer has gone.

        A page has one connection: an earlier one, whose end may not have been noticed yet, ends.

        Args:
            sdp: the offer, with all candidates.
            options: how to serve the connection.

        Raises:
            RequestError: if the offer isn't valid, there are too many peers, or another camera
                is the source.
        """
        offer = offer_of(sdp)
        if earlier := self.drop(options.viewer):
            await asyncio.wait(earlier)
        if options.has_camera and self._stream.has_camera:
            raise RequestError(409, "The camera of another viewer is the source. Try again later.")
        peer = _Peer(self._stream, self._limits, options)
        task = asyncio.create_task(self._serve(peer, offer))
        self._peers[task] = peer
        task.add_done_callback(self._peers.pop)
        return await peer.answered

    def drop(self, viewer: str) -> list[asyncio.Task[None]]:
        """End the connections of a page; return their tasks, which are about to end."""
        dropped = [task for task, peer in self._peers.items() if peer.viewer == viewer]
        for task in dropped:
            self._peers[task].leave()
        return dropped

    async def close(self) -> None:
        """End all connections."""
        for peer in self._peers.values():
            peer.leave()
        if self._peers:
            await asyncio.wait(list(self._peers), timeout=_CLOSE_S)

    async def _serve(self, peer: _Peer, offer: Offer) -> None:
        try:
            with self._places.entered():
                await peer.serve(offer)
        except BusyError as error:
            peer.refuse(error)


class _Peer:
    """One connection. Its task is never cancelled, as aiortc's closing can't be interrupted."""

    def __init__(self, stream: LiveStream, limits: PeerLimits, options: PeerOptions) -> None:
        self._stream, self._limits, self._options = stream, limits, options
        self._changed = asyncio.Event()
        self._is_leaving = False
        self._camera: MediaStreamTrack | None = None
        self._source: BrowserCamera | None = None
        self._change: asyncio.Task[bool] | None = None
        """Change of the stream's source to the camera, perhaps still under way."""
        self.answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """The answer to the offer, or the RequestError that refuses it."""

    @property
    def viewer(self) -> str:
        """Name of the page that it belongs to."""
        return self._options.viewer

    def leave(self) -> None:
        """End the connection soon."""
        self._is_leaving = True
        self._changed.set()

    async def serve(self, offer: Offer) -> None:
        """Answer, then serve until the viewer has gone."""
        self._connection = connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.on("connectionstatechange", self._changed.set)
        connection.on("track", self._on_track)
        track = AnnotatedTrack(self._stream)
        try:
            connection.addTrack(track)
            await self._answer(offer)
            with self._stream.watching():
                async with asyncio.TaskGroup() as tasks:
                    if self._options.looks_up:
                        tasks.create_task(self._look_up(offer))
                    serving = [tasks.create_task(self._until_gone())]
                    if self._camera is not None:
                        serving.append(tasks.create_task(self._feed(self._camera)))
                    await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
                    for task in serving:
                        task.cancel()
        except Exception as error:
            _log.info("A WebRTC connection ended: %s", reason_of(error))
            self.refuse(RequestError(422, "The offer can't be answered: no codec or no key fits."))
        finally:
            track.stop()
            await self._let_camera_go()
            await connection.close()

    def refuse(self, error: RequestError) -> None:
        """Answer with a refusal, if there is no answer yet."""
        if not self.answered.done():
            self.answered.set_exception(error)

    def _on_track(self, track: MediaStreamTrack) -> None:
        if self._options.has_camera and track.kind == "video":
            self._camera = track

    async def _answer(self, offer: Offer) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        self.answered.set_result(self._connection.localDescription.sdp)

    async def _look_up(self, offer: Offer) -> None:
        """Add the candidates whose names are known in the local network."""
        for value in offer.named:
            try:
                candidate = candidate_from_sdp(value)
                candidate.sdpMLineIndex = 0
                await self._connection.addIceCandidate(candidate)
            except (AssertionError, ValueError, OSError) as error:  # no candidate, or no multicast
                _log.info("A name wasn't looked up: %s", reason_of(error))

    async def _until_gone(self) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await self._until_state(_OVER | {"connected"})
        except TimeoutError:
            _log.info("A WebRTC connection wasn't made in %s s", self._limits.connect_s)
        else:
            await self._until_state(_OVER)

    async def _until_state(self, states: frozenset[str]) -> None:
        while not self._is_leaving and self._connection.connectionState not in states:
            self._changed.clear()
            await self._changed.wait()

    async def _feed(self, track: MediaStreamTrack) -> None:
        """Make the viewer's camera the source, as long as it sends."""
        camera = self._source = BrowserCamera()
        limits, patience_s = self._limits, self._limits.connect_s
        try:
            while True:
                async with asyncio.timeout(patience_s):
                    frame = await track.recv()
                if not isinstance(frame, VideoFrame):
                    continue
                if max(frame.width, frame.height) > limits.side_px:
                    _log.info("A camera sent %s x %s px; let go", frame.width, frame.height)
                    return
                camera.offer(frame)
                if self._change is None:
                    change = asyncio.to_thread(self._stream.use_camera, camera)
                    self._change = asyncio.create_task(change)
                    if not await asyncio.shield(self._change):
                        return
                    patience_s = limits.silent_s
        except (MediaStreamError, TimeoutError):
            pass

    async def _let_camera_go(self) -> None:
        """Return to the source of the command line if the camera is the source.

        ``_feed`` can't do that: it is cancelled, and a call in a thread with it.
        """
        if self._source is None:
            return
        self._source.end()
        if self._change is not None:
            await self._change
        await asyncio.to_thread(self._stream.drop_camera, self._source)
