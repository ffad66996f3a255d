"""Source of video files: exact timestamps, frame-exact seeking, upright images, damage reports."""

import contextlib
import os
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
    Allocate,
    Captured,
    GroundTruthProvider,
    closed_error,
)
from kpviewer.sources.video.container import DecoderOptions
from kpviewer.sources.video.finite import JOINED, FiniteVideo
from kpviewer.sources.video.formats import VIDEO_FORMATS, formats_of
from kpviewer.sources.video.frames import VideoFrames
from kpviewer.sources.video.mp4_boxes import ends_inside, holds_several, is_mp4, readable_bytes
from kpviewer.structures import StreamInfo

OPTIONS = DecoderOptions(
    {"protocol_whitelist": "file", "format_whitelist": ",".join(VIDEO_FORMATS)},
    OPEN_TIMEOUT_S,
    READ_TIMEOUT_S,
)
_MATROSKA = re.compile(rb"\x1a\x45\xdf\xa3.{0,64}?(?:matroska|webm)", re.DOTALL)
"""Beginning of a Matroska or WebM file."""
_MOST_BEHIND = 4 * 2**20
"""Bytes behind the frames in which another file begins: an index and tags may be between."""
_GIF_TAIL = 4096
"""Bytes among which a GIF ends: the end of its last block, and a semicolon; padding may follow."""
_PLAYLIST_SUFFIXES = (".m3u8", ".m3u")
_PLAYLIST_OPTIONS = {
    "protocol_whitelist": "file,crypto",
    "format_whitelist": ",".join((*VIDEO_FORMATS, "hls", "webvtt")),
    "live_start_index": "0",  # of a playlist without an end; else its third segment from the end
    # FFmpeg's default, and keys of encrypted segments.
    "allowed_extensions": (
        "3gp,aac,avi,ac3,eac3,flac,mkv,m3u8,m4a,m4s,m4v,mpg,mov,mp2,mp3,mp4,mpeg,mpegts,ogg,ogv,oga,"
        "ts,vob,vtt,wav,webvtt,cmfv,cmfa,ec3,fmp4,html,key,bin"
    ),
}


