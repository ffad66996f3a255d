"""Texts of the window: all can be translated, and all are in Chinese."""

import ast
import html
import os
import re
from collections.abc import Iterator
from string import Formatter

import pytest
from interpreter import python
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QTreeView,
    QWidget,
)
from pyqtgraph import PlotWidget

from kpviewer.config.files import peek_settings, settings_path, write_settings
from kpviewer.config.settings import Settings
from kpviewer.gui.language import language_for, languages, tr
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.model_names import shipped_models
from kpviewer.gui.translations import FOLDER, codes, read_texts
from kpviewer.gui.views.dialogs.keys_dialog import KeysDialog
from kpviewer.gui.views.panels.docks import Part
from scripts.update_translations import calls, marked_texts, modules, updated

HORIZONTAL = Qt.Orientation.Horizontal
KEYS = {"Alt", "Ctrl", "Shift", "Space", "Enter", "Home", "Esc", "Delete"}
UNITS = {"px", "ms", "fps", "MB", "GB", "min"}
FORMATS = {"JSON", "JSONL", "Lines", "CSV", "COCO", "Pascal", "VOC", "XML", "YOLO"}
NAMES = {"NMS", "Soft-NMS", "IoU", "NME", "F1", "P95", "P99", "GPU", "CPU", "ID", "A-B"}
NAMES |= {
    "torch",
    "OpenVINO",
    "TensorRT",
    "fp32",
    "fp16",
    "bf16",
    "int8",
    "LabelImg",
    "X-AnyLabeling",
    "--truth",
}
NAMES |= {"English", "Language", "kpviewer", "checks", "eval", "GNU", "GPLv3"}
NAMES |= {"AP", "mAP", "BSD-3-Clause", "HLS", "MJPEG", "MP4"}
OF_THE_TEST = {"fake", "thing", "auto", "cpu", "cuda", "Fake", "torch"}
ALLOWED = KEYS | UNITS | FORMATS | NAMES
"""Words that Chinese writes in Latin letters."""


# -- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", codes())
def test_every_text_is_translated_and_no_translation_is_left_over(code):
    texts, translated = marked_texts(), read_texts(FOLDER / f"{code}.ts")
    how = f"python scripts/update_translations.py {code}, then translate what is unfinished"
    assert [text for text in texts if text not in translated] == [], how
    assert [text for text in translated if text not in texts] == [], how


@pytest.mark.parametrize("code", codes())
def test_translations_keep_the_placeholders(code):
    def fields(text: str) -> list[tuple[str | None, ...]]:
        parts = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
        return sorted(parts, key=str)

    for text, translation in read_texts(FOLDER / f"{code}.ts").items():
        assert fields(translation) == fields(text), text


def test_chinese_has_few_latin_words():
    texts = read_texts(FOLDER / "zh_CN.ts")
    assert len(texts) > 300
    left = {
        text: unknown
        for text in texts.values()
        if (unknown := set(words(re.sub("{.*?}", "", text))) - ALLOWED)
    }
    assert left == {}


def test_words_are_marked_where_they_stand():
    # What isn't a literal must come from a table, where tr_noop marks it.
    from_a_table = ast.Name | ast.Attribute | ast.Subscript | ast.IfExp | ast.Call
    for path in modules():
        for mark, argument in calls(ast.parse(path.read_text("utf-8"))):
            place = f"{path.name}:{argument.lineno}"
            is_literal = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            if mark == "tr_noop":
                assert is_literal, place
            else:
                assert is_literal or isinstance(argument, from_a_table), place
            for part in ast.walk(argument):
                is_format = isinstance(part, ast.Attribute) and part.attr == "format"
                assert not is_format, f"{place}: values go in after tr"


def test_update_keeps_what_is_there_and_marks_what_is_new(tmp_path):
    file = tmp_path / "xx.ts"
    file.write_text(updated("xx", {"Play": "Speel", "Old": "Oud"}, ["Play", "A <b> & c"]), "utf-8")
    assert read_texts(file) == {"Play": "Speel"}
    assert 'type="unfinished"' in file.read_text("utf-8")
    assert "A &lt;b&gt; &amp; c" in file.read_text("utf-8")
    assert "Old" not in file.read_text("utf-8")


def test_a_text_without_translation_stays_english(chinese):
    assert tr("Play") == "播放"
    assert tr("no such text") == "no such text"
    assert tr("") == ""


def test_qts_own_words_are_translated(chinese):
    assert len(chinese) == 2
    assert QApplication.translate("QPlatformTheme", "Cancel") == "取消"


# -- which language ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "preferred", "expected"),
    [
        (None, ["zh-Hans-CN", "zh-CN", "zh-Hans", "zh"], "zh_CN"),
        ("system", ["zh-Hans-SG", "zh-SG", "zh-Hans", "zh"], "zh_CN"),
        (None, ["zh"], "zh_CN"),
        (None, ["zh-Hant-TW", "zh-TW", "zh-Hant", "zh"], "en"),
        (None, ["de-Latn-DE", "de-DE", "de-Latn", "de"], "en"),
        (None, ["de-DE", "de", "zh-CN"], "zh_CN"),
        (None, ["en-US", "en", "zh-CN"], "en"),
        (None, ["C"], "en"),
        (None, [], "en"),
        ("en", ["zh-CN"], "en"),
        ("zh_CN", ["en-US"], "zh_CN"),
        ("tlh", ["zh-CN"], "zh_CN"),
    ],
)
def test_language_follows_the_choice_then_the_system(choice, preferred, expected):
    assert language_for(choice, preferred) == expected


