"""Link between the panel of recordings and ``Saving``: choices, folder and free space."""

from pathlib import Path

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.views.dialogs.questions import ask_for_recordings_folder
from kpviewer.gui.views.panels.recording_panel import RecordingPanel
from kpviewer.recording.codecs import usable_codecs
from kpviewer.runtime.process.loading import Outcome

TICK_MS = 500


class RecordingLink(QObject):
    """Updates the panel with a timer; ``close`` ends it."""

    def __init__(self, panel: RecordingPanel, saving: RecordingTarget, window: QWidget) -> None:
        super().__init__(panel)
        self._panel, self._saving, self._window = panel, saving, window
        self._codecs = BackgroundLoader()
        self._has_asked = False
        panel.shown.connect(self.refresh)
        panel.changed.connect(self._on_edited)
        panel.folder.clicked.connect(self._on_folder_clicked)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(TICK_MS)
        self.refresh()

    def refresh(self) -> None:
        """Show the present state; menus and profiles change it, too."""
        panel, saving = self._panel, self._saving
        if panel.choices != saving.choices:
            panel.set_choices(saving.choices)
        if not panel.isVisible():
            return
        panel.show_folder(saving.folder)
        panel.show_space(saving.space_text())
        if not self._has_asked:
            self._has_asked = True
            self._codecs.submit("encoders", usable_codecs, self._on_codecs_found)

    def close(self) -> None:
        """Stop updating the panel."""
        self._timer.stop()
        self._codecs.close()

    def _on_codecs_found(self, outcome: Outcome[tuple[str, ...]]) -> None:
        if outcome.value is not None:
            self._panel.set_codecs(outcome.value)

    def _on_edited(self) -> None:
        self._saving.choices = self._panel.choices
        self.refresh()

    def _on_folder_clicked(self) -> None:
        folder = ask_for_recordings_folder(self._window, self._saving)
        if folder:
            self._saving.folder = Path(folder)
            self.refresh()
