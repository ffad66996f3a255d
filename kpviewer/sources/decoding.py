"""Decodes one container with FFmpeg, and moves its frames into buffers. Knows no file from stream.

What may be opened is listed: FFmpeg would else follow a playlist inside a file called ``.mp4`` to
other files and to the network.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from kpviewer.errors import SourceError
from kpviewer.sources.base import LARGEST_SIDE_PX, Allocate
from kpviewer.sources.patience import LONGEST_S, Patience
from kpviewer.sources.turning import (
    displayed_size,
    orientation_of_matrix,
    plausible_aspect,
    stretched_width,
    turned,
)
from kpviewer.sources.watch import Watch
from kpviewer.structures import ImageArray

KEYFRAME_WAIT_S = 30.0
"""Cameras that save bandwidth send a keyframe every 10 s, some every 20 s."""
_IN_VAIN = 5
"""Packets without an image: fewer are no proof where few come."""
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails
_NO_KEYFRAME = "data comes, but no keyframe that an image could begin with"
_NO_IMAGE = "data comes, but no image could be decoded"


class Silence(TimeoutError):
    """Nothing came for as long as ``Patience`` allows."""


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """How a container is opened."""

    ffmpeg: dict[str, str] = field(default_factory=dict)
    """Options of the demuxer and protocol, whitelists among them."""
    open_timeout_s: float = 5.0
    """For connecting, and again for finding the streams."""
    read_timeout_s: float = 3.0
    format: str | None = None
    """Name of the demuxer; None lets FFmpeg find it."""
    watch: Watch = field(default_factory=Watch)
    """Ends the calls into the container early."""
    patience: Patience | None = None
    """Of a network stream: sets the limit of ``watch`` before each packet."""


class Decoder:
    """The frames of the first video stream, in the order in which they are shown.

    Raises:
        av.error.FFmpegError: from the constructor, if FFmpeg can't open the location.
        SourceError: from the constructor, if there is no video in it, or too large a one.
    """

    def __init__(self, location: str, name: str, options: DecoderOptions) -> None:
        self._name = name
        self._options = options
        self._is_live = False
        self._reformatter = VideoReformatter()
        self._container = open_container(location, options)
        self._frames: Iterator[VideoFrame] | None = None
        self._packets: Iterator[Packet[VideoStream]] | None = None
        self._ahead: deque[Packet[VideoStream]] = deque()
        self.awaits_keyframe = True
        """Whether nothing came yet at which decoding can start."""
        self.damaged_pts: set[int | None] = set()
        """Of packets that gave no image, and of images that the decoder mended by guessing."""
        self.failure: Exception | None = None
        """Why the container could not be read to its end."""
        try:
            self.stream = self._choose_stream()
        except SourceError:
            self._container.close()
            raise
        self._first_aspect = self.stream.codec_context.sample_aspect_ratio
        self.stream.codec_context.thread_count = max(1, (os.cpu_count() or 1) - 1)
        self.stream.thread_type = ThreadType.AUTO

    @property
    def options(self) -> DecoderOptions:
        """How it was opened."""
        return self._options

    @property
    def container(self) -> InputContainer:
        """The container, for what its header says."""
        return self._container

    def set_live(self) -> None:
        """Give each frame as soon as it came, at the price of decoding on one core.

        To be called before the first frame.
        """
        self._is_live = True
        self.stream.thread_type = ThreadType.SLICE

    def read_ahead(self, media_s: float, wait_s: float) -> bool:
        """Read packets until they cover ``media_s``, or ``wait_s`` has passed; keep them.

        Returns:
            Whether ``media_s`` was reached, or the end.
        """
        until_s = time.monotonic() + wait_s
        frame_s = 1 / (plausible_fps(self.stream.average_rate) or 25.0)
        first_s: float | None = None
        while (packet := self._next_packet()) is not None:
            self._ahead.append(packet)
            if packet.size == 0:  # what makes the decoder give its last frames
                continue
            stamp, base = packet.dts, packet.time_base
            now_s = len(self._ahead) * frame_s if stamp is None else float(stamp * base)
            first_s = now_s if first_s is None else first_s
            if now_s - first_s >= media_s:
                return True
            if time.monotonic() > until_s:
                return False
        return self.failure is None

    @property
    def packets_ahead(self) -> int:
        """Number of packets that ``read_ahead`` keeps."""
        return sum(packet.size > 0 for packet in self._ahead)

    def next_frame(self) -> VideoFrame | None:
        """Decode the next frame; None at the end or, with ``failure`` set, where reading broke.

        Raises:
            SourceError: if the frame is too large.
        """
        if self._frames is None:
            self._frames = self._decode()
        frame = next(self._frames, None)
        if frame is not None:
            check_size(*self.shown_size(frame), self._name)
        return frame

    def seek(self, pts: int) -> None:
        """Go to the last keyframe at or before ``pts`` (stream time base), by the file's index.

        Raises:
            av.error.FFmpegError: if the container can't.
        """
        self._frames = self._packets = None
        self._ahead.clear()
        self.failure = None
        with self._options.watch.over_calls():
            self._container.seek(pts, stream=self.stream, backward=True)

    def to_bgr(self, frame: VideoFrame, allocate: Allocate) -> ImageArray:
        """Convert a frame into a buffer, turned upright and with square pixels."""
        width, height = self.shown_size(frame)
        stored_width = stretched_width(frame.width, self._pixel_aspect())
        # One thread: at 1080p it takes 2.0 ms, and 3.5 with as many as there are cores.
        plane = self._reformatter.reformat(
            frame, width=stored_width, format="bgr24", threads=1
        ).planes[0]
        image: ImageArray = np.ndarray(
            (frame.height, stored_width, 3),
            np.uint8,
            memoryview(plane),
            strides=(plane.line_size, 3, 1),
        )
        buffer = allocate(height, width)
        np.copyto(buffer, turned(image, _orientation(frame)))
        return buffer

    def shown_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Return width and height of a frame, upright and with square pixels, px."""
        aspect, orientation = self._pixel_aspect(), _orientation(frame)
        return displayed_size(frame.width, frame.height, aspect, orientation)

    def close(self) -> None:
        """Free the container."""
        self._frames = self._packets = None
        self._ahead.clear()
        with self._options.watch.over_calls():
            self._container.close()

    @property
    def stated_size(self) -> tuple[int, int]:
        """Width and height by the header, px, with square pixels; frames may be turned."""
        context = self.stream.codec_context
        return displayed_size(context.width, context.height, self._pixel_aspect(), 1)

    def _pixel_aspect(self) -> Fraction:
        """Return width over height of a pixel: the container's, else that of the frames now."""
        stated = self.stream.sample_aspect_ratio
        if stated == self._first_aspect:  # it is the frames' own, which a broadcast changes
            stated = self.stream.codec_context.sample_aspect_ratio
        return plausible_aspect(stated)

    def _choose_stream(self) -> VideoStream:
        """Return the film: not the cover, and of several the default one, then the largest."""
        streams = self._container.streams.video
        films = [item for item in streams if not item.disposition & _NO_FILM]
        if not films:
            raise SourceError(f"{self._name} must hold a video, got sound or data only.")
        known = [item for item in films if item.codec_context is not None]
        if not known:
            raise SourceError(
                f"{self._name} holds video in a format that can't be decoded here. "
                "Convert it to MP4 with H.264."
            )
        film = max(known, key=_rank)
        for stream in self._container.streams:
            if stream is not film:
                stream.discard = Discard.all  # else its packets would reset the read timeout
        check_size(film.codec_context.width, film.codec_context.height, self._name)
        return film

    def _decode(self) -> Iterator[VideoFrame]:
        since_s, in_vain = time.monotonic(), 0
        while (packet := self._ahead.popleft() if self._ahead else self._next_packet()) is not None:
            self.awaits_keyframe = self.awaits_keyframe and not packet.is_keyframe
            in_vain += 1
            for frame in self._decode_packet(packet):
                yield frame
                since_s, in_vain = time.monotonic(), 0
            # A stream may send without end what can't be decoded; a file ends by itself.
            limit_s = KEYFRAME_WAIT_S if self.awaits_keyframe else self._options.read_timeout_s
            is_long = in_vain >= _IN_VAIN and time.monotonic() - since_s > limit_s
            if self._is_live and is_long:
                self.failure = TimeoutError(_NO_KEYFRAME if self.awaits_keyframe else _NO_IMAGE)
                return
        if not self._is_live and not isinstance(self.failure, Silence):
            with contextlib.suppress(av.FFmpegError):  # at the end twice
                yield from self.stream.decode(None)

    def _decode_packet(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.damaged_pts.add(packet.pts)
            return []
        self.damaged_pts.update(frame.pts for frame in frames if frame.is_corrupt)
        return frames

    def _is_end(self, error: Exception) -> bool:
        """Whether an error only says that a server of a stream without a length hung up."""
        is_http = self._container.name.startswith("http")
        return is_http and self._container.size <= 0 and getattr(error, "errno", None) == errno.EIO

    def _next_packet(self) -> Packet[VideoStream] | None:
        """Return the next packet; None at the end or, with ``failure`` set, where reading broke."""
        watch, patience = self._options.watch, self._options.patience
        if self._packets is None:
            self._packets = self._container.demux(self.stream)
        if patience is not None:
            watch.allow(patience.limit_s)
        try:
            with watch.over_calls():
                packet = next(self._packets, None)
        except av.FFmpegError as error:
            if watch.is_over:
                self.failure = Silence()
            elif not self._is_end(error):
                self.failure = error
            return None
        if patience is not None and packet is not None:
            if watch.is_over:  # kept back until the next one, which never came: it is old
                self.failure = Silence()
                return None
            patience.heard()
        return packet


def open_container(location: str, options: DecoderOptions) -> InputContainer:
    """Open a container with the limits of ``options``. Raises av.error.FFmpegError."""
    read_s = options.read_timeout_s
    with options.watch.over_calls():
        return av.open(
            location,
            format=options.format,
            options=dict(options.ffmpeg),
            metadata_errors="replace",
            timeout=(options.open_timeout_s, LONGEST_S if options.patience else read_s),
        )


def _rank(stream: VideoStream) -> tuple[bool, int]:
    context = stream.codec_context
    return bool(stream.disposition & Disposition.default), context.width * context.height


def _orientation(frame: VideoFrame) -> int:
    """Return the EXIF orientation that the display matrix of a frame stands for."""
    blocks: Any = frame.side_data  # a mapping, whatever PyAV's type hints say
    matrix = blocks.get(SideDataType.DISPLAYMATRIX)
    return 1 if matrix is None else orientation_of_matrix(memoryview(matrix))


def check_size(width: int, height: int, name: str) -> None:
    """Raise SourceError if an image is larger than we take."""
    if max(width, height) > LARGEST_SIDE_PX:
        raise SourceError(
            f"{name}: images must be at most {LARGEST_SIDE_PX} px a side, "
            f"got {width}x{height}. Scale the video down first."
        )


def plausible_fps(rate: Fraction | None) -> float | None:
    """Give a frame rate that a header states, None if it can't be true."""
    return float(rate) if rate and 1.0 <= rate <= 240.0 else None
