"""Network streams: RTSP and HTTP cameras, and videos behind an address."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import av
from av.video.frame import VideoFrame

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    closed_error,
    seek_error,
)
from kpviewer.sources.connecting import (
    SCHEMES,
    NoImageError,
    can_jump,
    check_moving,
    connect,
    is_live,
    options_for,
)
from kpviewer.sources.copying import copy_of
from kpviewer.sources.decoding import Decoder, DecoderOptions
from kpviewer.sources.film import Film
from kpviewer.sources.live import Live, loss_error
from kpviewer.sources.patience import Patience
from kpviewer.sources.redact import redact_url
from kpviewer.sources.reel import Reel
from kpviewer.sources.video import OPTIONS
from kpviewer.sources.watch import Watch
from kpviewer.structures import StreamInfo

_CONNECT_TIMEOUT_S = 0.88 * OPEN_TIMEOUT_S  # leaves room to find out and say why
LONGEST_GAP_S = 1.0
"""Between frames of a playlist, whose parts are of even frame rate."""
_FIRST_FACTOR = 8
"""A camera may send an image every 10 s, and FFmpeg gives it out when the next one comes."""
_FILE_FACTOR = 5
"""A file is waited for this much longer than a camera: it can't be had later."""
_HLS_FACTOR = 10
"""A live playlist gives all frames of a segment at once, then none for as long as it lasts."""


class StreamSource:
    """A FrameSource over an address. ``close`` and ``open`` connect anew.

    A stream of known length is a file from afar: it loses no frame and ends with None. Any other
    is live, and its end is a loss: a SourceError. ``interrupt`` ends every wait.
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
        if scheme not in SCHEMES:
            raise SourceError(
                f"An address must start with one of {', '.join(SCHEMES)}, got {redact_url(url)}."
            )
        self._url = f"{scheme}{colon}{rest}"  # FFmpeg knows no RTSP://
        self._name = redact_url(self._url)
        self._watch = Watch()
        self._options = DecoderOptions(
            options_for(scheme), open_timeout_s, read_timeout_s, watch=self._watch
        )
        self._opened: Live | _RemoteFile | None = None
        self._reached = 0

    @property
    def info(self) -> StreamInfo:
        """What the stream says of itself."""
        return self._open_one().info

    @property
    def next_index(self) -> int:
        """Number of frames read so far; of a file, the index of the next."""
        opened = self._opened  # read once: another thread may ask while it is closed
        return self._reached if opened is None else opened.next_index

    @property
    def warning(self) -> str | None:
        """Damage of a file, or what a camera's first image waits for."""
        opened = self._opened
        return None if opened is None else opened.warning

    @property
    def silence_s(self) -> float | None:
        """Seconds without data while no image can come yet; None once one could."""
        opened = self._opened
        return opened.silence_s if isinstance(opened, Live) else None

    @property
    def usual_gap_s(self) -> float:
        """About the longest time between two frames of a camera."""
        opened = self._opened
        return opened.usual_gap_s if isinstance(opened, Live) else 0.0

    def interrupt(self) -> None:
        """End the ``open`` or ``read`` under way with a SourceError; from any thread."""
        self._watch.cut()

    def open(self) -> StreamInfo:
        """Connect.

        Raises:
            SourceError: if nobody answers, or answers with something else than video.
        """
        self.close()
        self._reached = 0
        self._watch.reset()
        try:
            self._opened = self._connect(None)
        except NoImageError:  # parts of a multipart stream that don't say that they are JPEG
            self._opened = self._connect("mjpeg")
        return self._opened.info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the next frame.

        Raises:
            SourceError: if the source is closed, or the stream is lost or silent.
        """
        opened = self._open_one()
        taken = opened.take()
        if taken is None:
            return None
        frame, position_s = taken
        captured_ns = time.monotonic_ns()
        return Captured(opened.decoder.to_bgr(frame, allocate), captured_ns, position_s)

    def seek(self, index: int) -> None:
        """Make frame ``index`` of a seekable file the next one.

        Raises:
            SourceError: if the source is closed, live, or a file too long to be counted at once.
        """
        if isinstance(opened := self._open_one(), Live) or not opened.info.is_seekable:
            raise seek_error(self._name)
        opened.seek(max(index, 0))

    def close(self) -> None:
        """Hang up."""
        self._reached = self.next_index
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _open_one(self) -> Live | _RemoteFile:
        if self._opened is None:
            raise closed_error(self._name)
        return self._opened

    def _connect(self, format_name: str | None) -> Live | _RemoteFile:
        timeout_s = self._options.read_timeout_s
        patience = Patience(timeout_s, _FIRST_FACTOR * timeout_s)
        options = replace(self._options, patience=patience, format=format_name)
        decoder = connect(self._url, self._name, options)
        try:
            if format_name is not None or is_live(decoder):
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
            reel = Reel(self._url, self._name, options, decoder)
        except SourceError:
            # An MP4 with its index at the end, from a server that gives files only from the start.
            if not kind.startswith("mov") or self._watch.is_cut or can_jump(self._url, kind):
                raise
            decoder.close()
            path = copy_of(self._url, self._name, self._watch, options.read_timeout_s)
            return _RemoteFile(_reel_of_copy(path, self._name), self._name, options, path)
        reel.can_jump = reel.index is None or can_jump(self._url, kind)
        return _RemoteFile(reel, self._name, options)


def _reel_of_copy(path: Path, name: str) -> Reel:
    try:
        return Reel(str(path), name, OPTIONS)
    except (av.FFmpegError, SourceError):
        path.unlink()
        raise


class _RemoteFile:
    """A finite video behind an address: every frame, and a SourceError where one can't be had."""

    def __init__(
        self, reel: Reel, name: str, options: DecoderOptions, copy: Path | None = None
    ) -> None:
        self._name = name
        self._options = options
        self._copy = copy
        self._is_playlist = reel.decoder.container.format.name == "hls"
        self._last_s = self._missing_s = 0.0
        self._film = film = Film(reel, name)
        self.info = replace(film.info, is_seekable=reel.index is not None)

    @property
    def decoder(self) -> Decoder:
        """What decodes it now."""
        return self._film.reel.decoder

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``take`` gives."""
        return self._film.reel.next_index

    @property
    def warning(self) -> str | None:
        """Damage that was seen so far."""
        if self._missing_s:
            return f"{self._missing_s:.1f} s are missing: parts of the playlist could not be read"
        return self._film.warning

    def take(self) -> tuple[VideoFrame, float] | None:
        """Return the next frame and its position; None at the end.

        Raises:
            SourceError: if the connection breaks.
        """
        taken = self._film.take()
        if taken is None and self.decoder.failure is not None:
            raise loss_error(self._name, self.decoder.failure, self._options)
        if taken is not None and self._is_playlist:
            self._note_gap(taken[1])
        return taken

    def _note_gap(self, position_s: float) -> None:
        """FFmpeg leaves out, without a word, the parts of a playlist that it can't get."""
        gap_s = position_s - self._last_s
        if gap_s > LONGEST_GAP_S:
            self._missing_s += gap_s
        self._last_s = position_s

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one."""
        self._last_s = math.inf
        self._film.reel.seek(index)

    def close(self) -> None:
        """Hang up, and delete the copy."""
        self._film.reel.close()
        if self._copy is not None:
            self._copy.unlink(missing_ok=True)
