"""Finds out which frame of a file is shown when, without decoding: what an exact seek needs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.format import Flags

from kpviewer.sources.decoding import DecoderOptions, open_container
from kpviewer.sources.media_clock import LONGEST_STEP_S
from kpviewer.structures import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Timestamps of all frames of a stream, in its time base."""

    pts: IntArray
    """(N,) strictly increasing: frame i is shown at pts[i]."""
    key_pts: IntArray
    """(M,) strictly increasing: those at which decoding can start."""
    last_length: int = 0
    """How long the last frame is shown; 0 where it isn't said."""
    is_joined: bool = False
    """Whether the file's own timestamps start again or leap, as in files that were joined. Those
    here go on, so that they count the frames and give the length, but can't be sought."""

    @property
    def length(self) -> int:
        """Time from the first frame to the end of the last."""
        span = int(self.pts[-1] - self.pts[0]) if len(self.pts) else 0
        usual = span // (len(self.pts) - 1) if len(self.pts) > 1 else 0
        return span + (self.last_length or usual)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pts)

    def from_first(self, pts: int) -> FrameIndex:
        """Leave out the frames before ``pts``: a cut file may start with some that don't decode."""
        return self if self.is_joined else replace(self, pts=self.pts[self.pts >= pts])

    def number_of(self, pts: int) -> int:
        """Give the number of the frame shown at ``pts``, of the next one where there is none."""
        return int(np.searchsorted(self.pts, pts))

    def has_key_between(self, after_pts: int, until_pts: int) -> bool:
        """Tell whether a seek to ``until_pts`` would start later than at ``after_pts``."""
        keys = np.searchsorted(self.key_pts, [after_pts, until_pts], side="right")
        return bool(keys[1] > keys[0])


def scan(
    location: str, stream_index: int, options: DecoderOptions, budget_s: float
) -> FrameIndex | None:
    """Read the packets of one stream of a file.

    Args:
        location: path of the file.
        stream_index: number of the stream in its container.
        options: how to open it.
        budget_s: give up after this time; ``inf`` is allowed.

    Returns:
        The index; None if time ran out or the file doesn't say when its frames are shown.
    """
    deadline = time.monotonic() + budget_s
    if options.patience is not None:
        options.watch.allow(budget_s)
    rows: list[_Row] = []
    has_breaks = False
    try:
        with options.watch.over_calls(), open_container(location, options) as container:
            stream = container.streams[stream_index]
            has_breaks = allows_breaks(container)
            longest = LONGEST_STEP_S / stream.time_base if stream.time_base else 0
            for packet in container.demux(stream):
                if packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None or time.monotonic() > deadline:
                    return None
                rows.append(_Row(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe))
    except av.FFmpegError:
        if options.watch.is_over:
            return None
        # else the file breaks off here; what comes before is indexed
    return _index(rows, float(longest) if has_breaks else math.inf)


class _Row(NamedTuple):
    """What the index needs of one packet."""

    pts: int
    dts: int | None
    duration: int
    is_key: bool


def allows_breaks(container: InputContainer) -> bool:
    """Tell whether timestamps of this format may start again or leap in mid-file."""
    return Flags.ts_discont in Flags(container.format.flags)


def _index(rows: list[_Row], longest: float) -> FrameIndex | None:
    """Put the frames in the order they are shown, each run of steady timestamps for itself."""
    starts = [0]
    for number in range(1, len(rows)):
        before, now = rows[number - 1].dts, rows[number].dts
        if before is not None and now is not None and not 0 <= now - before <= longest:
            starts.append(number)
    shown: list[int] = []
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        part = sorted(row.pts for row in rows[start:stop])
        usual = (part[-1] - part[0]) // (len(part) - 1) if len(part) > 1 else 1
        shift = shown[-1] + max(usual, 1) - part[0] if shown else 0
        shown += [pts + shift for pts in part]
    pts = np.unique(np.array(shown, np.int64))
    if not rows or len(pts) != len(rows):
        return None
    key_pts = np.unique(np.array([row.pts for row in rows if row.is_key], np.int64))
    last_length = max(rows, key=lambda row: row.pts).duration if rows else 0
    return FrameIndex(pts, key_pts, last_length, len(starts) > 1)
