"""Finite video: its description, its frames with their times, and its damage."""

import math
from collections.abc import Callable
from fractions import Fraction

import av
from av.video.frame import VideoFrame

from kpviewer.sources.video.container import plausible_fps
from kpviewer.sources.video.frames import VideoFrames
from kpviewer.sources.video.pyav import exact, size_of
from kpviewer.structures import StreamInfo

PLAUSIBLE_FRAMES = 10_000_000
LONGEST_GAP_S = 1.0
"""Longest gap between frames of a playlist, whose segments have a constant frame rate."""
SHORTFALL_S = 0.5
"""Time before the stated end, longer than a frame, at which a file has ended early."""
JOINED = "another video follows in this file and isn't shown, or not whole: split the file"
"""Warning about a file that is several ones, of which FFmpeg shows the first."""
_SHOWN_ALONE, _LEAST_REST = ("flv", "asf"), 2**16
"""Formats of which the first of joined files is shown, and the least number of bytes behind it."""
_ABSOLUTE = ("asf", "asf_o", "nut")
"""Formats whose length is the time of their end, also of a file that begins late."""
_FEW_FRAMES = 2
"""Number of frames that a decoder may leave out of a sound file, as where two are joined."""
_LONGEST_BOUNDARY = 78
"""Bytes of the longest line between parts by RFC 2046, with its line breaks and dashes."""
_PQ = 16
"""Number of the transfer function of HDR10 and Dolby Vision in ITU-T H.273."""
_ROUNDED = 0.01
"""Largest relative error of a playlist's length, whose segments may state whole seconds."""
_FPS_TOLERANCE = 0.1
"""Largest relative difference of frame rate between header and timestamps."""