def test_languages_are_named_in_themselves():
    assert languages() == {"en": "English", "zh_CN": "简体中文"}


# -- the window ----------------------------------------------------------------------------------


def test_window_is_chinese(chinese, open_window, qtbot):
    window = open_window()
    qtbot.waitUntil(lambda: window.view.result() is not None)
    assert window.top_bar.settings.accessibleName() == "设置"
    assert window.side_panel.thresholds.confidence.slider.accessibleName() == "置信度"
    assert window.side_panel.display.switches["anonymise"].text() == "匿名化"
    qtbot.waitUntil(lambda: window.transport.play.toolTip() == "播放/暂停 (Space)")
    window.docks.set_wanted(Part.PLOTS, wanted=True)
    qtbot.waitUntil(lambda: len(window.plots.made) == 3)
    assert "帧率" in window.plots.made[0].accessibleName()


def test_no_english_is_left_in_the_chinese_window(chinese, open_window, qtbot):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    KeysDialog(window, window.key_bindings)
    names = {word for name, _ in shipped_models() for word in words(name)}
    allowed = ALLOWED | OF_THE_TEST | names
    texts = set(shown_texts(window))
    assert {"置信度", "录制 (R)", "打开文件…\tCtrl+O", "跟随系统", "以指针为中心缩放"} <= texts
    left = {text: unknown for text in texts if (unknown := set(words(text)) - allowed)}
    assert left == {}


def words(text: str) -> list[str]:
    """Return the words of Latin letters, without markup and paths."""
    plain = html.unescape(re.sub(r"<[^>]*>", "", text))
    plain = re.sub(r"\*?\.\w+|/\S+|F\d+", "", plain)
    return re.findall(r"--[a-z]+|[A-Za-z][\w.-]*[\w]|\b[A-Za-z]{2,}\b", plain, re.ASCII)


def shown_texts(window: QWidget) -> Iterator[str]:
    """Yield every text of the widgets and menus of a window."""
    for menu in window.findChildren(QMenu):
        menu.aboutToShow.emit()
    plots = window.findChildren(PlotWidget)  # their menus are there, and never shown
    unseen = {widget for plot in plots for widget in plot.findChildren(QWidget)}
    for widget in {window, *window.findChildren(QWidget)} - unseen:
        yield from (widget.toolTip(), widget.accessibleName())
        if isinstance(widget, QAbstractButton | QLabel):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(row) for row in range(widget.count()))
        if isinstance(widget, QMenu):
            yield widget.title()
        for action in widget.actions():
            if action.text():
                yield action.text()
                yield action.toolTip()
        if isinstance(widget, QTableView | QTreeView) and (model := widget.model()) is not None:
            from_left = range(model.columnCount())
            across = [model.headerData(column, HORIZONTAL) for column in from_left]
            yield from (text for text in across if isinstance(text, str))


# -- choosing one --------------------------------------------------------------------------------


def choose_language(window: MainWindow, name: str) -> None:
    menu = window.top_bar.settings.menu()
    menu.aboutToShow.emit()
    submenu = next(
        action.menu() for action in menu.actions() if action.text() in ("Language", tr("Language"))
    )
    next(action for action in submenu.actions() if action.text() == name).trigger()


def test_chosen_language_is_announced_and_remembered(open_window, tmp_path):
    window = open_window(settings_folder=tmp_path)
    choose_language(window, "简体中文")
    assert window.status_bar.message() == "The language changes at the next start."
    window.close()
    assert peek_settings(settings_path(tmp_path)).language == "zh_CN"


def test_language_can_follow_the_system_again(open_window, tmp_path):
    write_settings(settings_path(tmp_path), Settings(language="zh_CN"))
    window = open_window(settings_folder=tmp_path)
    choose_language(window, "As the system")
    window.close()
    assert peek_settings(settings_path(tmp_path)).language is None


def test_peek_leaves_a_damaged_file_where_it_is(tmp_path):
    file = settings_path(tmp_path)
    file.write_text("language = [", "utf-8")
    assert peek_settings(file) == Settings()
    assert file.read_text("utf-8") == "language = ["


START = """
import sys
from dataclasses import replace
from pathlib import Path
import kpviewer.gui.app as app
from kpviewer.gui.app import open_window
from kpviewer.errors import KpviewerError
from kpviewer.gui.options import ViewerOptions

class Window(open_window.MainWindow):
    def showEvent(self, event):
        super().showEvent(event)
        sys.stdout.buffer.write(self.top_bar.settings.accessibleName().encode())

open_window.MainWindow = Window
def fail(*_): raise KpviewerError("Nothing is there.")
options = ViewerOptions(
    source="x", language={language!r}, settings_folder=Path({folder!r}), seconds=0.0,
)
loaders = replace(app.LOADERS, open_source=fail, load_engine=fail, load_first=None)
app.run_viewer(options, loaders=loaders)
"""


@pytest.mark.parametrize(("language", "expected"), [(None, "设置"), ("en", "Settings")])
def test_start_uses_the_remembered_language_unless_one_is_given(tmp_path, language, expected):
    write_settings(settings_path(tmp_path), Settings(language="zh_CN"))
    env = {**os.environ, "PYTHONUTF8": "1"}
    shown = python(START.format(language=language, folder=str(tmp_path)), env)
    assert shown == expected
