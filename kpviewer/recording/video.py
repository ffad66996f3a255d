"""Writing timed images to an MP4 that survives a crash and a full disk.

The file is fragmented while it grows: all but the last moments can be played at any time. Closing
makes it an ordinary MP4. This module knows nothing of models and overlays.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, cast

import av
from av.video.frame import PictureType

from kpviewer.errors import RecordingError
from kpviewer.recording.codecs import CODECS, Quality, bit_rate, encoder_options, usual_codec
from kpviewer.recording.reasons import reason_of
from kpviewer.sources.video.mp4_boxes import readable_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from kpviewer.recording.parts import Part
    from kpviewer.recording.sound import AudioPacket, SoundTrack
    from kpviewer.recording.yuv import YuvConverter
    from kpviewer.structures import ImageArray

TICKS_PER_S = 60_000
"""Time base, exact for 24, 25, 30, 50, 60 and 30000/1001 fps; MPEG-4 part 2 allows up to 65,535."""

_LONGEST_TICKS, _MOST_COPIES = 8 * 3600 * TICKS_PER_S, 100
"""Longest time of an image, 8 h, as an MP4 has 31 bits for it: it is written again then, as while
a camera has no signal. With more copies, the time must be wrong."""
_GOP_S = 1.0
_LATEST_SOUND_S = 1.0
"""Longest time that a video waits for sound without which it has no index, and can't be played."""
_BT709 = 1  # the number of its primaries and transfer in ITU-T H.273; those of sRGB are the same
_MUXER_OPTIONS = {
    # A fragment at each key frame and each 0.2 s. Killed after 200 frames of 640x480 at 30 fps,
    # 198 can be played; with key frames alone 180.
    "movflags": "+hybrid_fragmented+frag_keyframe",
    "frag_duration": "200000",
    "flush_packets": "1",
    "video_track_timescale": str(TICKS_PER_S),
    # Images wait for sound no longer than this, in µs, as a crash would lose them.
    "max_interleave_delta": "300000",
}


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """Options of encoding a video."""

    codec: str | None = None
    """Key of ``codecs.CODECS``; None: H.264, or MPEG-4 part 2 if FFmpeg lacks x264."""
    preset: str = "ultrafast"
    """Preset of x264. "superfast" needs half to two thirds of the bytes, in twice the time."""
    quality: Quality = Quality.GOOD
    threads: int | None = None
    """Threads of the encoder; None: by the number of cores, on which x264's bytes depend."""


