"""Network streams: RTSP and HTTP cameras, and videos behind an address."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    closed_error,
    seek_error,
)
from kpviewer.sources.network.address import SCHEMES
from kpviewer.sources.network.connecting import (
    IndexAtEndError,
    NoImageError,
    can_jump,
    check_moving,
    connect,
    is_live,
    options_for,
)
from kpviewer.sources.network.copying import copy_of
from kpviewer.sources.network.live import Live, loss_error
from kpviewer.sources.redact import redact_url
from kpviewer.sources.video.call_limit import CallLimit
from kpviewer.sources.video.container import DecoderOptions
from kpviewer.sources.video.decoding import Decoder
from kpviewer.sources.video.file import OPTIONS
from kpviewer.sources.video.finite import FiniteVideo
from kpviewer.sources.video.frames import VideoFrames
from kpviewer.sources.video.patience import Patience
from kpviewer.structures import StreamInfo

_DIAGNOSIS_S = 0.12 * OPEN_TIMEOUT_S
_CONNECT_TIMEOUT_S = OPEN_TIMEOUT_S - _DIAGNOSIS_S
_FIRST_FACTOR = 8
"""Factor of the read timeout for the first image: cameras may send an image every 10 s, and
FFmpeg returns it when the next one arrives."""
_FILE_FACTOR = 5
"""Factor of the read timeout for a file, whose frames can't be read later."""
_HLS_FACTOR = 10
"""Factor of the read timeout for a live playlist, whose segments arrive all at once."""


