"""Video files: exact timestamps, frame-exact seek, upright images, and a word on damage."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import av

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    GroundTruthProvider,
    closed_error,
)
from kpviewer.sources.decoding import DecoderOptions
from kpviewer.sources.film import Film
from kpviewer.sources.formats import VIDEO_FORMATS, formats_of
from kpviewer.sources.reel import Reel
from kpviewer.structures import StreamInfo

OPTIONS = DecoderOptions(
    {"protocol_whitelist": "file", "format_whitelist": ",".join(VIDEO_FORMATS)},
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
)


class VideoSource:
    """A FrameSource over a video file. Position 0 s is its first frame."""

    def __init__(self, path: Path, *, ground_truth: GroundTruthProvider | None = None) -> None:
        self._path = path
        self._ground_truth = ground_truth
        self._film: Film | None = None
        self._last_warning: str | None = None

    @property
    def info(self) -> StreamInfo:
        """What the file says of itself; ``frame_count`` is counted where that takes a moment."""
        return self._opened().info

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` gives."""
        film = self._film  # read once: another thread may ask while it is closed
        return 0 if film is None else film.reel.next_index

    @property
    def warning(self) -> str | None:
        """Damage that was seen so far, for the user."""
        film = self._film
        return self._last_warning if film is None else film.warning

    def open(self) -> StreamInfo:
        """Open the file, decode its first frame and count the others.

        Raises:
            SourceError: if it is missing, empty, no video, or too damaged to give one frame.
        """
        self.close()
        self._last_warning = None
        self._film = film = self._open_film(check_file(self._path))
        if self._ground_truth is not None:
            self._ground_truth.set_source_files([self._path], film.reel.frame_count)
        return film.info

    def read(self, allocate: Allocate) -> Captured | None:
        """Give the next frame; None at the end, where ``warning`` tells if that came early.

        Raises:
            SourceError: if the source is closed.
        """
        film = self._opened()
        index, taken = film.reel.next_index, film.take()
        if taken is None:
            return None
        frame, position_s = taken
        bgr = film.reel.decoder.to_bgr(frame, allocate)
        captured_ns = time.monotonic_ns()
        ground_truth = (
            self._ground_truth.for_frame(index, str(self._path))
            if self._ground_truth is not None
            else None
        )
        return Captured(bgr, captured_ns, position_s, ground_truth, self._path.name, index)

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one, exactly.

        Raises:
            SourceError: if the source is closed, or can't be read again.
        """
        self._opened().reel.seek(max(index, 0))

    def close(self) -> None:
        """Close the file; the last warning stays."""
        self._last_warning = self.warning
        if self._film is not None:
            self._film.reel.close()
        self._film = None

    def _opened(self) -> Film:
        if self._film is None:
            raise closed_error(self._path.name)
        return self._film

    def _open_film(self, location: str) -> Film:
        """Open it as what FFmpeg takes it for, else as what its name says."""
        name = self._path.name
        first: Exception | None = None
        for format_name in (None, *formats_of(self._path.suffix)):
            try:
                reel = Reel(location, name, replace(OPTIONS, format=format_name))
            except (av.FFmpegError, ValueError, SourceError) as error:
                first = first or error
            else:
                return Film(reel, name)
        if isinstance(first, SourceError):
            raise first
        raise SourceError(explain(self._path, first)) from first


def check_file(path: Path) -> str:
    """Give the absolute path of a regular, non-empty file.

    Raises:
        SourceError: if it is none.
    """
    if not path.exists():
        raise SourceError(f"There is no file {path}. Check the name, and the folder it is in.")
    if not path.is_file():
        raise SourceError(f"A video must be a regular file, got {path}.")
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes). Copy or record it again.")
    return str(path.resolve())


def explain(path: Path, error: Exception | None) -> str:
    """Say in one or two lines why a file can't be opened."""
    if isinstance(error, PermissionError):
        return f"{path.name} may not be read by you. Change its permissions."
    with path.open("rb") as file:
        is_mp4 = file.read(8)[4:] == b"ftyp"
    if is_mp4:
        return (
            f"{path.name} is an MP4 without its index: it was cut off while being written or "
            "copied. Copy it again; a tool such as untrunc may rescue the original."
        )
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"{path.name} is no video that can be read here ({reason}). "
        "If it plays elsewhere, convert it to MP4 or MKV."
    )