class FiniteVideo:
    """Frames of a video with their positions, and a warning. Position 0 s is the first frame."""

    def __init__(
        self,
        frames: VideoFrames,
        name: str,
        *,
        is_cut: Callable[[], bool] = lambda: False,
        note: str | None = None,
    ) -> None:
        """Describe the video.

        Args:
            frames: its frames, of which none was read.
            name: display name.
            is_cut: return whether the file is cut off; asked at its end, as it may grow.
            note: warning while no damage is found.
        """
        self.frames = frames
        self._is_cut = is_cut
        self._reached_s = 0.0
        self._is_playlist = frames.decoder.container.format.name == "hls"
        self._last_s = 0.0
        self._gaps_s: dict[float, float] = {}
        """Missing time by the position before it; of the first and last segments by infinity."""
        self._warning: str | None = None
        is_hdr = frames.decoder.stream.codec_context.color_trc == _PQ
        hdr_note = "HDR (PQ) without tone mapping: the image looks pale" if is_hdr else None
        self._note = note or (JOINED if _is_joined(frames) else hdr_note)
        self.info = _describe(frames, name)

    @property
    def warning(self) -> str | None:
        """Damage found up to now, for the user; None if there is none."""
        if missing_s := sum(self._gaps_s.values()):
            return f"{missing_s:.1f} s are missing: segments of the playlist could not be read"
        damaged = len(self.frames.decoder.damaged)
        if self._warning is None and damaged:
            so_far = "" if self.frames.has_reached_end else " so far"
            return f"damaged frames{so_far}: {damaged}; the image may be smeared there"
        return self._warning or self._note

    def next_frame(self) -> tuple[VideoFrame, float] | None:
        """Return the next frame and its position in s; None at the end.

        ``warning`` then reports an early end.
        """
        frame = self.frames.next_frame()
        if frame is None:
            self._note_end()
            return None
        self._note_reach(frame)
        if self._is_playlist:
            self._note_gap(self.frames.position_s)
        return frame, self.frames.position_s

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one. Raises SourceError if the file can't be read again."""
        self._last_s = math.inf
        self.frames.seek(index)

    def _note_gap(self, position_s: float) -> None:
        """Add a gap in time: FFmpeg silently skips segments of a playlist that it can't load."""
        gap_s = position_s - self._last_s
        if gap_s > LONGEST_GAP_S:
            self._gaps_s[self._last_s] = gap_s
        self._last_s = position_s

    def _note_reach(self, frame: VideoFrame) -> None:
        base, first = exact(frame.time_base), self.frames.first.pts
        if base is not None and first is not None:
            length_s = float(frame.duration * base) or 1 / (self.info.nominal_fps or 25.0)
            counted_s = float(first * base) + self.frames.position_s  # some frames have no time
            stamped_s = counted_s if frame.pts is None else float(frame.pts * base)
            self._reached_s = max(self._reached_s, max(stamped_s, counted_s) + length_s)

    def _note_end(self) -> None:
        frames = self.frames
        if self._warning is not None or not frames.has_reached_end or self._reached_s == 0:
            return
        total_s = _stated_end_s(frames)
        count = frames.decoded
        shortfall_s = max(SHORTFALL_S, frames.position_s / max(count - 1, 1))
        missing_s = 0.0 if total_s is None else total_s - self._reached_s
        if self._is_playlist:
            shortfall_s = max(LONGEST_GAP_S, _ROUNDED * frames.position_s)
        if missing_s > shortfall_s and self._is_playlist:
            self._gaps_s[math.inf] = missing_s
        elif total_s is not None and missing_s > shortfall_s:
            expected = _stated_frames(frames) or round(count * total_s / self._reached_s)
            self._warning = f"ended early: {count} of {expected} frames could be read"
        elif self._is_cut() or (frames.decoder.failure is not None and not _is_at_boundary(frames)):
            self._warning = f"ended early: {count} frames could be read"
        elif (indexed := frames.frame_count or 0) - count > max(_FEW_FRAMES, indexed // 100):
            self._warning = f"damaged: only {count} of {indexed} frames could be decoded"


def _stated_end_s(frames: VideoFrames) -> float | None:
    """Return the end of the video by the file's header, s; None if it isn't stated."""
    container, stream = frames.decoder.container, frames.decoder.stream
    base, fps = exact(stream.time_base), plausible_fps(stream.average_rate)
    if container.format.name == "avi" and not 0 < stream.frames < PLAUSIBLE_FRAMES:
        return None  # written to a pipe: FFmpeg guesses the duration
    if container.format.name == "avi" and fps:
        return stream.frames / fps  # FFmpeg shortens the duration of a cut file
    # WMV states the length of its sound and its video together.
    is_shared = container.format.name == "asf" and len(container.streams) > 1
    if stream.duration and base is not None and not is_shared:
        start = 0 if container.format.name in _ABSOLUTE else stream.start_time or 0
        if frames.first.pts is not None:  # FFmpeg adds the B-frames if frames are seconds apart
            start = min(start, frames.first.pts)
        return float((stream.duration + start) * base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:00:01.700000000
    hours, _, rest = tag.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        pass  # no such tag, or another format
    # the sound of a file may be longer; a playlist cuts both at the same places
    is_of_video = len(container.streams) == 1 or container.format.name == "hls"
    if not container.duration or not is_of_video:
        return None
    start = 0 if container.format.name in _ABSOLUTE else container.start_time or 0
    return (start + container.duration) / av.time_base


def _stated_frames(frames: VideoFrames) -> int | None:
    stream = frames.decoder.stream
    is_plausible = 0 < stream.frames < PLAUSIBLE_FRAMES and plausible_fps(stream.average_rate)
    return stream.frames if is_plausible else None


def _is_at_boundary(frames: VideoFrames) -> bool:
    """Return whether FFmpeg failed at the line that ends a saved stream of JPEG parts."""
    container, index = frames.decoder.container, frames.index
    if index is None or container.format.name != "mpjpeg":
        return False
    return size_of(container) - index.end_byte <= _LONGEST_BOUNDARY


def _is_joined(frames: VideoFrames) -> bool:
    """Return whether a file goes on behind its video, although its sound isn't longer."""
    container, index = frames.decoder.container, frames.index
    if index is None or container.format.name not in _SHOWN_ALONE:
        return False
    longer_s = (container.duration or 0) / av.time_base - (_duration_s(frames) or 0.0)
    size = size_of(container)
    return longer_s < SHORTFALL_S and size - index.end_byte > max(_LEAST_REST, size // 50)


def _describe(frames: VideoFrames, name: str) -> StreamInfo:
    width, height = frames.decoder.converter.shown_size(frames.first)
    return StreamInfo(
        name,
        width,
        height,
        _true_fps(frames),
        frames.frame_count or _stated_frames(frames),
        is_live=False,
        is_seekable=True,
        duration_s=_duration_s(frames),
    )


def _true_fps(frames: VideoFrames) -> float | None:
    """Return the frame rate of the header, or that of the timestamps if they disagree."""
    stated = plausible_fps(frames.decoder.stream.average_rate)
    index, base = frames.index, frames.decoder.time_base
    if index is None or base is None or not index.length or len(index) < 2:
        return stated
    counted = Fraction(len(index), index.length) / base
    is_consistent = stated is not None and abs(stated / counted - 1) < _FPS_TOLERANCE
    return stated if is_consistent else plausible_fps(counted)


def _duration_s(frames: VideoFrames) -> float | None:
    """Return the duration by the timestamps if they are known, else by the header."""
    decoder = frames.decoder
    index, base = frames.index, decoder.time_base
    if index is not None and base is not None:
        return float(index.length * base)
    first = frames.first
    end_s = _stated_end_s(frames)
    if end_s is not None:
        start_s = 0.0 if first.pts is None or base is None else float(first.pts * base)
        return max(end_s - start_s, 0.0)
    duration = decoder.container.duration
    return duration / av.time_base if duration and duration > 0 else None
