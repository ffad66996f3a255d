"""Description of a plot. Making one imports nothing of pyqtgraph."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlotSpec:
    """Description of a plot; its texts are in English."""

    title: str
    """Title with the unit."""
    series: tuple[str, ...]
    digits: int = 0
    stacked: bool = False
    least_top: float = 10.0
    hint: str = ""
    """Text that replaces the lines while there are no values."""
