"""Free space and leftovers of the folder for recordings, never asked on the GUI thread."""

import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kpviewer.gui.language import tr
from kpviewer.recording.disk import SILENT_S
from kpviewer.recording.files import free_bytes
from kpviewer.recording.jobs import DiskJobs
from kpviewer.recording.leftovers import Leftovers, finish_leftovers

_ASK_EVERY_S = 2.0
_CLOSE_S = 0.5
_NAMED = 3
"""Greatest number of files that a message names."""


class FolderWatch:
    """Asks the folder on a thread, and keeps the answers for the GUI thread."""

    def __init__(self) -> None:
        self._jobs = _jobs()
        self._folder: Path | None = None
        self._free: int | None = None
        self._next_ask_s = self._answered_s = self._silent_since_s = 0.0
        self.is_silent = False
        """Whether the folder was reported as not answering."""

    def free_bytes(self, folder: Path) -> int | None:
        """Return the last known free space in bytes, None if unknown; ask again now and then."""
        self._note(folder)
        if time.monotonic() > self._next_ask_s:
            self._ask(folder)
        return self._free

    def recover(self, folder: Path) -> None:
        """Finish recordings that a crash left there; ``poll`` returns the messages."""
        self._note(folder)
        self._jobs.submit(partial(finish_leftovers, folder))

    def poll(self, folder: Path, silence_s: float) -> list[tuple[str, Path | None]]:
        """Return messages about recovered files, and about a folder that doesn't answer."""
        self._note(folder)
        messages: list[tuple[str, Path | None]] = []
        for done in self._jobs.take():
            self._answered_s = time.monotonic()
            if isinstance(done.value, Leftovers):
                messages += _messages(done.value)
            else:
                self._free = done.value
        is_late = max(self._jobs.silence_s, silence_s) > SILENT_S
        if is_late and not self.is_silent:
            self.is_silent, self._silent_since_s = True, time.monotonic()
            text = tr(
                "The folder for recordings does not answer: {folder}. Check the disk or the "
                "network, or choose another folder."
            )
            messages.append((text.format(folder=folder), None))
        elif self.is_silent and not is_late and self._answered_s > self._silent_since_s:
            self.is_silent = False
            messages.append((tr("The folder for recordings answers again."), None))
        elif self.is_silent:  # other threads may have given up: ask again
            self._ask(folder)
        return messages

    def _note(self, folder: Path) -> None:
        """Switch to another folder; questions to the former one may never be answered."""
        if folder != self._folder:
            self._jobs.close(0.0)
            self._jobs = _jobs()
            self._folder, self._free, self.is_silent = folder, None, False
            self._next_ask_s = 0.0

    def _ask(self, folder: Path) -> None:
        if not self._jobs.count:
            self._next_ask_s = time.monotonic() + _ASK_EVERY_S
            self._jobs.submit(lambda: free_bytes(folder))

    def close(self) -> None:
        """Drop questions that aren't answered."""
        self._jobs.close(_CLOSE_S)


def _jobs() -> DiskJobs[Leftovers | int]:
    """Return a queue that waits for answers without a limit."""
    return DiskJobs("kpviewer-folder", let_go_s=math.inf)


def _messages(left: Leftovers) -> list[tuple[str, Path | None]]:
    messages: list[tuple[str, Path | None]] = []
    if left.broken:
        text = tr("Cut off by a crash and unreadable: {names}.")
        messages.append((text.format(names=names_of(left.broken)), left.broken[0]))
    if left.finished:
        text = tr("Recovered after a crash: {names}. At most the last second is missing.")
        messages.append((text.format(names=names_of(left.finished)), left.finished[-1]))
    return messages


def names_of(paths: Sequence[Path]) -> str:
    """Return the names of the first files, and how many more there are."""
    names = ", ".join(path.name for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return names if more <= 0 else tr("{names} and {count} more").format(names=names, count=more)
