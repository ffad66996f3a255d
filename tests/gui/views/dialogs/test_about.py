"""About dialog: versions, and the report for the clipboard."""

import platform
import threading

import pytest
from fakes import TIMEOUT_S
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QLabel

from kpviewer import __version__
from kpviewer.gui.views.dialogs import about
from kpviewer.gui.views.dialogs.about import AboutDialog
from kpviewer.installation.checks import Check, State

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen
LEFT = Qt.MouseButton.LeftButton
FOUND = [Check("python", State.OK, "3.11"), Check("cameras", State.NOTE, "none", "Plug one in.")]


@pytest.fixture
def dialog(open_window, qtbot) -> AboutDialog:
    """Opened from the menu of settings."""
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    menu = window.top_bar.settings.menu()
    menu.aboutToShow.emit()
    entry = next(action for action in menu.actions() if action.text() == "About kpviewer")
    entry.trigger()
    return window.findChild(AboutDialog)


def shown(dialog: AboutDialog) -> dict[str, str]:
    return {label.accessibleName(): label.text() for label in dialog.findChildren(QLabel)}


def test_it_shows_versions_licence_and_device(dialog):
    texts_by_name = shown(dialog)
    assert texts_by_name["Python"] == platform.python_version()
    assert texts_by_name["torch"][0].isdigit()
    assert texts_by_name["Qt"].startswith("6.")
    assert texts_by_name["Device"] == "CPU · torch fp32"
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert f"kpviewer {__version__}" in texts
    assert any("GPL" in text for text in texts)


def test_report_is_what_checks_prints(dialog, qtbot, monkeypatch):
    monkeypatch.setattr(about, "all_checks", lambda: FOUND)
    qtbot.mouseClick(dialog.copy_button, LEFT)
    assert not dialog.copy_button.isEnabled()
    qtbot.waitUntil(dialog.copy_button.isEnabled)
    assert dialog.message() == "The report is on the clipboard."
    assert QApplication.clipboard().text() == (
        "ok    python   3.11\nnote  cameras  none\n               -> Plug one in."
    )
    dialog.close()


def test_a_report_that_fails_is_explained(dialog, qtbot, monkeypatch):
    def fail() -> list[Check]:
        raise OSError("the disk is gone")

    monkeypatch.setattr(about, "all_checks", fail)
    qtbot.mouseClick(dialog.copy_button, LEFT)
    qtbot.waitUntil(dialog.copy_button.isEnabled)
    assert dialog.message() == "There is no report. the disk is gone"
    dialog.close()


def test_closing_does_not_wait_for_a_report_that_is_being_made(dialog, qtbot, monkeypatch):
    started, go_on, made = threading.Event(), threading.Event(), []

    def make() -> list[Check]:
        started.set()
        go_on.wait(TIMEOUT_S)
        made.append("report")
        return FOUND

    monkeypatch.setattr(about, "all_checks", make)
    qtbot.mouseClick(dialog.copy_button, LEFT)
    assert started.wait(TIMEOUT_S)
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert made == []
    go_on.set()