class StreamSource:
    """FrameSource of a network address. ``close`` and ``open`` reconnect.

    A stream of known length is a remote file: it loses no frame and ends with None. Any other
    stream is live, and its end is a SourceError. ``interrupt`` ends every wait.
    """

    def __init__(
        self,
        url: str,
        *,
        open_timeout_s: float = _CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        if any(letter.isspace() for letter in url):
            raise SourceError("An address must hold no spaces. Write each as %20.")
        scheme, colon, rest = url.partition("://")
        scheme = scheme.lower()
        if scheme == "file":
            path = redact_url(unquote(rest))
            raise SourceError(f"A file is named by its path, without file://. Write {path}.")
        if scheme not in SCHEMES:
            raise SourceError(
                f"An address must start with one of {', '.join(SCHEMES)}, got {redact_url(url)}."
            )
        self._url = f"{scheme}{colon}{rest}"  # FFmpeg doesn't know RTSP://
        self._name = redact_url(self._url)
        self._limit = CallLimit()
        self._began_s: float | None = None
        self._late: str | None = None
        """Reason why opening takes long."""
        self._options = DecoderOptions(
            options_for(scheme), open_timeout_s, read_timeout_s, limit=self._limit
        )
        self._opened: Live | _RemoteFile | None = None
        self._format: str | None = None
        self._last_index = 0

    @property
    def info(self) -> StreamInfo:
        """Description of the open stream."""
        return self._require_open().info

    @property
    def next_index(self) -> int:
        """Number of frames read; for a file, the index of the next frame."""
        opened = self._opened  # read once: another thread may ask while it is closed
        return self._last_index if opened is None else opened.next_index

    @property
    def warning(self) -> str | None:
        """Damage of a file, or the reason that a first image is late."""
        opened = self._opened
        return self._late if opened is None else opened.warning

    @property
    def open_timeout_s(self) -> float:
        """Time limit for opening, s; it grows while an image or a copy of the file arrives."""
        began_s = self._began_s  # read once: another thread opens
        if began_s is None:
            return OPEN_TIMEOUT_S
        since_s = time.monotonic() - began_s
        return max(OPEN_TIMEOUT_S, since_s + self._limit.remaining_s + _DIAGNOSIS_S)

    @property
    def silence_s(self) -> float | None:
        """Seconds without data while waiting for the first keyframe; None after it."""
        opened = self._opened
        return opened.silence_s if isinstance(opened, Live) else None

    @property
    def usual_gap_s(self) -> float:
        """Approximate longest time between two frames of a camera."""
        opened = self._opened
        return opened.usual_gap_s if isinstance(opened, Live) else 0.0

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """(N,) float64 positions of all frames of a file; None if they are unknown."""
        opened = self._opened
        return opened.times_s if isinstance(opened, _RemoteFile) else None

    def interrupt(self) -> None:
        """End the current ``open`` or ``read`` with a SourceError; callable from any thread."""
        self._limit.cancel()

    def open(self) -> StreamInfo:
        """Connect.

        Raises:
            SourceError: if there is no answer, or the answer isn't video.
        """
        self.close()
        self._last_index = 0
        self._limit.reset()
        self._began_s = time.monotonic()
        try:
            self._opened = self._connect()
        except NoImageError:  # parts of a multipart stream without a content type
            self._opened = self._connect_to_images()
        finally:
            self._began_s = self._late = None
        return self._opened.info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next frame."""
        opened = self._require_open()
        try:
            taken = opened.next_frame()
        except NoImageError:  # a part of sound or text, or one whose length is wrong
            self.close()
            self._opened = opened = self._connect_to_images()
            opened.next_index = self._last_index
            taken = opened.next_frame()
        if taken is None:
            return None
        frame, position_s = taken
        captured_ns = time.monotonic_ns()
        return Captured(opened.decoder.converter.to_bgr(frame, allocate), captured_ns, position_s)

    def seek(self, index: int) -> None:
        """Make frame ``index`` of a seekable file the next one.

        Raises:
            SourceError: if the source is closed, live, or a file that is too long to index.
        """
        if isinstance(opened := self._require_open(), Live) or not opened.info.is_seekable:
            raise seek_error(self._name)
        opened.seek(max(index, 0))

    def close(self) -> None:
        """Close the connection."""
        self._last_index = self.next_index
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _require_open(self) -> Live | _RemoteFile:
        if self._opened is None:
            raise closed_error(self._name)
        return self._opened

    def _connect_to_images(self) -> Live:
        """Connect, now and later, to the JPEG images of a stream whose parts FFmpeg can't read."""
        self._format = "mjpeg"
        opened = self._connect()
        assert isinstance(opened, Live)
        return opened

    def _connect(self) -> Live | _RemoteFile:
        timeout_s = self._options.read_timeout_s
        patience = Patience(timeout_s, _FIRST_FACTOR * timeout_s)
        options = replace(self._options, patience=patience, format=self._format)
        try:
            decoder = connect(self._url, self._name, options)
        except IndexAtEndError:
            return self._copied(options)
        try:
            if self._format is not None or is_live(decoder):
                if decoder.container.format.name == "hls":
                    patience.least_s = patience.first_s = _HLS_FACTOR * timeout_s
                return Live(decoder, self._name, options)
            patience.least_s = patience.first_s = _FILE_FACTOR * timeout_s
            return self._file(decoder, options)
        except (SourceError, av.FFmpegError):
            decoder.close()
            raise

    def _file(self, decoder: Decoder, options: DecoderOptions) -> _RemoteFile:
        kind = decoder.container.format.name
        check_moving(decoder, self._name)
        try:
            frames = VideoFrames(self._url, self._name, options, decoder)
        except SourceError:
            # An MP4 with its index at the end, from a server that sends files only from the start.
            if not kind.startswith("mov") or self._limit.is_cancelled or can_jump(self._url, kind):
                raise
            decoder.close()
            return self._copied(options)
        self._limit.set(OPEN_TIMEOUT_S)
        frames.can_jump = frames.index is None or can_jump(self._url, kind)
        return _RemoteFile(frames, self._name, options)

    def _copied(self, options: DecoderOptions) -> _RemoteFile:
        """Open a temporary copy of the file."""
        self._late = f"{self._name} is copied first, as its index is at the end."
        path = copy_of(self._url, self._name, self._limit, options.read_timeout_s)
        self._limit.set(OPEN_TIMEOUT_S)
        return _RemoteFile(_frames_of_copy(path, self._name), self._name, options, path)


def _frames_of_copy(path: Path, name: str) -> VideoFrames:
    try:
        return VideoFrames(str(path), name, OPTIONS)
    except (av.FFmpegError, SourceError):
        path.unlink()
        raise


class _RemoteFile:
    """Finite video at a network address; a frame that can't be loaded is a SourceError."""

    def __init__(
        self, frames: VideoFrames, name: str, options: DecoderOptions, copy: Path | None = None
    ) -> None:
        self._name = name
        self._options = options
        self._copy = copy
        self._video = video = FiniteVideo(frames, name)
        self.info = replace(video.info, is_seekable=frames.index is not None)

    @property
    def decoder(self) -> Decoder:
        """Current decoder."""
        return self._video.frames.decoder

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """Positions of all frames; None while unknown."""
        return self._video.frames.times_s

    @property
    def next_index(self) -> int:
        """Index of the frame that the next call of ``next_frame`` returns."""
        return self._video.frames.next_index

    @property
    def warning(self) -> str | None:
        """Damage found up to now; None if there is none."""
        return self._video.warning

    def next_frame(self) -> tuple[VideoFrame, float] | None:
        """Return the next frame and its position; None at the end.

        Raises:
            SourceError: if the connection breaks.
        """
        taken = self._video.next_frame()
        if taken is None and self.decoder.failure is not None:
            raise loss_error(self._name, self.decoder.failure, self._options)
        return taken

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one."""
        self._video.seek(index)

    def close(self) -> None:
        """Close the connection, and delete the copy."""
        self._video.frames.close()
        if self._copy is not None:
            self._copy.unlink(missing_ok=True)
