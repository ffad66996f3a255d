"""Free space that a recording requires."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kpviewer.errors import RecordingError
from kpviewer.recording.files import free_bytes

_MIB = 1024 * 1024
_CHECK_EVERY_S = 1.0
_RESERVE_S = 30.0
"""Recording time in s for which there must be space; with less, a recording ends."""


@dataclass(frozen=True, slots=True)
class SpaceLimits:
    """Free space that a recording requires, in bytes."""

    to_start: int = 1024 * _MIB
    """Free space required to begin."""
    to_continue: int = 200 * _MIB
    """Free space required to continue; half a minute at the recording's rate if that is more."""
    measure: Callable[[Path], int] = field(default=free_bytes)
    """Function that returns the free bytes of a folder."""


class SpaceWatch:
    """Checks the free space of a folder regularly."""

    def __init__(self, folder: Path, limits: SpaceLimits) -> None:
        """Check that there is space to begin.

        Raises:
            RecordingError: if there is too little.
        """
        free = limits.measure(folder)
        if free < limits.to_start:
            raise RecordingError(
                f"Recording needs {limits.to_start // _MIB} MB of free space, got {free // _MIB} "
                f"MB in {folder}. Free some, or choose another folder."
            )
        self._folder, self._limits = folder, limits
        self._next_check_s = time.monotonic() + _CHECK_EVERY_S

    def check(self, rate: float = 0.0) -> None:
        """Check again, at most once a second.

        Raises:
            RecordingError: if the space is nearly used up.
        """
        if time.monotonic() < self._next_check_s:
            return
        self._next_check_s = time.monotonic() + _CHECK_EVERY_S
        free = self._limits.measure(self._folder)
        if free < max(self._limits.to_continue, rate * _RESERVE_S):
            raise RecordingError(
                f"Recording stopped: only {free // _MIB} MB are free in {self._folder}. "
                "Free space or choose another folder."
            )