class VideoSource:
    """FrameSource of a video file. Position 0 s is its first frame."""

    def __init__(self, path: Path, *, ground_truth: GroundTruthProvider | None = None) -> None:
        self._path = path
        self._ground_truth = ground_truth
        self._video: FiniteVideo | None = None
        self._last_warning: str | None = None

    @property
    def info(self) -> StreamInfo:
        """Description of the file; ``frame_count`` is exact if counting is fast."""
        return self._require_open().info

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` returns."""
        video = self._video  # read once: another thread may ask while it is closed
        return 0 if video is None else video.frames.next_index

    @property
    def warning(self) -> str | None:
        """Damage found up to now, for the user; None if there is none."""
        video = self._video
        return self._last_warning if video is None else video.warning

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """(N,) float64 positions of all frames, as far as their times are known without decoding.

        None if the file is closed, or its frames aren't counted.
        """
        video = self._video
        return None if video is None else video.frames.times_s

    def open(self) -> StreamInfo:
        """Open the file, decode its first frame and count the others.

        Raises:
            SourceError: if it is missing, empty, not a video, or has no readable frame.
        """
        self.close()
        self._last_warning = None
        self._video = video = self._open_video(check_file(self._path))
        if self._ground_truth is not None:
            self._ground_truth.set_source_files([self._path], video.frames.frame_count)
        return video.info

    def read(self, allocate: Allocate) -> Captured | None:
        """Read the next frame; return None at the end. ``warning`` then reports an early end."""
        video = self._require_open()
        taken = video.next_frame()
        if taken is None:
            return None
        index, (frame, position_s) = video.frames.next_index - 1, taken
        bgr = video.frames.decoder.converter.to_bgr(frame, allocate)
        captured_ns = time.monotonic_ns()
        ground_truth = (
            self._ground_truth.for_frame(index, str(self._path), (bgr.shape[1], bgr.shape[0]))
            if self._ground_truth is not None
            else None
        )
        return Captured(bgr, captured_ns, position_s, ground_truth, self._path.name, index)

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one, exactly."""
        self._require_open().seek(max(index, 0))

    def close(self) -> None:
        """Close the file; the last warning stays."""
        self._last_warning = self.warning
        if self._video is not None:
            self._video.frames.close()
        self._video = None

    def _require_open(self) -> FiniteVideo:
        if self._video is None:
            raise closed_error(self._path.name)
        return self._video

    def _open_video(self, location: str) -> FiniteVideo:
        """Open the file in the format that FFmpeg detects, or else in the formats of its suffix."""
        name = self._path.name
        first: Exception | None = None
        base = options_for(self._path)
        for format_name in (None, *formats_of(self._path.suffix)):
            options = replace(base, format=format_name)
            try:
                frames = VideoFrames(location, name, options)
                if frames.frame_count == 1 < frames.decoder.stream.frames:
                    # An edit list hides all others, as where the time scale is wrong.
                    frames.close()
                    ffmpeg = {**options.ffmpeg, "ignore_editlist": "1"}
                    frames = VideoFrames(location, name, replace(options, ffmpeg=ffmpeg))
            except (av.FFmpegError, ValueError, SourceError) as error:
                first = first or error
            else:
                is_joined = holds_several(self._path) or _goes_on(self._path, frames)
                note = JOINED if is_joined else None
                is_cut = partial(_is_cut, self._path, frames)
                return FiniteVideo(frames, name, is_cut=is_cut, note=note)
        if (video := self._open_cut_video(location)) is not None:
            return video
        if isinstance(first, SourceError):
            raise first
        raise SourceError(explain(self._path, first)) from first

    def _open_cut_video(self, location: str) -> FiniteVideo | None:
        """Open the whole fragments of an MP4 that ends in the index of one; None for others."""
        name = self._path.name
        try:
            if (part := whole_fragments(self._path, location)) is None:
                return None
            frames = VideoFrames(part[0], name, part[1])
        except (OSError, av.FFmpegError, ValueError, SourceError):
            return None
        return FiniteVideo(frames, name, is_cut=lambda: True)


def whole_fragments(path: Path, location: str) -> tuple[str, DecoderOptions] | None:
    """Return the location of the whole fragments of a cut MP4, and options to open it.

    Returns:
        None if the file isn't an MP4, or has no incomplete box.

    Raises:
        OSError: if the file can't be read.
    """
    end = readable_bytes(path) if is_mp4(path) else 0
    if not 0 < end < path.stat().st_size:
        return None
    ffmpeg = OPTIONS.ffmpeg | {"protocol_whitelist": "file,subfile"}
    options = replace(OPTIONS, ffmpeg=ffmpeg, format="mov")
    return f"subfile,,start,0,end,{end},,:{location}", options


def _goes_on(path: Path, frames: VideoFrames) -> bool:
    """Return whether a Matroska follows the frames: of several in a file, FFmpeg shows two."""
    index = frames.index
    if index is None or frames.decoder.container.format.name != "matroska,webm":
        return False
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(index.end_byte)
        return _MATROSKA.search(file.read(_MOST_BEHIND)) is not None
    return False


def _is_cut(path: Path, frames: VideoFrames) -> bool:
    """Return whether the end of a file is missing of which FFmpeg shows the rest in silence."""
    name = frames.decoder.container.format.name
    with contextlib.suppress(OSError), path.open("rb") as file:
        if name == "gif":
            file.seek(-min(_GIF_TAIL, path.stat().st_size), os.SEEK_END)
            return not file.read().rstrip(b"\0\r\n ").endswith(b"\0;")
        return is_mp4(path) and ends_inside(path)
    return False


def options_for(path: Path) -> DecoderOptions:
    """Return the options for opening a file: a playlist may open its segments."""
    is_playlist = path.suffix.lower() in _PLAYLIST_SUFFIXES
    return replace(OPTIONS, ffmpeg=_PLAYLIST_OPTIONS) if is_playlist else OPTIONS


def check_file(path: Path) -> str:
    """Return the absolute path of a regular, non-empty file.

    Raises:
        SourceError: if it isn't one.
    """
    if not path.exists():
        raise SourceError(f"There is no file {path}. Check the name, and the folder it is in.")
    if not path.is_file():
        raise SourceError(f"A video must be a regular file, got {path}.")
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes). Copy or record it again.")
    return str(path.resolve())


def explain(path: Path, error: Exception | None) -> str:
    """Return one or two lines that explain why a file can't be opened."""
    if isinstance(error, PermissionError):
        return f"You have no permission to read {path.name}. Change its permissions."
    if is_mp4(path):
        return (
            f"{path.name} is an MP4 without its index: writing or copying it was "
            "interrupted. Copy it again; a tool such as untrunc may rescue the original."
        )
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"{path.name} is not a readable video ({reason}). "
        "If it plays elsewhere, convert it to MP4 or MKV."
    )
