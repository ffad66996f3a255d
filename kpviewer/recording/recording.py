"""A video file that checks the free space. It knows nothing of threads, models and overlays."""

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


class Recording:
    """Writes timed images to ``folder/stem.mp4`` while there is space, for one thread."""

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
        """Check the space and reserve the name.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._space = SpaceWatch(folder, limits)
        self._part = reserve(folder, stem, ".mp4")
        self._writer = VideoWriter(self._part, nominal_fps, video, sound)
        self._is_closed = False

    @property
    def part(self) -> Part:
        """The part file."""
        return self._part

    @property
    def path(self) -> Path | None:
        """The part file, then the finished file; None if there was no image."""
        is_over = self._is_closed and self._writer.path is None
        return None if is_over else self._writer.path or self._part.path

    @property
    def seconds(self) -> float:
        """Length so far, in s."""
        return self._writer.seconds

    @property
    def frames(self) -> int:
        """Number of images written."""
        return self._writer.frames

    @property
    def bytes(self) -> int:
        """Size of the file in bytes."""
        return self._writer.bytes

    @property
    def sound_failure(self) -> str | None:
        """Reason why the sound ends before the images; None if it doesn't."""
        return self._writer.sound_failure

    def write(self, image: ImageArray, time_s: float, media_s: float | None = None) -> None:
        """Add an image; see ``VideoWriter.write``.

        Raises:
            RecordingError: if the disk is full or fails; ``close`` then keeps the images so far.
        """
        self._writer.write(image, time_s, media_s)
        self._space.check(self._writer.bytes / max(self._writer.seconds, 1.0))

    def close(self) -> None:
        """Finish the file and give it its final name; without an image it is removed.

        Raises:
            RecordingError: if its end can't be written.
        """
        self._is_closed = True
        self._writer.close()
