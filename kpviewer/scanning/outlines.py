"""Outlines of candidates: each corner is kept once, and no outline that is its box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.structures import (
    BOX_CORNERS,
    Candidates,
    FloatArray,
    IntArray,
    box_outlines,
    corner_counts,
)


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

    def dense(self, rows: IntArray, xyxy: FloatArray) -> FloatArray:
        """Return the (N, V, 2) outlines of (N,) candidates, of which (N, 4) are the boxes."""
        first, end = self.starts[rows, None], self.starts[rows + 1, None]
        has_own = end > first
        found = box_outlines(xyxy, self.corners)
        own = has_own[:, 0]
        found[own] = self.xy[np.minimum(first + np.arange(self.corners), end - 1)[own]]
        return found

    def take(self, rows: IntArray) -> Outlines:
        """Return those of some candidates."""
        corners, starts = ragged(self.starts, rows)
        return Outlines(self.corners, starts, self.xy[corners])

    @staticmethod
    def joined(parts: Sequence[Outlines | None], counts: Sequence[int]) -> Outlines | None:
        """Return the outlines of all parts, of ``counts`` candidates; a part without has boxes."""
        known = [each for each in parts if each is not None]
        if not known:
            return None
        numbers = [np.zeros(count, np.int64) if each is None else each.counts
                   for each, count in zip(parts, counts, strict=True)]  # fmt: skip
        xy = np.concatenate([each.xy for each in known])
        return Outlines(known[0].corners, _starts(np.concatenate(numbers)), xy)


def ragged(starts: IntArray, groups: IntArray) -> tuple[IntArray, IntArray]:
    """Return the members of some groups of consecutive rows.

    Args:
        starts: (G + 1,) first row of each group, and the number of rows.
        groups: (H,) groups, in any order.

    Returns:
        Rows of the groups one after another, and (H + 1,) where each group starts among them.
    """
    counts = starts[groups + 1] - starts[groups]
    ends = _starts(counts)
    rows = np.arange(ends[-1]) + np.repeat(starts[groups] - ends[:-1], counts)
    return rows, ends


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
