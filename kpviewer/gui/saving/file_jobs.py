"""Single files that are saved beside the window: snapshots and exports, in their order. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.recording.jobs import DiskJobs, Done
from kpviewer.recording.reasons import reason_of

MOST_WAITING = 8
"""Each holds a copy of its frame."""
_CLOSE_S = 20.0
"""How long the end waits for files that are still being saved."""


class FileJobs:
    """Saves files on a thread; ``poll`` gives a message for each."""

    def __init__(self) -> None:
        """Save nothing yet."""
        self._jobs: DiskJobs[Path] = DiskJobs("kpviewer-saving")

    @property
    def silence_s(self) -> float:
        """For how long the disk hasn't answered."""
        return self._jobs.silence_s

    @property
    def has_room(self) -> bool:
        """Whether one more may wait."""
        return self._jobs.count < MOST_WAITING

    def submit(self, job: Callable[[], Path]) -> None:
        """Save a file after those before it; ``job`` returns its path."""
        self._jobs.submit(job)

    def poll(self) -> list[tuple[str, Path | None]]:
        """Return a message and the file for each job that is over since."""
        return [_message(done) for done in self._jobs.take()]

    def close(self) -> list[tuple[str, Path | None]]:
        """Wait for the files that are still being saved."""
        return [_message(done) for done in self._jobs.close(_CLOSE_S)]


def _message(done: Done[Path]) -> tuple[str, Path | None]:
    if done.value is not None:
        return tr("Saved {name}").format(name=done.value.name), done.value
    error = done.failure or MemoryError()
    if isinstance(error, KpviewerError) and not str(error).startswith("the folder"):
        return str(error), None
    return tr("Not saved: {reason}").format(reason=reason_of(error)), None
