"""Frames of a live network stream."""

import time

import av
from av.video.frame import VideoFrame

from kpviewer.errors import SourceError
from kpviewer.sources.network.connecting import WITHOUT_CLOCK, NoImageError, interrupted_error
from kpviewer.sources.video.call_limit import CallLimit
from kpviewer.sources.video.container import DecoderOptions, plausible_fps
from kpviewer.sources.video.decoding import Decoder, SilenceError
from kpviewer.sources.video.frame_index import longest_step_s
from kpviewer.sources.video.media_clock import MediaClock
from kpviewer.structures import StreamInfo

_SLICE_S = 0.05


class Live:
    """Frames of a live stream.

    Raises:
        SourceError: from the constructor, if the size is unknown and no image arrives.
    """

    def __init__(self, decoder: Decoder, name: str, options: DecoderOptions) -> None:
        self.decoder = decoder
        self._name = name
        self._options = options
        self._began_s = time.monotonic()
        self._first: VideoFrame | None = None
        self.next_index = 0
        decoder.set_live()
        stream, container = decoder.stream, decoder.container
        self._has_clock = container.format.name not in WITHOUT_CLOCK
        fps = plausible_fps(stream.average_rate) if self._has_clock else None
        self._clock = MediaClock(
            decoder.time_base, 1 / (fps or 25.0), longest_step_s(container), decoder.take_restart
        )
        self._pacer = _Pacer(options.limit) if container.format.name == "hls" else None
        width, height = decoder.converter.stated_size
        if not stream.codec_context.width:
            self._first = self._first_of_unknown_size()
            width, height = decoder.converter.shown_size(self._first)
        self.info = StreamInfo(name, width, height, fps, None, is_live=True, is_seekable=False)

    @property
    def warning(self) -> str | None:
        """Reason that the first image is late; None if it isn't."""
        waited_s = time.monotonic() - self._began_s
        if self.decoder.awaits_keyframe and waited_s > self._options.read_timeout_s:
            return "data arrives, but no image can be decoded before the next keyframe"
        return None

    @property
    def silence_s(self) -> float | None:
        """Seconds without data while waiting for the first keyframe; None after it."""
        patience = self._options.patience
        return patience.silence_s if patience and self.decoder.awaits_keyframe else None

    @property
    def usual_gap_s(self) -> float:
        """Approximate longest time between two frames."""
        patience = self._options.patience
        return patience.usual_gap_s if patience else 0.0

    def next_frame(self) -> tuple[VideoFrame, float | None]:
        """Wait for the next frame; return it with its media time in s, if it has one.

        Raises:
            SourceError: if the stream is lost or silent, or its images are too large.
        """
        frame, self._first = self._first or self._decode(), None
        self.next_index += 1
        if not self._has_clock:
            return frame, None
        position_s = self._clock.position_s(frame.pts)
        if self._pacer is not None:
            self._pacer.wait_until(position_s)
        return frame, position_s

    def close(self) -> None:
        """Close the connection."""
        self.decoder.close()

    def _first_of_unknown_size(self) -> VideoFrame:
        frame = self.decoder.next_frame()
        if frame is None and self.decoder.container.format.name == "mpjpeg":
            raise NoImageError(f"{self._name} sends parts that can't be read.")
        return self._checked(frame)

    def _decode(self) -> VideoFrame:
        frame = self.decoder.next_frame()
        is_unread = isinstance(self.decoder.failure, av.InvalidDataError)
        if frame is None and is_unread and self.decoder.container.format.name == "mpjpeg":
            raise NoImageError(f"{self._name} sends a part that can't be read.")
        return self._checked(frame)

    def _checked(self, frame: VideoFrame | None) -> VideoFrame:
        if frame is None:
            raise loss_error(self._name, self.decoder.failure, self._options)
        return frame


class _Pacer:
    """Pacer of frames that arrive in bursts, as from a live playlist."""

    def __init__(self, limit: CallLimit) -> None:
        self._limit = limit
        self._start_s: float | None = None
        """Time at which media time 0 is due."""

    def wait_until(self, position_s: float) -> None:
        """Wait until a frame is due; a late frame delays all others."""
        now_s = time.monotonic()
        if self._start_s is None or now_s > self._start_s + position_s:
            self._start_s = now_s - position_s
        while (left_s := self._start_s + position_s - time.monotonic()) > 0:
            if self._limit.is_cancelled:
                return
            time.sleep(min(left_s, _SLICE_S))


def loss_error(name: str, failure: Exception | None, options: DecoderOptions) -> SourceError:
    """Return the error for a stream that sends no more images."""
    if options.limit.is_cancelled:
        return interrupted_error(name)
    if isinstance(failure, SilenceError):
        waited_s = options.patience.limit_s if options.patience else options.read_timeout_s
        why = f"no image for {waited_s:.3g} s"
    elif isinstance(failure, TimeoutError):
        why = str(failure)
    elif failure is None:
        why = "the server closed the connection"
    else:
        why = getattr(failure, "strerror", None) or type(failure).__name__
    return SourceError(f"{name} is lost: {why}. Is the camera still on?")
