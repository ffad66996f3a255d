"""Dialog that asks what to export of the whole source, and where."""

from collections.abc import Mapping
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QDialog, QFileDialog, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.saving.export_choices import OUTPUTS, ExportChoices
from kpviewer.gui.widgets.buttons import CheckBox, PathButton, PushButton
from kpviewer.gui.widgets.layouts import DIALOG, FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import Label

_WIDTH_PX = 420


class ExportDialog(QDialog):
    """Dialog for ExportChoices; Esc closes it.

    ``lacking`` has the kinds of files that can't be written, and why.
    """

    chosen = pyqtSignal(object)
    """Emitted with the ExportChoices."""

    def __init__(
        self,
        parent: QWidget,
        name: str,
        summary: str,
        choices: ExportChoices,
        lacking: Mapping[str, str],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export {name}").format(name=name))
        self.setMinimumWidth(_WIDTH_PX)
        self._folder = choices.folder
        self.boxes = {kind: CheckBox(tr(text), "") for kind, text in OUTPUTS.items()}
        self.folder = PathButton(choices.folder)
        self.folder.setAccessibleName(tr("Folder"))
        self.folder.setToolTip(tr("Folder for the files"))
        self.folder.clicked.connect(self._on_folder_clicked)
        self.folder.set_path(choices.folder)
        self.export = PushButton(tr("Export"), primary=True)
        self.export.clicked.connect(self._on_export_clicked)
        self.export.setDefault(True)  # Enter on a box exports
        cancel = PushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self._hint = Label(kind="secondary", wraps=True)
        self.show_summary(summary)
        for kind, box in self.boxes.items():
            box.setChecked(kind in choices.outputs and kind not in lacking)
            box.setEnabled(kind not in lacking)
            box.setToolTip(lacking.get(kind, ""))
            box.toggled.connect(self._update)
        buttons = row_of(FILL, cancel, self.export)
        boxes = column_of(*self.boxes.values(), gap=8)
        column_of(
            self._hint, 4, boxes, 4, self.folder, 8, buttons, gap=8, margins=DIALOG, into=self
        )
        self._update()

    def show_summary(self, summary: str) -> None:
        """Show model and thresholds of the export."""
        self._hint.setText(tr("Every frame: {summary}").format(summary=summary))

    @property
    def choices(self) -> ExportChoices:
        """The choices that are set."""
        outputs = tuple(kind for kind, box in self.boxes.items() if box.isChecked())
        return ExportChoices(outputs, self._folder)

    def _update(self) -> None:
        self.export.setEnabled(bool(self.choices.outputs))

    def _on_folder_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder"), str(self._folder))
        if chosen:
            self._folder = Path(chosen)
            self.folder.set_path(self._folder)

    def _on_export_clicked(self) -> None:
        self.chosen.emit(self.choices)
        self.accept()
