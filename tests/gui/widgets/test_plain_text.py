"""Names from files are shown as plain text: Qt would load the images that HTML in them names."""

from dataclasses import replace

import pytest
from fakes import FAKE_SPEC, FakeSource
from PyQt6.QtCore import QObject, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QLabel, QMenu, QTreeWidget, QTreeWidgetItemIterator, QWidget

from kpviewer.config.files import settings_path, write_settings
from kpviewer.config.settings import RecentItems, Settings
from kpviewer.errors import SourceError, WeightsError
from kpviewer.gui.keys import Act
from kpviewer.gui.views.dialogs.about import AboutDialog, versions
from kpviewer.gui.views.dialogs.keys_dialog import KeysDialog
from kpviewer.gui.widgets.plain_text import Label, plain_tip, without_mnemonic
from kpviewer.sources.devices import camera, screen
from kpviewer.sources.devices.camera import Camera
from kpviewer.structures import StreamInfo

EVIL = "<img src='canary.png'>R&D"
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen


class EvilFile(FakeSource):
    """Video whose name is a tag."""

    @property
    def info(self) -> StreamInfo:
        return replace(super().info, name=EVIL)


def shown_as_html(root: QObject) -> list[str]:
    """Return the labels and tooltips that Qt would render as HTML."""
    found = []
    for label in root.findChildren(QLabel):
        is_plain = label.textFormat() is Qt.TextFormat.PlainText  # else a plot's, with colours
        if not is_plain and "canary" in label.text():
            found.append(f"label {type(label.parent()).__name__}: {label.text()!r}")
    tips = [each.toolTip() for each in (*root.findChildren(QWidget), *root.findChildren(QAction))]
    for tree in root.findChildren(QTreeWidget):
        iterator = QTreeWidgetItemIterator(tree)
        while (item := iterator.value()) is not None:
            tips += [item.toolTip(column) for column in range(tree.columnCount())]
            iterator += 1
    return found + [f"tip {tip!r}" for tip in tips if "<img" in tip and Qt.mightBeRichText(tip)]


def menus_of(window) -> list[QMenu]:
    menus = [each.menu() for each in (window.top_bar.source, window.top_bar.model,
                                      window.top_bar.settings)]  # fmt: skip
    for menu in menus:
        menu.aboutToShow.emit()
    return menus


@pytest.fixture
def window(qtbot, open_window, engine, monkeypatch, tmp_path):
    """A window in which every name from outside is a tag."""
    monkeypatch.setattr(camera, "list_cameras", lambda: [Camera(2, EVIL, "/dev/video2", EVIL)])
    monkeypatch.setattr(screen, "list_screens", lambda: [])
    folder = tmp_path / "config"
    recent = RecentItems(sources=(f"/tmp/{EVIL}.mp4",), models=(f"/tmp/{EVIL}.onnx",))
    write_settings(settings_path(folder), Settings(recent=recent))
    names = tuple(f"{EVIL}{n}" for n in range(2))
    engine.spec = replace(FAKE_SPEC, name=EVIL, class_names=names)
    engine.device_name = EVIL

    def load(name: str, *_: object):
        if name != "fake":
            raise WeightsError(f"{name} has a tensor {EVIL}.")
        return engine

    window = open_window(
        EvilFile(300),
        named=f"{EVIL}.mp4",
        load_engine=load,
        list_devices=lambda: {"cpu": EVIL},
        settings_folder=folder,
        folder=tmp_path / EVIL.replace("/", "_"),
    )
    qtbot.waitUntil(lambda: window.session.engine is not None)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    return window


def test_no_label_or_tooltip_of_the_window_takes_a_name_for_html(qtbot, window):
    window.status_bar.show_message(f"{EVIL} was saved.")
    window.side_panel.classes.own_switch.click()
    assert shown_as_html(window) == []
    window.opener.choose_model(f"{EVIL}.onnx")
    qtbot.waitUntil(lambda: window.session.models.failure is not None)
    qtbot.waitUntil(lambda: "canary" in window.view.chip.text())
    window.opener.compare_with(f"{EVIL}.onnx")
    qtbot.waitUntil(lambda: "canary" in window.side_panel.compare.text())
    assert shown_as_html(window) == []


def test_menus_show_names_letter_by_letter(qtbot, window):
    window.opener.cameras.ask(lambda _found: None)
    qtbot.waitUntil(lambda: window.opener.cameras.known is not None)
    menus = menus_of(window)
    assert shown_as_html(window) == []
    lines = [action.text() for menu in menus for action in menu.actions() if "R&" in action.text()]
    assert len(lines) >= 4
    assert [line for line in lines if "R&&D" not in line] == []


def test_cards_and_dialogs_show_names_letter_by_letter(qtbot, open_window, window):
    for dialog in (AboutDialog(versions(None), window), KeysDialog(window, window.key_bindings)):
        assert shown_as_html(dialog) == []

    def refuse(text: str | None, _ground_truth: object) -> FakeSource:
        raise SourceError(f"{text} is no {EVIL}.")

    other = open_window(named=f"{EVIL}.avi", open_source=refuse)
    qtbot.waitUntil(lambda: other.session.failure is not None)
    qtbot.waitUntil(lambda: "canary" in repr(other.view.card.card()))
    assert shown_as_html(other) == []


def test_a_tip_is_escaped_only_where_it_must_be():
    assert plain_tip("a < b & c") == "a < b & c"
    assert "&lt;img" in plain_tip(EVIL)
    assert without_mnemonic("R&D") == "R&&D"


def test_a_label_is_plain_from_its_first_text_on(qtbot):
    label = Label(EVIL)
    qtbot.addWidget(label)
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert label.sizeHint().width() > label.fontMetrics().horizontalAdvance("<img src=")


class NotText(FakeSource):
    """Video from an archive with names in Latin-1."""

    @property
    def info(self) -> StreamInfo:
        return replace(super().info, name="film-\udce9.mp4")


def test_a_film_whose_name_is_no_text_is_shown_recorded_and_remembered(
    qtbot, open_window, tmp_path
):
    window = open_window(
        NotText(300), named="/films/film-\udce9.mp4", with_results=True,
        settings_folder=tmp_path / "config",
    )  # fmt: skip
    qtbot.waitUntil(lambda: window.view.result() is not None)
    assert "film-" in window.windowTitle()
    qtbot.waitUntil(lambda: window.session.engine is not None)  # results need it
    qtbot.waitUntil(window.top_bar.record.isEnabled)
    window.actions_of_keys.run(Act.RECORD)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.1)
    window.close()
    (lines,) = tmp_path.glob("*.jsonl")
    assert "film-\\udce9" in lines.read_text("utf-8")
    assert list(tmp_path.glob("*.part")) == []
