"""About dialog: versions in use, and a report of the installation for the clipboard."""

import platform
from collections.abc import Iterable

from PyQt6.QtCore import PYQT_VERSION_STR, Qt, qVersion
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDialog, QFormLayout, QVBoxLayout, QWidget

from kpviewer import __version__
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import ViewerEngine, backend_of
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import DIALOG, FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.section import rule
from kpviewer.installation.checks import OPENCV_FLAVOURS, all_checks, report
from kpviewer.models.libraries.inference import version_of
from kpviewer.runtime.process.loading import Outcome

WIDTH = 420
_ABSENT = "–"


class AboutDialog(QDialog):
    """Dialog with the versions in use; a button copies the report of ``kpviewer checks``."""

    def __init__(self, rows: Iterable[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About kpviewer"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(WIDTH)
        self._loader = BackgroundLoader()
        self._message = Label(kind="secondary", wraps=True, name=tr("Message"))
        self.copy_button = PushButton(tr("Copy report"), primary=True)
        self.copy_button.setToolTip(tr("Copy a system report for a bug report"))
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.close_button = PushButton(tr("Close"))
        self.close_button.clicked.connect(self.close)
        buttons = row_of(FILL, self.close_button, self.copy_button, gap=8)
        parts = (_head(), rule(), _table(rows), rule(), self._message, buttons)
        column_of(*parts, gap=12, margins=DIALOG, into=self)
        self._message.setText(
            tr("The report holds versions, devices, cameras and folders of this machine.")
        )

    def message(self) -> str:
        """Return the text of the line above the buttons."""
        return self._message.text()

    def done(self, result: int) -> None:
        """Close, without waiting for a report that is still being made."""
        self._loader.close()
        super().done(result)

    def _on_copy_clicked(self) -> None:
        self.copy_button.setEnabled(False)
        self._message.setText(tr("Checking the installation …"))
        self._loader.submit("report", lambda: report(all_checks()), self._on_report_made)

    def _on_report_made(self, outcome: Outcome[str]) -> None:
        clipboard = QGuiApplication.clipboard()
        self.copy_button.setEnabled(True)
        if outcome.value is None or clipboard is None:
            self._message.setText(tr("There is no report. {reason}").format(reason=outcome.reason))
            return
        clipboard.setText(outcome.value)
        self._message.setText(tr("The report is on the clipboard."))


def versions(engine: ViewerEngine | None) -> list[tuple[str, str]]:
    """Return names and versions of the libraries, and the model's device; imports nothing."""
    opencv = next((found for name in OPENCV_FLAVOURS if (found := version_of(name))), _ABSENT)
    device = tr("No model")
    if engine is not None:
        device = f"{engine.device_name} · {backend_of(engine)}"
    return [
        ("Python", platform.python_version()),
        ("PyQt", PYQT_VERSION_STR),
        ("Qt", qVersion() or _ABSENT),
        ("torch", version_of("torch") or _ABSENT),
        ("OpenCV", opencv),
        ("PyAV", version_of("av") or _ABSENT),
        ("OpenVINO", version_of("openvino") or _ABSENT),
        (tr("Device"), device),
    ]


def _head() -> QVBoxLayout:
    name = Label(f"kpviewer {__version__}", "title")
    purpose = Label(
        tr("See live what a detection model sees in a camera or a video, and where it fails."),
        wraps=True,
    )
    licence = Label(
        tr("Free software under the GNU GPL, version 3 or later, without warranty."),
        "secondary",
        wraps=True,
    )
    return column_of(name, purpose, licence, gap=4)


def _table(rows: Iterable[tuple[str, str]]) -> QFormLayout:
    table = QFormLayout()
    table.setHorizontalSpacing(16)
    table.setVerticalSpacing(4)
    for name, value in rows:
        text = Label(value, name=name)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        table.addRow(Label(name, "secondary"), text)
    return table
