"""Outlines of candidates: each corner is kept once, and no outline that is its box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.geometry import box_outlines
from kpviewer.structures import BOX_CORNERS, Candidates, FloatArray, IntArray, corner_counts


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Outlines of M candidates."""

    corners: int
    """V, the number of corners of each in ``Candidates``."""
    starts: IntArray
    """(M + 1,) int64 first corner of each candidate, and S. One without corners shows its box."""
    xy: FloatArray
    """(S, 2) float32 corners, source px."""

    @classmethod
    def of(cls, dense: FloatArray, xyxy: FloatArray) -> Outlines:
        """Return (M, V, 2) outlines without repeated corners, and those of the (M, 4) boxes."""
        corners, counts = dense.shape[1], corner_counts(dense)
        if corners == BOX_CORNERS:
            counts[:] = corners
        counts[(dense == box_outlines(xyxy, corners)).all((1, 2))] = 0
        return cls(corners, _starts(counts), dense[np.arange(corners) < counts[:, None]])

    @classmethod
    def of_frames(cls, frames: Sequence[Candidates]) -> Outlines | None:
        """Return the outlines of several frames, boxes where a frame has none; None without any."""
        outlines = [each.outlines_xy for each in frames]
        corners = max((each.shape[1] for each in outlines if each is not None), default=0)
        if not corners:
            return None
        dense = [
            box_outlines(each.xyxy, corners) if own is None else own
            for each, own in zip(frames, outlines, strict=True)
        ]
        return cls.of(np.concatenate(dense), np.concatenate([each.xyxy for each in frames]))

    @classmethod
    def of_counts(cls, corners: int, counts: IntArray, xy: FloatArray) -> Outlines:
        """Return outlines by the number of corners of each: (M,) counts and (S, 2) corners.

        Raises:
            ValueError: if a number is out of its range, or a corner isn't finite.
        """
        if not BOX_CORNERS <= corners <= np.iinfo(np.uint8).max or (counts > corners).any():
            raise ValueError("outlines must have as many corners as they say")
        if not np.isfinite(xy).all():
            raise ValueError("outlines must be finite")
        return cls(corners, _starts(counts), xy)

    @property
    def counts(self) -> IntArray:
        """(M,) number of corners of each."""
        return np.diff(self.starts)

    def dense(self, first: int, xyxy: FloatArray) -> FloatArray:
        """Return the (N, V, 2) outlines of N candidates from ``first`` on, with (N, 4) boxes."""
        found = box_outlines(xyxy, self.corners)
        starts = self.starts[first : first + len(xyxy) + 1]
        for row in np.flatnonzero(np.diff(starts)).tolist():
            own = self.xy[starts[row] : starts[row + 1]]
            found[row, : len(own)], found[row, len(own) :] = own, own[-1]
        return found


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
