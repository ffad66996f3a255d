"""Contents and folder of the recordings of a window, which its panel and its settings edit."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.config.settings import Table
from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.saving.choices import RecordingChoices, recordings_folder
from kpviewer.gui.saving.folder_watch import FolderWatch
from kpviewer.gui.saving.recordings import Message
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.jobs import DiskJobs, Done
from kpviewer.recording.reasons import reason_of
from kpviewer.recording.recorder import RecorderThread

MOST_WAITING = 8
"""Greatest number of files that wait; each holds a copy of its frame."""
_CLOSE_S = 20.0
"""Time that closing waits for files, in seconds."""


def _message(done: Done[Path]) -> Message:
    if done.value is not None:
        return tr("Saved {name}").format(name=done.value.name), done.value
    error = done.failure or MemoryError()
    if isinstance(error, KpviewerError) and not str(error).startswith("the folder"):
        return str(error), None
    return tr("Not saved: {reason}").format(reason=reason_of(error)), None


class RecordingTarget(QObject):
    """What ``Saving`` and ``GridSaving`` have in common; for the GUI thread."""

    told = pyqtSignal(str, object)
    """Message, and the Path of the saved file or None."""

    def __init__(self, folder: Path | None, *, with_results: bool) -> None:
        super().__init__()
        self.folder = folder or recordings_folder()
        """Folder of the next recordings and snapshots."""
        self.choices = RecordingChoices(results=frozenset({"jsonl"} if with_results else ()))
        """Contents of the next recordings; a new pre-roll starts when no recording runs."""
        self.watch = FolderWatch()
        """Free space and silence of the folder."""
        self._style = OverlayStyle()
        self._files: DiskJobs[Path] = DiskJobs("kpviewer-saving")
        """Files that are saved on a thread, beside recordings."""
        self.file_from_start: str | None = None
        """File of a recording that waits for its source; empty: the usual one. None: none waits."""

    @property
    def with_results(self) -> bool:
        """Whether JSON lines are written beside recordings."""
        return "jsonl" in self.choices.results

    def take_choices(self, table: Table, *, with_results: bool = False) -> None:
        """Use remembered choices; ``with_results`` adds JSON lines to them."""
        choices = RecordingChoices.from_table(table)
        added = {"jsonl"} if with_results else set[str]()
        self.choices = replace(choices, results=choices.results | added)

    def recover_leftovers(self) -> None:
        """Finish recordings that a crash cut off, and report them."""
        self.watch.recover(self.folder)

    def save(self, job: Callable[[Path], Path]) -> None:
        """Write a file on a thread, and report it; ``job`` gets the folder, returns the file."""
        if self._files.count < MOST_WAITING:
            self._files.submit(partial(job, self.folder))
        else:
            self.told.emit(tr("Not saved: too many files are still being saved."), None)

    def _saved(self) -> list[Message]:
        """Return a message for each file that was saved since the last call."""
        return [_message(done) for done in self._files.take()]

    def _close_files(self) -> list[Message]:
        """Wait for the remaining files; return their messages."""
        return [_message(done) for done in self._files.close(_CLOSE_S)]

    def toggle_recording(self) -> None:
        """Start to record as chosen, or stop."""
        if self.recorders():
            self.stop_recording()
        else:
            self._start()

    def toggle_pause(self) -> None:
        """Pause what is being recorded, or resume it."""
        recorders = self.recorders()
        is_paused = all(recorder.is_paused for recorder in recorders)
        for recorder in recorders:
            (recorder.resume if is_paused else recorder.pause)()
        text = tr("Recording resumed.") if is_paused else tr("Recording paused.")
        self.told.emit(text if recorders else tr("Not recording."), None)

    def split_recording(self) -> None:
        """Finish the files of what is being recorded, and continue in new ones."""
        recorders = self.recorders()
        for recorder in recorders:
            recorder.split()
        self.told.emit(tr("New file started.") if recorders else tr("Not recording."), None)

    @abstractmethod
    def recorders(self) -> list[RecorderThread]:
        """Return the running recordings."""

    @abstractmethod
    def _start(self) -> None:
        """Start to record as chosen, to the file of a recording that waits."""

    @abstractmethod
    def stop_recording(self) -> None:
        """Stop what is being recorded; its files are finished on threads."""

    @abstractmethod
    def close(self) -> None:
        """Finish all files, within time limits."""

    @abstractmethod
    def space_text(self) -> str:
        """Return the data rate of a recording and how long the disk lasts, for people."""
