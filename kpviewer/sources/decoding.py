"""Decodes one container with FFmpeg, and moves its frames into buffers. Knows no file from stream.

What may be opened is listed: FFmpeg would else follow a playlist inside a file called ``.mp4`` to
other files and to the network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from kpviewer.errors import SourceError
from kpviewer.sources.base import LARGEST_SIDE_PX, Allocate
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray

TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    -90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    -180: cv2.ROTATE_180,
}
"""By counterclockwise degrees of the display matrix."""


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """How a container is opened."""

    ffmpeg: dict[str, str] = field(default_factory=dict)
    """Options of the demuxer and protocol, whitelists among them."""
    open_timeout_s: float = 5.0
    """For connecting, and again for finding the streams."""
    read_timeout_s: float = 3.0
    is_live: bool = False
    """Give each frame as soon as it came, at the price of decoding on one core."""


class Decoder:
    """The frames of the first video stream, in the order in which they are shown.

    Raises:
        av.error.FFmpegError: from the constructor, if FFmpeg can't open the location.
        SourceError: from the constructor, if there is no video in it, or too large a one.
    """

    def __init__(self, location: str, name: str, options: DecoderOptions) -> None:
        self._name = name
        self._is_live = options.is_live
        self._read_timeout_s = options.read_timeout_s
        self._reformatter = VideoReformatter()
        self._container = open_container(location, options)
        self._frames: Iterator[VideoFrame] | None = None
        self.damaged_pts: set[int | None] = set()
        """Of packets that gave no picture, and of pictures that the decoder mended by guessing."""
        self.failure: Exception | None = None
        """Why the container could not be read to its end."""
        try:
            self.stream = self._choose_stream()
        except SourceError:
            self._container.close()
            raise
        self.stream.codec_context.thread_count = max(1, (os.cpu_count() or 1) - 1)
        self.stream.thread_type = ThreadType.SLICE if options.is_live else ThreadType.AUTO

    @property
    def container(self) -> InputContainer:
        """The container, for what its header says."""
        return self._container

    def next_frame(self) -> VideoFrame | None:
        """Decode the next frame; None at the end or, with ``failure`` set, where reading broke.

        Raises:
            SourceError: if the frame is too large.
        """
        if self._frames is None:
            self._frames = self._decode()
        frame = next(self._frames, None)
        if frame is not None:
            check_size(frame.width, frame.height, self._name)
        return frame

    def seek(self, pts: int) -> None:
        """Go to the last keyframe at or before ``pts`` (stream time base), by the file's index.

        Raises:
            av.error.FFmpegError: if the container can't.
        """
        self._frames = None
        self.failure = None
        self._container.seek(pts, stream=self.stream, backward=True)

    def to_bgr(self, frame: VideoFrame, allocate: Allocate) -> ImageArray:
        """Convert a frame into a buffer, turned upright."""
        # One thread: at 1080p it takes 2.0 ms, and 3.5 with as many as there are cores.
        plane = self._reformatter.reformat(frame, format="bgr24", threads=1).planes[0]
        picture: ImageArray = np.ndarray(
            (frame.height, frame.width, 3),
            np.uint8,
            memoryview(plane),
            strides=(plane.line_size, 3, 1),
        )
        width, height = upright_size(frame)
        buffer = allocate(height, width)
        turn = TURNS.get(frame.rotation)
        if turn is None:
            np.copyto(buffer, picture)
        else:
            np.copyto(buffer, cv2.rotate(picture, turn))
        return buffer

    def close(self) -> None:
        """Free the container."""
        self._frames = None
        self._container.close()

    def _choose_stream(self) -> VideoStream:
        streams = self._container.streams.video
        films = [item for item in streams if not item.disposition & Disposition.attached_pic]
        if not films:
            raise SourceError(f"{self._name} must hold a video, got sound or data only.")
        for stream in self._container.streams:
            if stream is not films[0]:
                stream.discard = Discard.all  # else its packets would reset the read timeout
        context = films[0].codec_context
        check_size(context.width, context.height, self._name)
        return films[0]

    def _decode(self) -> Iterator[VideoFrame]:
        since = time.monotonic()
        for packet in self._packets():
            for frame in self._decode_packet(packet):
                yield frame
                since = time.monotonic()
            # A stream may send without end what can't be decoded; a file ends by itself.
            if self._is_live and time.monotonic() - since > self._read_timeout_s:
                self.failure = TimeoutError("no picture could be decoded")
                return

    def _decode_packet(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.damaged_pts.add(packet.pts)
            return []
        self.damaged_pts.update(frame.pts for frame in frames if frame.is_corrupt)
        return frames

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        try:
            yield from self._container.demux(self.stream)
        except av.FFmpegError as error:
            self.failure = error


def open_container(location: str, options: DecoderOptions) -> InputContainer:
    """Open a container with the limits of ``options``. Raises av.error.FFmpegError."""
    return av.open(
        location,
        options=dict(options.ffmpeg),
        metadata_errors="replace",
        timeout=(options.open_timeout_s, options.read_timeout_s),
    )


def upright_size(frame: VideoFrame) -> tuple[int, int]:
    """Width and height of a frame once it is turned as its display matrix says, px."""
    lies = abs(frame.rotation) == 90
    return (frame.height, frame.width) if lies else (frame.width, frame.height)


def check_size(width: int, height: int, name: str) -> None:
    """Raise SourceError if a picture is larger than we take."""
    if max(width, height) > LARGEST_SIDE_PX:
        raise SourceError(
            f"{name}: pictures must be at most {LARGEST_SIDE_PX} px a side, "
            f"got {width}x{height}. Scale the video down first."
        )


def plausible_fps(rate: Fraction | None) -> float | None:
    """Give a frame rate that a header states, None if it can't be true."""
    return float(rate) if rate and 1.0 <= rate <= 240.0 else None
