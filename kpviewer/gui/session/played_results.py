"""Results of all frames that were played, also of those that the screen was too slow to show."""

from collections import deque
from dataclasses import replace

import numpy as np

from kpviewer.structures import FrameResult

MAX_WAITING = 64
"""Greatest number of results that wait for the window; the oldest are dropped."""
_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)


class PlayedResults:
    """Result sink that keeps results without pixels until the window takes them."""

    def __init__(self) -> None:
        self._waiting: deque[FrameResult] = deque(maxlen=MAX_WAITING)

    def accept(self, result: FrameResult) -> None:
        """Keep the result of a frame that a model ran on."""
        if result.has_model:
            frame = replace(result.frame, bgr=_NO_PIXELS, lease=None)
            self._waiting.append(replace(result, frame=frame))

    def take(self) -> list[FrameResult]:
        """Return what came since the last call, in order."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
