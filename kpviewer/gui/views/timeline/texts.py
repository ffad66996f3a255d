"""Numbers of the timeline as texts: times, frames, speeds; typed positions as frames.

Media times of the frames of a source are kept as far as they are known.
"""

import math
import re

import numpy as np
from numpy.typing import NDArray

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.plain_text import half_width
from kpviewer.structures import StreamInfo

FALLBACK_FPS = 30.0


def frames_of(info: StreamInfo | None) -> int:
    """Return the number of frames of a source, by its duration if not counted; 0 if unknown."""
    if info is None:
        return 0
    return info.frame_count or round((info.duration_s or 0.0) * (info.nominal_fps or 0.0))


class FrameTimes:
    """Times by frame. Between frames of known times, times are interpolated."""

    def __init__(self, info: StreamInfo | None) -> None:
        self.count = max(frames_of(info), 1)
        """Number of frames; 1 if it is unknown."""
        self.fps = (info.nominal_fps if info is not None else None) or FALLBACK_FPS
        self.length_s = 0.0
        """Duration of the source; 0 if it is unknown."""
        if info is not None:
            self.length_s = info.duration_s or (info.frame_count or 0) / self.fps
        self._times_s = np.full(self.count, np.nan)
        self._times_s[0] = 0.0
        if self.count > 1:
            step_s = self.length_s / self.count
            self._times_s[-1] = max(self.length_s - step_s, 0.0)
        self._known: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        """Frames of known times, ascending, and these, which never fall; None: to be found."""

    def note(self, index: int, position_s: float | None) -> None:
        """Remember the time of a frame."""
        if position_s is None or not 0 <= index < self.count:
            return
        if self._times_s[index] != position_s:  # so is an unknown one
            self._times_s[index] = position_s
            self._known = None

    def note_all(self, first: int, position_s: NDArray[np.float64]) -> None:
        """Remember the times of frames from number ``first`` on, (N,) in seconds; NaN unknown."""
        known = np.flatnonzero(np.isfinite(position_s[: max(self.count - first, 0)]))
        self._times_s[first + known] = position_s[known]
        self._known = None

    def time_of(self, index: int) -> float:
        """Return the time of a frame in seconds."""
        if not 0 <= index < self.count:
            return index / self.fps
        if np.isfinite(own := self._times_s[index]):
            return float(own)  # at once: a video may have a million frames
        return float(np.interp(index, *self._known_times()))

    def frame_at(self, seconds: float) -> int:
        """Return the frame that is shown at a time."""
        return int(self._index_at(seconds) + 1e-6)

    def frame_beside(self, index: int, seconds: float) -> int:
        """Return the frame that is so many seconds after a frame, or before it: another one."""
        frame = index + round(seconds * self.fps)
        if self.count > 1:
            frame = round(self._index_at(self.time_of(index) + seconds))
        return max(frame, index + 1) if seconds > 0 else min(frame, index - 1)

    def _index_at(self, seconds: float) -> float:
        frames, times_s = self._known_times()
        return float(np.interp(seconds, times_s, frames))

    def _known_times(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._known is None:
            known = np.flatnonzero(np.isfinite(self._times_s))
            self._known = known.astype(np.float64), np.maximum.accumulate(self._times_s[known])
        return self._known


SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0, 8.0, math.inf)
"""Speeds of playback; the last one is as fast as the model runs."""

_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)")


def time_text(seconds: float) -> str:
    """Return a time as mm:ss.t, with hours if it has any."""
    tenths = max(round(seconds * 10), 0)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{text}" if hours else text


def count_text(number: int) -> str:
    """Return a whole number in groups of three digits: 1,203."""
    return f"{number:,}"


def speed_text(speed: float) -> str:
    """Return the text of a speed."""
    return tr("max") if math.isinf(speed) else f"{speed:g}×"


def real_text(speed: float) -> str:
    """Return the text of a measured speed."""
    return f"{speed:.2f}×" if speed < 0.095 else f"{speed:.1f}×"


def next_speed(speed: float, direction: int) -> float:
    """Return the next speed of the list, up (1) or down (-1)."""
    if direction > 0:
        return next((each for each in SPEEDS if each > speed + 1e-6), SPEEDS[-1])
    return next((each for each in reversed(SPEEDS) if each < speed - 1e-6), SPEEDS[0])


def typed_frame(text: str, times: FrameTimes, first_number: int = 0) -> int | None:
    """Return the frame that a typed position names; None if it names none.

    A whole number is the number of a frame, a number with decimals is seconds, ``m:ss`` and
    ``h:mm:ss`` are times, and a number with ``%`` is a share of the source. Frames after the end
    are the last one. A comma may separate the decimals, unless it groups the digits as in 1,203.
    """
    text = half_width("".join(text.split()))
    text = text.replace(",", "" if _GROUPED.fullmatch(text) else ".")
    share = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)%", text)
    clock = _CLOCK.fullmatch(text)
    if text.isascii() and text.isdecimal():
        index = int(text[:12]) - first_number
    elif share:
        index = round(float(share[1]) / 100 * (times.count - 1))
    elif clock:
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        index = times.frame_at((hours * 60 + minutes) * 60 + seconds)
    elif re.fullmatch(r"\d+\.\d*|\.\d+", text) and text != ".":
        index = times.frame_at(float(text))
    else:
        return None
    return min(max(index, 0), times.count - 1)
