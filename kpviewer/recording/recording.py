"""A video file that watches the free space. Knows nothing of threads, models and overlays."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpviewer.errors import RecordingError
from kpviewer.recording.files import free_bytes
from kpviewer.recording.parts import reserve
from kpviewer.recording.video import VideoOptions, VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kpviewer.recording.parts import Part
    from kpviewer.recording.sound import SoundTrack
    from kpviewer.structures import ImageArray

_MIB = 1024 * 1024
_CHECK_EVERY_S = 1.0
_RESERVE_S = 30.0
"""A recording ends when the space lasts for less than this at its rate."""


@dataclass(frozen=True, slots=True)
class SpaceLimits:
    """How much room on disk a recording wants, in bytes."""

    to_start: int = 1024 * _MIB
    to_go_on: int = 200 * _MIB
    """Or half a minute at the recording's rate, where that is more."""
    measure: Callable[[Path], int] = field(default=free_bytes)
    """Gives the free bytes of a folder."""


class SpaceWatch:
    """Asks for the free space now and then, while something grows in a folder."""

    def __init__(self, folder: Path, limits: SpaceLimits) -> None:
        """Check that there is room to begin.

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
        """Ask again, at most once a second.

        Args:
            rate: bytes a second that are written.

        Raises:
            RecordingError: if the space is nearly used up.
        """
        if time.monotonic() < self._next_check_s:
            return
        self._next_check_s = time.monotonic() + _CHECK_EVERY_S
        free = self._limits.measure(self._folder)
        if free < max(self._limits.to_go_on, rate * _RESERVE_S):
            raise RecordingError(
                f"Recording stopped: only {free // _MIB} MB are free in {self._folder}. "
                "Free space or choose another folder."
            )


class Recording:
    """Writes timed images to ``folder/stem.mp4`` while there is room, for one thread."""

    def __init__(
        self,
        folder: Path,
        stem: str,
        *,
        nominal_fps: float,
        video: VideoOptions,
        limits: SpaceLimits,
        sound: SoundTrack | None = None,
    ) -> None:
        """Check the space and take the name.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._space = SpaceWatch(folder, limits)
        self._part = reserve(folder, stem, ".mp4")
        self._writer = VideoWriter(self._part, nominal_fps, video, sound)
        self._is_closed = False

    @property
    def part(self) -> Part:
        """The file that grows."""
        return self._part

    @property
    def path(self) -> Path | None:
        """The part that grows, then the finished file; None if no image came until the end."""
        is_over = self._is_closed and self._writer.path is None
        return None if is_over else self._writer.path or self._part.path

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self._writer.seconds

    @property
    def frames(self) -> int:
        """Images written."""
        return self._writer.frames

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return self._writer.bytes

    @property
    def sound_failure(self) -> str | None:
        """Why the sound ends before the images."""
        return self._writer.sound_failure

    def write(self, bgr: ImageArray, time_s: float, media_s: float | None = None) -> None:
        """Add an image; see ``VideoWriter.write``.

        Raises:
            RecordingError: if the disk is full or refuses; ``close`` then keeps what there is.
        """
        self._writer.write(bgr, time_s, media_s)
        self._space.check(self._writer.bytes / max(self._writer.seconds, 1.0))

    def close(self) -> None:
        """Finish the file and give it its name; without an image nothing is left.

        Raises:
            RecordingError: if its end can't be written.
        """
        self._is_closed = True
        self._writer.close()
