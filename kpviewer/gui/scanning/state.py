"""State of a scan, as the timeline shows it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScanState:
    """Progress of the scan of the open source, with one model or with two, one after the other."""

    done: int = 0
    """Number of frames with candidates, those seen while playing included; of both models."""
    total: int | None = None
    """Number of frames of the source, twice that with two models; None while unknown."""
    is_running: bool = False
    """Whether frames are being scanned now."""
    rate_fps: float | None = None
    """Frames scanned per second; None while nothing was measured."""
    failure: str | None = None
    """Why the last scan ended early, in one line; None if it didn't."""
    hindrance: str | None = None
    """Why this source can't be scanned with this model, for a tooltip; None if it can."""

    @property
    def is_complete(self) -> bool:
        """Whether every frame was scanned."""
        return self.total is not None and self.done >= self.total
