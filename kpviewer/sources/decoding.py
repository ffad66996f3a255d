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
from kpviewer.sources.turning import (
    displayed_size,
    orientation_of_matrix,
    plausible_aspect,
    stretched_width,
    turned,
)
from kpviewer.structures import ImageArray


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
        self._first_aspect = self.stream.codec_context.sample_aspect_ratio
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
            check_size(*self.shown_size(frame), self._name)
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
        """Convert a frame into a buffer, turned upright and with square pixels."""
        width, height = self.shown_size(frame)
        stored_width = stretched_width(frame.width, self._pixel_aspect())
        # One thread: at 1080p it takes 2.0 ms, and 3.5 with as many as there are cores.
        plane = self._reformatter.reformat(
            frame, width=stored_width, format="bgr24", threads=1
        ).planes[0]
        picture: ImageArray = np.ndarray(
            (frame.height, stored_width, 3),
            np.uint8,
            memoryview(plane),
            strides=(plane.line_size, 3, 1),
        )
        buffer = allocate(height, width)
        np.copyto(buffer, turned(picture, _orientation(frame)))
        return buffer

    def shown_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Return width and height of a frame, upright and with square pixels, px."""
        aspect, orientation = self._pixel_aspect(), _orientation(frame)
        return displayed_size(frame.width, frame.height, aspect, orientation)

    def close(self) -> None:
        """Free the container."""
        self._frames = None
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


def _orientation(frame: VideoFrame) -> int:
    """Return the EXIF orientation that the display matrix of a frame stands for."""
    blocks: Any = frame.side_data  # a mapping, whatever PyAV's type hints say
    matrix = blocks.get(SideDataType.DISPLAYMATRIX)
    return 1 if matrix is None else orientation_of_matrix(memoryview(matrix))


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
