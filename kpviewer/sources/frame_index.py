"""Finds out which frame of a file is shown when, without decoding: what an exact seek needs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import av
import numpy as np

from kpviewer.sources.decoding import DecoderOptions, open_container
from kpviewer.structures import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Timestamps of all frames of a stream, in its time base."""

    pts: IntArray
    """(N,) strictly increasing: frame i is shown at pts[i]."""
    key_pts: IntArray
    """(M,) strictly increasing: those at which decoding can start."""

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pts)

    def from_first(self, pts: int) -> FrameIndex:
        """Leave out the frames before ``pts``: a cut file may start with some that don't decode."""
        return FrameIndex(self.pts[self.pts >= pts], self.key_pts)

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
    shown: list[int] = []
    keys: list[int] = []
    try:
        with open_container(location, options) as container:
            for packet in container.demux(container.streams[stream_index]):
                if packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None or time.monotonic() > deadline:
                    return None
                shown.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
    except av.FFmpegError:
        pass  # the file breaks off here; what comes before is indexed
    pts = np.unique(np.array(shown, np.int64))
    if len(pts) != len(shown):
        return None
    return FrameIndex(pts, np.unique(np.array(keys, np.int64)))
