"""Decoder of the main video stream of a container, for files and streams alike."""

from __future__ import annotations

import contextlib
import errno
import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av
from av.codec.context import Flags, ThreadType
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kpviewer.errors import SourceError
from kpviewer.sources.video.container import (
    DecoderOptions,
    check_size,
    main_stream,
    open_container,
    plausible_fps,
)
from kpviewer.sources.video.conversion import FrameConverter
from kpviewer.sources.video.pyav import exact, packets_of, size_of
from kpviewer.system.cpu_threads import cpu_share

KEYFRAME_WAIT_S = 30.0
"""Longest wait for a keyframe; cameras that save bandwidth send one every 10 or 20 s."""
_MIN_FAILED_PACKETS = 5
"""Number of packets without an image before a stream can count as undecodable."""
_WITHOUT_DISPLAY_TIMES = {"avi", "asf", "asf_o", "mxf", "mpegvideo"}
"""Formats that store the order of decoding; FFmpeg guesses display times, often wrongly."""
_NO_KEYFRAME = "data arrives, but no keyframe to start decoding from"
_NO_IMAGE = "data arrives, but no image could be decoded"


class SilenceError(TimeoutError):
    """No data arrived for as long as ``Patience`` allows."""


class Decoder:
    """Decoder of a container's main video stream; frames come in display order.

    Raises:
        av.error.FFmpegError: from the constructor, if FFmpeg can't open the location.
        SourceError: from the constructor, if it has no video, or too large a one.
    """

    def __init__(self, location: str, name: str, options: DecoderOptions) -> None:
        self._name = name
        self.options = options
        """Options that the container was opened with."""
        self._is_live = False
        self.container = open_container(location, options)
        """Open container, with its header."""
        self._frames: Iterator[VideoFrame] | None = None
        self._packets: Iterator[Packet[VideoStream]] | None = None
        self._ahead: deque[Packet[VideoStream]] = deque()
        self._last_dts: int | None = None
        self._step = 1
        self._last_pts: int | None = None
        self._restarts = 0
        self.landing: Packet[VideoStream] | None = None
        """First packet behind the last seek; None until it is read."""
        self.awaits_keyframe = True
        """Whether no keyframe has arrived yet."""
        self.damaged: set[int | None] = set()
        """Timestamps of packets that couldn't be decoded, and of images with concealed errors;
        without timestamps, positions in the file."""
        self.is_encrypted = False
        """Whether a packet is encrypted; the decoder makes noise of such, or nothing."""
        self.failure: Exception | None = None
        """Error that stopped reading before the end; None if there was none."""
        try:
            self.stream = main_stream(self.container, name)
        except SourceError:
            self.container.close()
            raise
        self.converter = FrameConverter(self.stream)
        """Converter of frames to images."""
        self.stream.codec_context.thread_count = max(1, cpu_share() - 1)
        self.stream.thread_type = ThreadType.AUTO
        # Else FFmpeg keeps up to 31 columns that the file cuts off at the left.
        self.stream.codec_context.flags |= Flags.unaligned

    @property
    def is_timed_by_decoding(self) -> bool:
        """Whether the times of frames are decoding times, as the file has no display times."""
        return self.options.by_decoding or self.container.format.name in _WITHOUT_DISPLAY_TIMES

    @property
    def time_base(self) -> Fraction | None:
        """Unit of the stream's times, s; None if it isn't stated."""
        return exact(self.stream.time_base)

    @property
    def usual_step_s(self) -> float:
        """Time between two frames by the header."""
        rates = self.stream.average_rate, self.stream.guessed_rate
        return 1 / next(filter(None, map(plausible_fps, rates)), 25.0)

    def set_live(self) -> None:
        """Return each frame without delay, at the cost of decoding on one core.

        Must be called before the first frame.
        """
        self._is_live = True
        self.stream.thread_type = ThreadType.SLICE

    def read_ahead(self, media_s: float, wait_s: float) -> bool:
        """Read and keep packets until they cover ``media_s``, or ``wait_s`` has passed.

        Returns:
            Whether ``media_s``, or the end, was reached.
        """
        until_s = time.monotonic() + wait_s
        frame_s = self.usual_step_s
        first_s: float | None = None
        while (packet := self._next_packet()) is not None:
            self._ahead.append(packet)
            if packet.size == 0:  # it makes the decoder return its last frames
                continue
            stamp, base = packet.dts, packet.time_base
            now_s = len(self._ahead) * frame_s if stamp is None else float(stamp * base)
            first_s = now_s if first_s is None else first_s
            if now_s - first_s >= media_s:
                return True
            if time.monotonic() > until_s:
                return False
        return self.failure is None

    def first_packets(self, count: int) -> Iterator[Packet[VideoStream]]:
        """Yield at most ``count`` packets before the first frame, and keep them for the frames."""
        for number in range(count):
            if number == len(self._ahead):
                if (packet := self._next_packet()) is None:
                    return
                self._ahead.append(packet)
            yield self._ahead[number]

    def next_frame(self) -> VideoFrame | None:
        """Decode the next frame; return None at the end, or with ``failure`` set after an error.

        Raises:
            SourceError: if the frame is too large.
        """
        if self._frames is None:
            self._frames = self._decode()
        frame = next(self._frames, None)
        if frame is not None:
            check_size(*self.converter.shown_size(frame), self._name)
        return frame

    def take_restart(self) -> bool:
        """Return whether the times of packets went back since the last frame that did."""
        self._restarts -= (has_restarted := self._restarts > 0)
        return has_restarted

    def seek(self, pts: int) -> None:
        """Seek to the last keyframe at or before ``pts`` (stream time base), by the file's index.

        Raises:
            av.error.FFmpegError: if the container isn't seekable.
        """
        self._frames = self._packets = self.landing = None
        self._ahead.clear()
        self._last_dts = self._last_pts = None
        self._restarts = 0
        self.failure = None
        with self.options.limit.applied():
            self.container.seek(pts, stream=self.stream, backward=True)

    def close(self) -> None:
        """Close the container."""
        self._frames = self._packets = None
        self._ahead.clear()
        with self.options.limit.applied():
            self.container.close()

    def _decode(self) -> Iterator[VideoFrame]:
        since_s, failed = time.monotonic(), 0
        while (packet := self._ahead.popleft() if self._ahead else self._next_packet()) is not None:
            self.awaits_keyframe = self.awaits_keyframe and not packet.is_keyframe
            failed += 1
            for frame in self._decode_packet(packet):
                yield frame
                since_s, failed = time.monotonic(), 0
            # A stream may send undecodable data for ever; a file ends.
            limit_s = KEYFRAME_WAIT_S if self.awaits_keyframe else self.options.read_timeout_s
            is_long = failed >= _MIN_FAILED_PACKETS and time.monotonic() - since_s > limit_s
            if self._is_live and is_long:
                self.failure = TimeoutError(_NO_KEYFRAME if self.awaits_keyframe else _NO_IMAGE)
                return
        if not self._is_live and not isinstance(self.failure, SilenceError):
            with contextlib.suppress(av.FFmpegError):  # the end was reached before
                yield from map(self._timed, self.stream.decode(None))

    def _decode_packet(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        if self.options.by_decoding:
            packet.dts = packet.pts  # FFmpeg reorders decoding times by the wrong display times
        self._note_restart(packet)
        if packet.dts is not None:
            self._step = self._step if self._last_dts is None else packet.dts - self._last_dts
            self._last_dts = packet.dts
        place = packet.pos if packet.pts is None else packet.pts
        self.is_encrypted = self.is_encrypted or packet.has_sidedata("encryption_info")
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.damaged.add(place)
            return []
        corrupt = (frame.pts for frame in frames if frame.is_corrupt)
        self.damaged.update(place if pts is None else pts for pts in corrupt)
        return [self._timed(frame) for frame in frames]

    def _note_restart(self, packet: Packet[VideoStream]) -> None:
        """Count a packet whose time is before that of the last one, by display without others."""
        if packet.dts is not None:
            self._restarts += self._last_dts is not None and packet.dts < self._last_dts
            if self._last_dts is None:  # display times go back with each B-frame
                self._restarts = 0
        elif self._last_dts is None and packet.pts is not None:
            self._restarts += self._last_pts is not None and packet.pts < self._last_pts
            self._last_pts = packet.pts

    def _timed(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame whose time has the order of display.

        Without display times that is the decoding time of the packet at which the frame came out.
        The last frames come out without a packet, at the distance of those before.
        """
        if self.is_timed_by_decoding:
            if frame.dts is None and self._last_dts is not None:
                self._last_dts += self._step
            frame.pts = self._last_dts if frame.dts is None else frame.dts
        return frame

    def _is_end(self, error: Exception) -> bool:
        """Return whether an error is the regular end of a stream without a length."""
        has_length = not self.container.name.startswith("http") or size_of(self.container)
        return not has_length and getattr(error, "errno", None) == errno.EIO

    def _next_packet(self) -> Packet[VideoStream] | None:
        """Return the next packet; None at the end, or with ``failure`` set after an error."""
        limit, patience = self.options.limit, self.options.patience
        if self._packets is None:
            self._packets = packets_of(self.container, self.stream)
        if patience is not None:
            limit.set(patience.limit_s)
        try:
            with limit.applied():
                packet = next(self._packets, None)
        except av.FFmpegError as error:
            if limit.is_expired:
                self.failure = SilenceError()
            elif not self._is_end(error):
                self.failure = error
            return None
        if patience is not None and packet is not None:
            if limit.is_expired:  # it was held back until the next one, so it is old
                self.failure = SilenceError()
                return None
            patience.note_packet()
        self.landing = self.landing or packet
        return packet
