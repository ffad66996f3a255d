"""State of a recorder, as a snapshot."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class RecorderState(StrEnum):
    """State in the life of a recorder."""

    IDLE = "idle"
    OPENING = "opening"
    """The files are being made."""
    RECORDING = "recording"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing is written any more."""
        return self in (RecorderState.FINISHED, RecorderState.FAILED)


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """State of a recorder, as one snapshot."""

    state: RecorderState = RecorderState.IDLE
    path: Path | None = None
    """The first file: ``NAME.mp4.part`` while it grows, then its name; None if none was written."""
    paths: tuple[Path, ...] = ()
    """All files, those of finished parts first."""
    seconds: float = 0.0
    """Length of the video, all parts together."""
    frames: int = 0
    """Number of frames in the files."""
    dropped: int = 0
    """Number of frames lost because too many waited ("recorder full")."""
    bytes: int = 0
    """Size of the files in bytes, all parts together."""
    is_paused: bool = False
    """Whether the user paused the recording."""
    is_waiting: bool = False
    """Whether no frame has come for a while, as when the video is paused."""
    disk_silence_s: float = 0.0
    """Time in s for which the disk hasn't answered; 0 while it does."""
    notices: tuple[str, ...] = ()
    """Messages for the user while recording continues: one or two lines each, oldest first."""
    failure: str | None = None
    """Reason why recording ended by itself: one or two lines for the user."""
