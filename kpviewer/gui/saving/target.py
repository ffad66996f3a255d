"""Contents and folder of the recordings of a window, which its panel and its settings edit."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.config import Table
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.saving.file_jobs import FileJobs
from kpviewer.gui.saving.folder_watch import FolderWatch
from kpviewer.gui.saving.folders import recordings_folder
from kpviewer.overlay import OverlayStyle


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
        self._files = FileJobs()
        self._file_from_start: str | None = None

    @property
    def with_results(self) -> bool:
        """Whether JSON lines are written beside recordings."""
        return "jsonl" in self.choices.results

    def take_choices(self, table: Table, *, with_results: bool = False) -> None:
        """Use remembered choices; ``with_results`` adds JSON lines to them."""
        choices = RecordingChoices.from_table(table)
        added = {"jsonl"} if with_results else set[str]()
        self.choices = replace(choices, results=choices.results | added)

    @abstractmethod
    def space_text(self) -> str:
        """Return the data rate of a recording and how long the disk lasts, for people."""
