"""A model that is code runs only if the command line or the user says so, never from a file."""

from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMenu

from kpviewer.config.files import read_settings, settings_path, write_profile, write_settings
from kpviewer.config.settings import RecentItems, Settings
from kpviewer.gui.keys import Act
from kpviewer.gui.opening.permission import CodePermission, file_of
from kpviewer.gui.views.dialogs import questions

CODE = "kpviewer_no_such_module:build"


class Loads:
    """An engine loader that notes what it is asked for."""

    def __init__(self, engine: object) -> None:
        self.engine = engine
        self.names: list[str] = []

    def __call__(self, name: str, *_: object) -> object:
        self.names.append(name)
        return self.engine


@pytest.fixture
def loads(engine) -> Loads:
    return Loads(engine)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user was asked for; the answer is no."""
    asked: list[str] = []

    def say_no(_parent: object, code: str) -> bool:
        asked.append(code)
        return False

    monkeypatch.setattr(questions, "_ask", say_no)
    return asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


def wait_for_model(qtbot, window) -> None:
    qtbot.waitUntil(lambda: window.session.engine is not None)


def model_menu(window) -> QMenu:
    menu = window.top_bar.model.menu()
    menu.aboutToShow.emit()
    return menu


def click(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()


@pytest.mark.parametrize("code", [CODE, "/a/best.engine@640"])
def test_settings_that_name_code_run_nothing_and_are_reported(
    qtbot, open_window, loads, asked, folder, code
):
    write_settings(settings_path(folder), Settings(model=code))
    window = open_window(settings_folder=folder, load_engine=loads)
    wait_for_model(qtbot, window)
    assert loads.names == ["fake"]
    assert code in window.memory.store.problem
    assert asked == []


def test_an_engine_that_is_dropped_asks_first(qtbot, open_window, loads, asked, tmp_path):
    window = open_window(load_engine=loads)
    wait_for_model(qtbot, window)
    window.opener.open(str(tmp_path / "best.engine"))
    assert asked == [str(tmp_path / "best.engine")]
    assert window.session.models.loading is None
    assert loads.names == ["fake"]


def test_the_question_about_an_engine_shows_its_file():
    text = questions.question("/a/best.engine")
    assert "best.engine?" in text
    assert "/a/best.engine" in text.splitlines()
    assert "rights" in text


def test_code_is_not_left_in_settings_that_are_written_again(qtbot, open_window, loads, folder):
    write_settings(settings_path(folder), Settings(model=CODE, theme="dark"))
    window = open_window(settings_folder=folder, load_engine=loads)
    window.memory.shown.set_theme("light")
    window.close()
    kept = read_settings(settings_path(folder)).settings
    assert (kept.model, kept.theme) == (None, "light")


@pytest.mark.parametrize("named_by", ["command line", "menu"])
def test_a_profile_that_names_code_runs_nothing(qtbot, open_window, loads, asked, folder, named_by):
    write_profile(folder, "colleague", Settings(model=CODE))
    by_name = named_by == "command line"
    window = open_window(
        settings_folder=folder, load_engine=loads, profile="colleague" if by_name else None
    )
    if not by_name:
        window.memory.load_profile("colleague")
    wait_for_model(qtbot, window)
    assert CODE not in loads.names
    assert "colleague names code" in window.memory.store.problem


def test_the_command_line_may_name_code_and_it_is_not_kept_in_settings(
    qtbot, open_window, loads, asked, folder
):
    window = open_window(settings_folder=folder, load_engine=loads, model=CODE, compare=CODE)
    wait_for_model(qtbot, window)
    qtbot.waitUntil(lambda: loads.names.count(CODE) == 2)
    assert asked == []
    window.memory.save_profile("mine")
    window.close()
    kept = read_settings(settings_path(folder)).settings
    assert kept.model is None
    assert CODE not in (folder / "profiles" / "mine.toml").read_text("utf-8")
    assert kept.recent.models == (CODE,)  # offered, and asked for


def test_a_recent_item_that_is_code_asks_first(qtbot, open_window, loads, monkeypatch, folder):
    answers, asked = [False, True], []

    def answer(_parent: object, code: str) -> bool:
        asked.append(code)
        return answers.pop(0)

    monkeypatch.setattr(questions, "_ask", answer)
    write_settings(settings_path(folder), Settings(recent=RecentItems(models=(CODE,))))
    window = open_window(settings_folder=folder, load_engine=loads)
    wait_for_model(qtbot, window)
    click(model_menu(window), CODE)
    assert asked == [CODE]
    assert window.session.models.loading is None
    click(model_menu(window), CODE)
    qtbot.waitUntil(lambda: CODE in loads.names)
    window.opener.compare_with(CODE)  # agreed to already
    qtbot.waitUntil(lambda: loads.names.count(CODE) == 2)
    assert asked == [CODE, CODE]


def test_pasted_text_and_comparisons_ask_too(qtbot, open_window, loads, asked):
    window = open_window(load_engine=loads)
    wait_for_model(qtbot, window)
    data = QMimeData()
    data.setText(f"two-stage:{CODE}+points.onnx")
    QGuiApplication.clipboard().setMimeData(data)
    window.actions_of_keys.run(Act.PASTE)
    window.opener.compare_with(f"{CODE}@640")
    window.opener.choose_model(f"two-stage:face-ssd+{CODE}")
    assert asked == [CODE, CODE, CODE]
    assert loads.names == ["fake"]


def test_loaders_refuse_code_that_was_never_asked_about(qtbot, open_window, loads):
    window = open_window(load_engine=loads)
    wait_for_model(qtbot, window)
    window.session.models.load(CODE)
    qtbot.waitUntil(lambda: window.session.models.failure is not None)
    assert f"{CODE} is code, which only the command line may name" in window.session.models.failure
    assert loads.names == ["fake"]


def test_the_question_names_module_and_file_as_plain_text(
    qtbot, open_window, monkeypatch, tmp_path
):
    (tmp_path / "own_model.py").write_text("raise AssertionError('it ran')")
    monkeypatch.chdir(tmp_path)
    shown = []

    def press_cancel(box) -> int:
        shown.append((box.text(), box.textFormat().name, box.defaultButton().text()))
        return 0

    monkeypatch.setattr(questions.QMessageBox, "exec", press_cancel)
    window = open_window()
    window.opener.choose_model("own_model:build")
    ((text, kind, default),) = shown
    assert "module own_model" in text
    assert str(tmp_path / "own_model.py") in text
    assert kind == "PlainText"
    assert default.replace("&", "") == "Cancel"


def test_the_file_of_code_is_found_without_running_it(monkeypatch, tmp_path):
    package = tmp_path / "own_package"
    package.mkdir()
    for name in ("__init__", "nets"):
        (package / f"{name}.py").write_text("raise AssertionError('it ran')")
    monkeypatch.chdir(tmp_path)
    assert file_of("own_package.nets:build") == str(package / "nets.py")
    assert file_of("own_package.absent:build") is None
    assert file_of("absent_module:build") is None


def test_permission_is_for_the_function_that_was_agreed_to():
    permission = CodePermission(["own:a@640"])
    assert permission.missing("two-stage:own:a+own:b") == ["own:b"]
    permission.allow("own:b")
    assert permission.missing("two-stage:own:a+own:b") == []
