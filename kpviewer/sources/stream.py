"""Network streams: RTSP and HTTP cameras, and videos behind an address."""

from __future__ import annotations

import time

import av

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    closed_error,
    seek_error,
)
from kpviewer.sources.decoding import Decoder, DecoderOptions, plausible_fps
from kpviewer.sources.redact import redact_url
from kpviewer.structures import StreamInfo

SCHEMES = ("rtsp", "rtsps", "http", "https")

_CONNECT_TIMEOUT_S = 0.9 * OPEN_TIMEOUT_S  # leaves room to say so within the open timeout
_COMMON = {
    "fflags": "nobuffer",
    "analyzeduration": "1000000",  # us: FFmpeg would look at 5 s of pictures before the first
}
_RTSP = {
    "protocol_whitelist": "rtsp,rtsps,tcp,tls,udp,rtp,srtp,crypto",
    "format_whitelist": "rtsp,sdp,rtp",
    "rtsp_transport": "tcp",  # UDP loses packets, and smears the picture, on any busy network
}
_HTTP = {
    "protocol_whitelist": "http,https,tcp,tls,crypto,httpproxy",
    "format_whitelist": (
        "mpjpeg,mjpeg,hls,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,flv,avi,ogg,h264,hevc"
    ),
}
_WITHOUT_CLOCK = {"mpjpeg", "mjpeg"}
"""Formats whose frame rate is FFmpeg's guess, 25, whatever the camera does."""


class StreamSource:
    """A FrameSource over an address. ``close`` and ``open`` connect anew.

    A stream of known length is a file from afar: it loses no frame and ends with None. Any other
    is live, and its end is a loss: a SourceError.
    """

    warning: str | None = None

    def __init__(
        self,
        url: str,
        *,
        open_timeout_s: float = _CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        if any(letter.isspace() for letter in url):
            raise SourceError("An address must hold no spaces. Write each as %20.")
        scheme = url.partition("://")[0].lower()
        if scheme not in SCHEMES:
            raise SourceError(
                f"An address must start with one of {', '.join(SCHEMES)}, got {redact_url(url)}."
            )
        self._url = url
        self._name = redact_url(url)
        protocol = _RTSP if scheme.startswith("rtsp") else _HTTP
        self._options = DecoderOptions(
            _COMMON | protocol, open_timeout_s, read_timeout_s, is_live=True
        )
        self._decoder: Decoder | None = None
        self._info: StreamInfo | None = None
        self._next_index = 0

    @property
    def info(self) -> StreamInfo:
        """What the stream says of itself."""
        if self._info is None:
            raise closed_error(self._name)
        return self._info

    @property
    def next_index(self) -> int:
        """Number of frames read so far."""
        return self._next_index

    def open(self) -> StreamInfo:
        """Connect.

        Raises:
            SourceError: if nobody answers, or answers with something else than video.
        """
        self.close()
        started = time.monotonic()
        try:
            decoder = Decoder(self._url, self._name, self._options)
        except (av.FFmpegError, ValueError) as error:
            # The cause holds the address with its password: it must not reach a traceback.
            raise SourceError(self._explain(error, time.monotonic() - started)) from None
        self._decoder, self._next_index = decoder, 0
        stream, container = decoder.stream, decoder.container
        has_clock = container.format.name not in _WITHOUT_CLOCK
        self._info = StreamInfo(
            self._name,
            *decoder.stated_size,
            plausible_fps(stream.average_rate) if has_clock else None,
            None,
            is_live=container.duration is None,
            is_seekable=False,
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next frame.

        Raises:
            SourceError: if the source is closed, or the stream is lost or silent.
        """
        decoder, info = self._decoder, self.info
        if decoder is None:
            raise closed_error(self._name)
        frame = decoder.next_frame()
        captured_ns = time.monotonic_ns()
        if frame is None:
            if decoder.failure is None and not info.is_live:
                return None
            raise SourceError(self._lost(decoder.failure))
        self._next_index += 1
        has_clock = frame.pts is not None and decoder.container.format.name not in _WITHOUT_CLOCK
        position_s = float(frame.time) if has_clock else None
        return Captured(decoder.to_bgr(frame, allocate), captured_ns, position_s)

    def seek(self, index: int) -> None:
        """Raise SourceError: a stream has no way back."""
        if self._decoder is None:
            raise closed_error(self._name)
        raise seek_error(self._name)

    def close(self) -> None:
        """Hang up."""
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = self._info = None

    def _explain(self, error: Exception, waited_s: float) -> str:
        # By the time, as FFmpeg has several errors for a silence, "invalid data" among them.
        if waited_s >= self._options.open_timeout_s:
            return (
                f"{self._name} doesn't answer within {self._options.open_timeout_s:g} s. "
                "Is the camera on, and in the same network?"
            )
        reason = getattr(error, "strerror", None) or type(error).__name__
        return (
            f"{self._name} can't be opened ({reason}). "
            "Check the address, its user name and password."
        )

    def _lost(self, failure: Exception | None) -> str:
        if isinstance(failure, av.error.ExitError | TimeoutError):
            why = f"no picture for {self._options.read_timeout_s:g} s"
        elif failure is None:
            why = "the other side hung up"
        else:
            why = getattr(failure, "strerror", None) or type(failure).__name__
        return f"{self._name} is lost: {why}. Is the camera still on?"
