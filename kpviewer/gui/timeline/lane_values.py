"""Values of the lanes, and their reduction to pixel columns: what the strip needs of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kpviewer.gui.timeline.lane_image import LaneColumns


class LaneValues(Protocol):
    """Something that lanes can be painted of."""

    @property
    def is_difference(self) -> bool:
        """Whether the third lane holds the difference of two models, not an error."""

    @property
    def hints(self) -> tuple[str, str, str]:
        """Text in each lane; empty where values are."""

    def columns(self, edges: NDArray[np.float64]) -> LaneColumns:
        """Return the values between W + 1 edges, in frames."""
