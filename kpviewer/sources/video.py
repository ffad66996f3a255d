"""Video files: exact timestamps, frame-exact seek, upright pictures, and a word on damage."""

from __future__ import annotations

import time
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    TruthProvider,
    closed_error,
)
from kpviewer.sources.decoding import DecoderOptions, plausible_fps
from kpviewer.sources.reel import Reel
from kpviewer.structures import StreamInfo

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,gif,ivf,"
    "h264,hevc,m4v,mpegvideo,obu,mjpeg,mxf,dv,wtv,nut,yuv4mpegpipe"
)
"""Demuxers that open no other file: no playlists, no ``concat``, no ``image2``."""

OPTIONS = DecoderOptions(
    {"protocol_whitelist": "file", "format_whitelist": FORMATS}, OPEN_TIMEOUT_S, READ_TIMEOUT_S
)
PLAUSIBLE_FRAMES = 10_000_000
SHORTFALL_S = 0.5
"""A file that ends this much before its header says ended early."""


class VideoSource:
    """A FrameSource over a video file. Position 0 s is its first frame."""

    def __init__(self, path: Path, *, truth: TruthProvider | None = None) -> None:
        self._path = path
        self._truth = truth
        self._reel: Reel | None = None
        self._info: StreamInfo | None = None
        self._reached_s = 0.0
        self._warning: str | None = None

    @property
    def info(self) -> StreamInfo:
        """What the file says of itself; ``frame_count`` is counted where that takes a moment."""
        if self._info is None:
            raise closed_error(self._path.name)
        return self._info

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` gives."""
        return 0 if self._reel is None else self._reel.next_index

    @property
    def warning(self) -> str | None:
        """Damage that was seen so far, for the user."""
        damaged = 0 if self._reel is None else len(self._reel.decoder.damaged_pts)
        if self._warning is None and damaged:
            return f"damaged frames: {damaged}; the picture may be smeared there"
        return self._warning

    def open(self) -> StreamInfo:
        """Open the file, decode its first frame and count the others.

        Raises:
            SourceError: if it is missing, empty, no video, or too damaged to give one frame.
        """
        self.close()
        self._warning, self._reached_s = None, 0.0
        location = check_file(self._path)
        try:
            reel = Reel(location, self._path.name, OPTIONS)
        except (av.FFmpegError, ValueError) as error:
            raise SourceError(explain(self._path, error)) from error
        self._reel, self._info = reel, _describe(reel, self._path.name)
        if self._truth is not None:
            self._truth.meet([self._path], reel.frame_count)
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Give the next frame; None at the end, where ``warning`` tells if that came early.

        Raises:
            SourceError: if the source is closed.
        """
        reel = self._opened()
        index, frame = reel.next_index, reel.take()
        if frame is None:
            self._note_end(reel)
            return None
        bgr = reel.decoder.to_bgr(frame, allocate)
        captured_ns = time.monotonic_ns()
        position_s = self._position_s(frame, index)
        truth = self._truth.for_frame(index, str(self._path)) if self._truth is not None else None
        return Captured(bgr, captured_ns, position_s, truth, self._path.name, index)

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one, exactly.

        Raises:
            SourceError: if the source is closed, or can't be read again.
        """
        self._opened().seek(max(index, 0))

    def close(self) -> None:
        """Close the file; the last warning stays."""
        self._warning = self.warning
        if self._reel is not None:
            self._reel.close()
        self._reel = self._info = None

    def _opened(self) -> Reel:
        if self._reel is None:
            raise closed_error(self._path.name)
        return self._reel

    def _position_s(self, frame: VideoFrame, index: int) -> float | None:
        """Seconds since the first frame; also notes how far the file was read."""
        first, base = self._opened().first, frame.time_base
        if frame.pts is None or first.pts is None or base is None:
            fps = self.info.nominal_fps
            return index / fps if fps else None
        length_s = float(frame.duration * base) or 1 / (self.info.nominal_fps or 25.0)
        self._reached_s = max(self._reached_s, float(frame.pts * base) + length_s)
        return float((frame.pts - first.pts) * base)

    def _note_end(self, reel: Reel) -> None:
        if self._warning is not None or not reel.has_run_out or self._reached_s == 0:
            return
        total_s = stated_end_s(reel.decoder.container, reel.decoder.stream)
        frames = reel.next_index
        if total_s is not None and total_s - self._reached_s > SHORTFALL_S:
            expected = _stated_frames(reel) or round(frames * total_s / self._reached_s)
            self._warning = f"ended early: {frames} of {expected} frames could be read"
        elif reel.decoder.failure is not None:
            self._warning = f"ended early: {frames} frames could be read"


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


def explain(path: Path, error: Exception) -> str:
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


def stated_end_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Time at which the video ends by the file's header, s; None where it isn't said."""
    base = stream.time_base
    if stream.duration and base is not None:
        return float((stream.duration + (stream.start_time or 0)) * base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:00:01.700000000
    hours, _, rest = tag.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        pass  # no such tag, or one of another make
    alone = len(container.streams) == 1  # else it may be the sound that is longer
    return container.duration / av.time_base if container.duration and alone else None


def _stated_frames(reel: Reel) -> int | None:
    stream = reel.decoder.stream
    is_plausible = 0 < stream.frames < PLAUSIBLE_FRAMES and plausible_fps(stream.average_rate)
    return stream.frames if is_plausible else None


def _describe(reel: Reel, name: str) -> StreamInfo:
    stream = reel.decoder.stream
    width, height = reel.decoder.shown_size(reel.first)
    return StreamInfo(
        name,
        width,
        height,
        plausible_fps(stream.average_rate),
        reel.frame_count or _stated_frames(reel),
        is_live=False,
        is_seekable=True,
    )
