"""What a plot shows: its description, and the last seconds of some numbers. No pyqtgraph."""

import math
from dataclasses import dataclass

import numpy as np

from kpviewer.structures import FloatArray


@dataclass(frozen=True, slots=True)
class PlotSpec:
    """Description of a plot; its texts are in English."""

    title: str
    """Title with the unit."""
    series: tuple[str, ...]
    digits: int = 0
    stacked: bool = False
    least_top: float = 10.0


WINDOW_S = 10.0


class History:
    """Ring buffer of rows of numbers with their times."""

    def __init__(self, columns: int, capacity: int) -> None:
        self._times = np.zeros(capacity, np.float64)
        self._rows = np.full((capacity, columns), np.nan, np.float32)
        self._count = 0

    def add(self, now_s: float, *values: float | None) -> None:
        """Add a row; None leaves a gap."""
        slot = self._count % len(self._times)
        self._times[slot] = now_s
        self._rows[slot] = [math.nan if value is None else value for value in values]
        self._count += 1

    def __len__(self) -> int:
        """Return the number of rows that were added, the oldest and forgotten ones too."""
        return self._count

    def clear(self) -> None:
        """Forget everything."""
        self._count = 0

    def recent(self, now_s: float) -> tuple[FloatArray, FloatArray]:
        """Return the rows of the last 10 s.

        Returns:
            (N,) ages as seconds before now, ascending and at most 0, and the (N, columns) rows.
        """
        capacity = len(self._times)
        stored = min(self._count, capacity)
        order = np.arange(self._count - stored, self._count) % capacity
        ages = (self._times[order] - now_s).astype(np.float32)
        inside = ages >= -WINDOW_S
        return ages[inside], self._rows[order][inside]


class SlowTop:
    """Upper end of an axis: it grows at once, and shrinks after some seconds of lower values."""

    CALM_S = 3.0
    STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)

    def __init__(self, least: float) -> None:
        self._least = least
        self._top = least
        self._calm_since: float | None = None

    def update(self, peak: float, now_s: float) -> float:
        """Return the upper end for values up to ``peak``."""
        wanted = max(self._least, self._round_up(peak * 1.1)) if peak > 0 else self._least
        if wanted >= self._top:
            self._top, self._calm_since = wanted, None
        elif self._calm_since is None:
            self._calm_since = now_s
        elif now_s - self._calm_since > self.CALM_S:
            self._top, self._calm_since = wanted, None
        return self._top

    def _round_up(self, value: float) -> float:
        decade = 10.0 ** math.floor(math.log10(value))
        return decade * next(step for step in self.STEPS if step * decade >= value * (1 - 1e-9))
