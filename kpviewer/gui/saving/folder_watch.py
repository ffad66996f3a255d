"""What is asked of the folder for recordings, never on the GUI thread: its space, its remains."""

from __future__ import annotations

import time
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
"""Files that a message names."""


class FolderWatch:
    """Asks on a thread, and keeps the answers; for the GUI thread."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._jobs: DiskJobs[Leftovers | tuple[Path, int]] = DiskJobs("kpviewer-folder")
        self._free: tuple[Path, int] | None = None
        self._next_ask_s = 0.0
        self._asked: Path | None = None
        self._is_silent = False

    @property
    def is_silent(self) -> bool:
        """Whether the user was told that the folder does not answer."""
        return self._is_silent

    def free_bytes(self, folder: Path) -> int | None:
        """Return the space that was last found; None until it is known. Asks again now and then."""
        now_s = time.monotonic()
        if self._asked != folder or (now_s > self._next_ask_s and not self._jobs.count):
            self._asked, self._next_ask_s = folder, now_s + _ASK_EVERY_S
            self._jobs.submit(lambda: (folder, free_bytes(folder)))
        return self._free[1] if self._free is not None and self._free[0] == folder else None

    def recover(self, folder: Path) -> None:
        """Finish what a crash left there; ``poll`` tells."""
        self._jobs.submit(partial(finish_leftovers, folder))

    def poll(self, folder: Path, silence_s: float) -> list[tuple[str, Path | None]]:
        """Return messages: on what a crash left, and whether the folder answers.

        Args:
            folder: where recordings go.
            silence_s: for how long it hasn't answered others.
        """
        told: list[tuple[str, Path | None]] = []
        for done in self._jobs.take():
            if isinstance(done.value, Leftovers):
                told += _messages(done.value)
            elif done.value is not None:
                self._free = done.value
        is_silent = max(self._jobs.silence_s, silence_s) > SILENT_S
        if is_silent is not self._is_silent:
            self._is_silent = is_silent
            text = tr("The folder for recordings answers again.")
            if is_silent:
                text = tr(
                    "The folder for recordings does not answer: {folder}. Check the disk or the "
                    "network, or choose another folder."
                ).format(folder=folder)
            told.append((text, None))
        return told

    def close(self) -> None:
        """Drop what isn't answered."""
        self._jobs.close(_CLOSE_S)


def _messages(left: Leftovers) -> list[tuple[str, Path | None]]:
    told: list[tuple[str, Path | None]] = []
    if left.broken:
        text = tr("Cut off by a crash and unreadable: {names}.")
        told.append((text.format(names=_names(left.broken)), left.broken[0]))
    if left.finished:
        text = tr("Recovered after a crash: {names}. At most the last second is missing.")
        told.append((text.format(names=_names(left.finished)), left.finished[-1]))
    return told


def _names(paths: tuple[Path, ...]) -> str:
    names = ", ".join(path.name for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    return names if more <= 0 else tr("{names} and {count} more").format(names=names, count=more)
