"""Numbers of the timeline as texts: times, frames, speeds; and typed positions as frames."""

from __future__ import annotations

import math
import re

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.frame_times import FrameTimes

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0, 8.0, math.inf)
"""Speeds of playback; the last one is as fast as the model runs."""
NARROW_SPACE = "\u202f"
"""Separator of groups of three digits."""

_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)")


def time_text(seconds: float) -> str:
    """Return a time as mm:ss.t, with hours if it has any."""
    tenths = max(round(seconds * 10), 0)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{text}" if hours else text


def count_text(number: int) -> str:
    """Return a whole number in groups of three digits: 1 203."""
    return f"{number:,}".replace(",", NARROW_SPACE)


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
    are the last one. A comma may separate the decimals.
    """
    text = "".join(text.split()).replace(",", ".")
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
