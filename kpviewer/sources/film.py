"""A finite video as a source needs it: what it is, its frames with their times, its damage."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kpviewer.sources.decoding import plausible_fps
from kpviewer.sources.reel import Reel
from kpviewer.structures import StreamInfo

PLAUSIBLE_FRAMES = 10_000_000
SHORTFALL_S = 0.5
"""A file that ends this much before its header says ended early."""
_HONEST = 0.1
"""Share by which the frame rate of a header may differ from that of the timestamps."""


class Film:
    """A reel with its times and its warning. Position 0 s is its first frame."""

    def __init__(self, reel: Reel, name: str) -> None:
        self.reel = reel
        self._reached_s = 0.0
        self._warning: str | None = None
        self.info = _describe(reel, name)

    @property
    def warning(self) -> str | None:
        """Damage that was seen so far, for the user."""
        damaged = len(self.reel.decoder.damaged_pts)
        if self._warning is None and damaged:
            return f"damaged frames: {damaged}; the image may be smeared there"
        return self._warning

    def take(self) -> tuple[VideoFrame, float] | None:
        """Return the next frame and its position in s; None at the end.

        The end may have come too early: ``warning`` tells.
        """
        frame = self.reel.take()
        if frame is None:
            self._note_end()
            return None
        self._note_reach(frame)
        return frame, self.reel.position_s

    def _note_reach(self, frame: VideoFrame) -> None:
        base = frame.time_base
        if frame.pts is not None and base is not None:
            length_s = float(frame.duration * base) or 1 / (self.info.nominal_fps or 25.0)
            self._reached_s = max(self._reached_s, float(frame.pts * base) + length_s)

    def _note_end(self) -> None:
        reel = self.reel
        if self._warning is not None or not reel.has_run_out or self._reached_s == 0:
            return
        total_s = stated_end_s(reel.decoder.container, reel.decoder.stream)
        frames = reel.next_index
        if total_s is not None and total_s - self._reached_s > SHORTFALL_S:
            expected = _stated_frames(reel) or round(frames * total_s / self._reached_s)
            self._warning = f"ended early: {frames} of {expected} frames could be read"
        elif reel.decoder.failure is not None:
            self._warning = f"ended early: {frames} frames could be read"


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
    width, height = reel.decoder.shown_size(reel.first)
    return StreamInfo(
        name,
        width,
        height,
        _true_fps(reel),
        reel.frame_count or _stated_frames(reel),
        is_live=False,
        is_seekable=True,
        duration_s=_duration_s(reel),
    )


def _true_fps(reel: Reel) -> float | None:
    """Return the frame rate of the header, unless the timestamps tell another."""
    stated = plausible_fps(reel.decoder.stream.average_rate)
    index, base = reel.index, reel.decoder.stream.time_base
    if index is None or base is None or not index.length:
        return stated
    counted = plausible_fps(Fraction(len(index), index.length) / base)
    is_honest = stated is not None and counted is not None and abs(stated / counted - 1) < _HONEST
    return stated if is_honest or counted is None else counted


def _duration_s(reel: Reel) -> float | None:
    """Return how long the film lasts: by its timestamps where they are known, else its header."""
    decoder = reel.decoder
    index, base = reel.index, decoder.stream.time_base
    if index is not None and base is not None:
        return float(index.length * base)
    first = reel.first
    end_s = stated_end_s(decoder.container, decoder.stream)
    if end_s is not None:
        begins_s = 0.0 if first.pts is None or base is None else float(first.pts * base)
        return max(end_s - begins_s, 0.0)
    duration = decoder.container.duration
    return duration / av.time_base if duration and duration > 0 else None
