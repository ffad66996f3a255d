"""Opening of a container with FFmpeg, for files and streams alike, and its main video stream.

The formats and protocols to open are listed. Otherwise FFmpeg would follow a playlist inside a file
called ``.mp4`` to other files and to the network.
"""

from dataclasses import dataclass, field

from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from kpviewer.errors import SourceError
from kpviewer.sources.base import LARGEST_SIDE_PX
from kpviewer.sources.video.call_limit import CallLimit
from kpviewer.sources.video.patience import LONGEST_S, Patience
from kpviewer.sources.video.pyav import Ratio, exact, open_input

_NOT_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """Options for opening a container."""

    ffmpeg: dict[str, str] = field(default_factory=dict)
    """Options of the demuxer and protocol, including whitelists."""
    open_timeout_s: float = 5.0
    """Time limit for connecting, and again for finding the streams."""
    read_timeout_s: float = 3.0
    format: str | None = None
    """Name of the demuxer; None detects it."""
    limit: CallLimit = field(default_factory=CallLimit)
    """Limit that can end calls into the container early."""
    patience: Patience | None = None
    """Longest silence of a network stream, which sets ``limit`` before each packet."""
    by_decoding: bool = False
    """Whether the file's display times are decoding times; see ``times_by_decoding``."""


def open_container(location: str, options: DecoderOptions) -> InputContainer:
    """Open a container with the limits of ``options``. Raises av.error.FFmpegError."""
    read_s = options.read_timeout_s
    with options.limit.applied():
        return open_input(
            location,
            format=options.format,
            options=dict(options.ffmpeg),
            timeout=(options.open_timeout_s, LONGEST_S if options.patience else read_s),
        )


def main_stream(container: InputContainer, name: str) -> VideoStream:
    """Return the main video stream, not a cover: the default one, or else the largest.

    Raises:
        SourceError: if there is none, or too large a one.
    """
    streams = container.streams.video
    videos = [item for item in streams if not item.disposition & _NOT_VIDEO]
    if not videos:
        raise SourceError(f"{name} must hold a video, got sound or data only.")
    decodable = [item for item in videos if item.codec_context is not None]
    if not decodable:
        raise SourceError(
            f"{name} holds video in a format that can't be decoded here. "
            "Convert it to MP4 with H.264."
        )
    chosen = max(decodable, key=_rank)
    for stream in container.streams:
        if stream is not chosen:
            stream.discard = Discard.all  # its packets would reset the read timeout
    check_size(chosen.codec_context.width, chosen.codec_context.height, name)
    return chosen


def _rank(stream: VideoStream) -> tuple[bool, int]:
    context = stream.codec_context
    return bool(stream.disposition & Disposition.default), context.width * context.height


def check_size(width: int, height: int, name: str) -> None:
    """Raise SourceError if an image has a side above LARGEST_SIDE_PX."""
    if max(width, height) > LARGEST_SIDE_PX:
        raise SourceError(
            f"{name}: images must be at most {LARGEST_SIDE_PX} px a side, "
            f"got {width}x{height}. Scale the video down first."
        )


def plausible_fps(rate: Ratio | None) -> float | None:
    """Return the frame rate of a header; None if it isn't plausible."""
    fps = exact(rate)
    return float(fps) if fps and 1 <= fps <= 240 else None
