"""Snapshots and exports, saved on a thread in their order. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.recording.jobs import DiskJobs, Done
from kpviewer.recording.reasons import reason_of

MOST_WAITING = 8
"""Greatest number of files that wait; each holds a copy of its frame."""
_CLOSE_S = 20.0
"""Time that closing waits for files, in seconds."""


class FileJobs:
    """Saves files on a thread; ``poll`` returns a message for each."""

    def __init__(self) -> None:
        self._jobs: DiskJobs[Path] = DiskJobs("kpviewer-saving")

    @property
    def silence_s(self) -> float:
        """Time for which the disk hasn't answered, in seconds."""
        return self._jobs.silence_s

    @property
    def has_room(self) -> bool:
        """Whether one more file may wait."""
        return self._jobs.count < MOST_WAITING

    def submit(self, job: Callable[[], Path]) -> None:
        """Save a file after those before it; ``job`` returns its path."""
        self._jobs.submit(job)

    def poll(self) -> list[tuple[str, Path | None]]:
        """Return a message and the file for each job that has ended since the last call."""
        return [_message(done) for done in self._jobs.take()]

    def close(self) -> list[tuple[str, Path | None]]:
        """Wait for the remaining files; return their messages."""
        return [_message(done) for done in self._jobs.close(_CLOSE_S)]


def _message(done: Done[Path]) -> tuple[str, Path | None]:
    if done.value is not None:
        return tr("Saved {name}").format(name=done.value.name), done.value
    error = done.failure or MemoryError()
    if isinstance(error, KpviewerError) and not str(error).startswith("the folder"):
        return str(error), None
    return tr("Not saved: {reason}").format(reason=reason_of(error)), None
