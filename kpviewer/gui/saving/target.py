"""What the panel of recordings and the settings show of a window's recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kpviewer.config import Table
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.saving.folder_watch import FolderWatch


class RecordingTarget(Protocol):
    """Contents and folder of recordings; ``Saving`` is one."""

    choices: RecordingChoices
    folder: Path

    watch: FolderWatch

    @property
    def with_results(self) -> bool:
        """Whether JSON lines are written beside recordings."""

    def take_choices(self, table: Table, *, with_results: bool = False) -> None:
        """Use remembered choices; ``with_results`` adds JSON lines to them."""

    def space_text(self) -> str:
        """Return the data rate of a recording and how long the disk lasts, for people."""