class VideoWriter:
    """One video file, for one thread; the first image sets its size.

    ::

        empty --write--> open --close--> closed      (close also after a failed write)
    """

    def __init__(
        self,
        part: Part,
        nominal_fps: float,
        options: VideoOptions,
        sound: SoundTrack | None = None,
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            part: file from ``parts.reserve``.
            nominal_fps: approximate number of images per second.
            options: options of encoding.
            sound: sound to copy beside the images; closed with the file.
        """
        self._sound = sound
        self.part = part
        """The part file."""
        self._fps = Fraction(min(max(nominal_fps, 1.0), 1000.0)).limit_denominator(1001)
        self._options = options
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._converter: YuvConverter | None = None
        self._last_tick = -1
        self._next_key_s = 0.0
        self.path: Path | None = None
        """Path of the finished file, after ``close``."""
        self.sound_failure: str | None = None
        """Reason why the sound ends before the images: one line for the user."""
        self.frames = 0
        """Number of images written."""

    @property
    def seconds(self) -> float:
        """Length of the video so far, with that of its last image."""
        return self._last_tick / TICKS_PER_S + float(1 / self._fps) if self.frames else 0.0

    @property
    def bytes(self) -> int:
        """Size of the file so far."""
        return self.part.size

    def write(self, image: ImageArray, time_s: float, media_s: float | None = None) -> None:
        """Add an image.

        Args:
            image: (H, W, 3) BGR or (H, W, 4) BGRA, uint8. The first sets the size of the video;
                see ``YuvConverter``.
            time_s: time since the start of the video; if not later than the last, it is moved
                after it.
            media_s: time of the image in the file whose sound is copied; None copies none.

        Raises:
            RecordingError: if it can't be written; the images before can be played, after
                ``close``.
        """
        try:
            if self._converter is None:
                self._converter = _converter_for(image)
                self._leave_late_sound_out(media_s)
                self._open(self._converter)
            tick = max(round(time_s * TICKS_PER_S), self._last_tick + 1)
            if self.frames and tick - self._last_tick <= _MOST_COPIES * _LONGEST_TICKS:
                while tick - self._last_tick > _LONGEST_TICKS:
                    copied = self._last_tick + _LONGEST_TICKS
                    self._encode(self._timed(self._converter.last(), copied))
            self._encode(self._timed(self._converter.convert(image), tick))
            if self._sound is not None and media_s is not None:
                self._copy(self._sound.packets(time_s, media_s))
        except (OSError, av.FFmpegError) as error:
            raise RecordingError(f"Recording stopped: {reason_of(error)}") from error
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its final name; without an image it is removed. Idempotent.

        Raises:
            RecordingError: if its end can't be written; the rest then has the name.
        """
        failure = self._finish()
        if self.frames == 0:
            self.part.discard()
        elif self.path is None:
            self.path = self.part.publish()
        if failure is not None:
            raise RecordingError(f"The end of {self.path} is lost: {reason_of(failure)}")

    def _open(self, converter: YuvConverter) -> None:
        options = self._options
        codec = options.codec or usual_codec()
        # Not by its name: FFmpeg would block all Python threads while a disk doesn't answer.
        muxer = dict(_MUXER_OPTIONS)
        if self._sound is not None and self._sound.may_be_late:
            muxer["movflags"] += "+empty_moov"  # else there is no index before the first sound
        self._container = av.open(self.part, "w", format="mp4", options=muxer)
        stream = cast("VideoStream", self._container.add_stream(codec, rate=self._fps))
        stream.width, stream.height = converter.width, converter.height
        stream.pix_fmt = converter.FORMAT
        stream.time_base = Fraction(1, TICKS_PER_S)
        context = stream.codec_context
        context.time_base = stream.time_base
        context.gop_size = round(self._fps * _GOP_S)
        context.color_range, context.colorspace = converter.RANGE, converter.MATRIX
        context.color_primaries = context.color_trc = _BT709
        if options.threads is not None:
            context.thread_count = options.threads
        stream.options = {**encoder_options(codec, options.quality, options.preset)}
        rate = bit_rate(codec, options.quality, stream.width, stream.height, float(self._fps))
        if rate is not None:
            stream.bit_rate = rate
        tag = CODECS[codec].tag
        if tag is not None:
            context.codec_tag = tag
        try:
            context.open()
        except av.FFmpegError as error:
            raise RecordingError(
                f"{CODECS[codec].label} can't encode {stream.width}x{stream.height} px here. "
                "Choose another encoder."
            ) from error
        if self._sound is not None:
            self._sound.add_to(self._container)
        self._stream = stream

    def _leave_late_sound_out(self, media_s: float | None) -> None:
        """Leave out sound that comes late, if nothing could be played until then."""
        if self._sound is None or self._sound.may_be_late or media_s is None:
            return
        try:
            is_late = self._sound.delay_s(media_s) > _LATEST_SOUND_S
        except RecordingError:
            is_late = True
        if is_late:
            self._sound.close()
            self.sound_failure = (
                f"{self.part.name}: The sound is left out: it begins more than "
                f"{_LATEST_SOUND_S:g} s after the first frame."
            )
            self._sound = None

    def _copy(self, packets: Iterator[AudioPacket]) -> None:
        """Write packets of sound; an error ends only the sound."""
        try:
            for packet in packets:
                if self._container is not None:
                    self._container.mux(packet)
        except (RecordingError, av.error.InvalidDataError) as error:
            self.sound_failure = f"{self.part.name}: {error}"
            self._sound = None

    def _copy_rest(self) -> None:
        if self._sound is not None:
            self._copy(self._sound.rest(self.seconds))

    def _timed(self, frame: av.VideoFrame, tick: int) -> av.VideoFrame:
        self._last_tick = frame.pts = tick
        frame.time_base = Fraction(1, TICKS_PER_S)
        time_s = tick / TICKS_PER_S
        if time_s >= self._next_key_s:  # by time: a camera's nominal rate is unreliable
            frame.pict_type = PictureType.I
            self._next_key_s = time_s + _GOP_S
        return frame

    def _encode(self, frame: av.VideoFrame | None) -> None:
        """Encode and write an image; None writes those that the encoder still holds."""
        if self._stream is not None and self._container is not None:
            self._container.mux(self._stream.encode(frame))

    def _finish(self) -> Exception | None:
        """End the file; return the first error."""
        failure: Exception | None = None
        container = self._container
        ends = (self._copy_rest, partial(self._encode, None))
        steps = (*ends, container.close) if container else ()
        for step in steps:
            try:
                step()
            except (OSError, av.FFmpegError) as error:  # a full disk fails both
                failure = failure or error
        if failure is not None and self.part.is_there():
            with suppress(OSError):
                self.part.truncate(readable_bytes(self.part.path))
        if self._sound is not None:
            self._sound.close()
        self._container = self._stream = self._sound = self._converter = None
        return failure


def _converter_for(image: ImageArray) -> YuvConverter:
    from kpviewer.recording.yuv import YuvConverter  # noqa: PLC0415 - the window starts without it

    return YuvConverter((image.shape[0], image.shape[1]))
