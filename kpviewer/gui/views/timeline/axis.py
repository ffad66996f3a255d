"""Mapping between frames and pixels of the timeline, zoomed or not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MIN_FRAMES = 10.0
"""Smallest number of frames that a zoomed timeline shows."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Equal columns of frames from left to right; column ``index`` is [index, index + 1)."""

    count: int
    """Number of frames of the source, at least 1."""
    left_px: float
    width_px: float
    first: float = 0.0
    """Frame at the left edge; its fraction is the part of the column that is out of sight."""
    shown: float = 0.0
    """Number of frames between the edges; 0 shows all."""

    @property
    def length(self) -> float:
        """Number of frames between the edges."""
        return self.shown or float(self.count)

    @property
    def is_zoomed(self) -> bool:
        """Whether some frames are out of sight."""
        return self.length < self.count

    def x_of(self, index: float) -> float:
        """Return the middle of the column of a frame, px."""
        return self.left_px + (index + 0.5 - self.first) / self.length * self.width_px

    def index_at(self, x: float) -> int:
        """Return the frame at ``x`` px, or the nearest one in sight."""
        share = (x - self.left_px) / max(self.width_px, 1.0)
        index = int(self.first + min(max(share, 0.0), 1.0) * self.length)
        return min(max(index, 0), self.count - 1)

    def edges(self, columns: int) -> NDArray[np.float64]:
        """Return the frames at the edges of ``columns`` pixel columns, (columns + 1,)."""
        return self.first + np.arange(columns + 1) / max(columns, 1) * self.length

    def resized(self, left_px: float, width_px: float) -> Axis:
        """Return the axis at another place."""
        return replace(self, left_px=left_px, width_px=max(width_px, 1.0))

    def zoomed(self, factor: float, x: float) -> Axis:
        """Return the axis with ``1 / factor`` as many frames; the one at ``x`` stays there."""
        least = min(MIN_FRAMES, self.count)
        shown = min(max(self.length / factor, least), float(self.count))
        share = min(max((x - self.left_px) / max(self.width_px, 1.0), 0.0), 1.0)
        return self._at(self.first + share * (self.length - shown), shown)

    def showing(self, index: int) -> Axis:
        """Return the axis, moved by as little as needed to have a frame in sight."""
        if index < self.first:
            return self._at(float(index), self.length)
        if index + 1 > self.first + self.length:
            # A page forward: at each frame, the lanes would have to be drawn again.
            return self._at(index - 0.1 * self.length, self.length)
        return self

    def whole(self) -> Axis:
        """Return the axis with all frames in sight."""
        return replace(self, first=0.0, shown=0.0)

    def _at(self, first: float, shown: float) -> Axis:
        first = min(max(first, 0.0), self.count - shown)
        if shown >= self.count:
            return self.whole()
        return replace(self, first=first, shown=shown)
