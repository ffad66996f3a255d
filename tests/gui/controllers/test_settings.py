"""The window remembers what was changed in it, and only that; profiles; recent items; pasting."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fakes import FAKE_SPEC, FakeSource
from PyQt6.QtCore import QMimeData, Qt, QTimer, QUrl
from PyQt6.QtGui import QAction, QGuiApplication
from PyQt6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLineEdit, QMenu, QPushButton

from kpviewer.config.files import (
    profile_names,
    read_profile,
    read_settings,
    settings_path,
    write_profile,
    write_settings,
)
from kpviewer.config.settings import (
    ModelSettings,
    RecentItems,
    Settings,
    WindowSettings,
    apply_changes,
)
from kpviewer.errors import PipelineError, SourceError, WeightsError
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.recent import with_source
from kpviewer.gui.settings.remembered import RememberedSettings, kept_thresholds
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.widgets.theme import ThemeChoice
from kpviewer.models.spec import ModelSpec
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.devices import camera
from kpviewer.structures import GroundTruth, Thresholds

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
DIALOG = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "config"


def remembered(folder: Path) -> Settings:
    return read_settings(settings_path(folder)).settings


def remember(folder: Path, **values: object) -> None:
    write_settings(settings_path(folder), Settings(**values))


def wait_for_model(qtbot, window) -> None:
    qtbot.waitUntil(lambda: window.session.engine is not None)


def menu_of(picker) -> QMenu:
    menu = picker.menu()
    menu.aboutToShow.emit()
    return menu


def texts(menu: QMenu) -> list[str]:
    return [action.text().partition("\t")[0] for action in menu.actions() if action.text()]


def line(menu: QMenu, text: str) -> QAction:
    found = [each for each in menu.actions() if each.text().partition("\t")[0] == text]
    assert found, f"{text!r} is not among {texts(menu)}"
    return found[0]


def submenu(menu: QMenu, text: str) -> QMenu:
    inside = line(menu, text).menu()
    assert inside is not None
    return inside


def test_classes_of_one_name_are_hidden_together(folder):
    kept = ModelSettings(hidden=("dog",), class_scores={"cat": 0.9})
    remember(folder, thresholds={FAKE_SPEC.name: kept})
    settings = RememberedSettings(SettingsStore(folder), ViewerOptions())
    spec = replace(FAKE_SPEC, class_names=("cat", "dog", "cat"))
    thresholds = settings.thresholds(spec, Thresholds())
    assert thresholds.classes == {0, 2}
    assert thresholds.class_scores == {0: 0.9, 2: 0.9}


def test_models_of_one_name_have_thresholds_of_their_own(folder):
    cats = replace(FAKE_SPEC, class_names=("cat", "dog"))
    scratches = replace(FAKE_SPEC, class_names=("scratch",))
    store = SettingsStore(folder)
    settings = RememberedSettings(store, ViewerOptions())

    def edit(spec: ModelSpec, before: Thresholds, after: Thresholds) -> None:
        one, other = (
            Settings(thresholds={spec.name: kept_thresholds(spec, each)})
            for each in (before, after)
        )
        store.edit(partial(apply_changes, one, other))

    own = FAKE_SPEC.thresholds
    sure = replace(own, score=0.9)
    edit(cats, own, sure)
    assert settings.thresholds(cats, own).score == 0.9
    assert settings.thresholds(scratches, own) == own
    edit(scratches, sure, own)  # the command line's confidence, back at the default
    assert settings.thresholds(cats, own).score == 0.9
    edit(scratches, sure, replace(sure, iou=0.125))  # with a confidence of the command line
    kept = settings.thresholds(scratches, own)
    assert (kept.score, kept.iou) == (own.score, 0.125)
    assert settings.thresholds(cats, own) == own


def test_edits_are_remembered(qtbot, open_window, engine, themes, folder):
    engine.spec = replace(FAKE_SPEC, class_names=("cat", "dog"))
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    panel = window.side_panel
    slider = panel.thresholds.confidence.slider
    for _ in range(10):
        qtbot.keyClick(slider, Key.Key_Right)
    score = panel.thresholds.confidence.value()
    panel.thresholds.nms.choose(1)
    panel.classes.set_ticked(1, False)
    panel.display.switches["labels"].click()
    qtbot.keyClick(window, Key.Key_G)
    line(submenu(menu_of(window.top_bar.settings), "Theme"), "Light").trigger()
    window.close()
    kept = remembered(folder)
    assert kept.thresholds[engine.spec.name] == ModelSettings(
        score=pytest.approx(score),
        nms="soft-linear",
        hidden=("dog",),
        names=kept.thresholds[engine.spec.name].names,
    )
    assert kept.model is None  # nobody chose one

    themes.set_choice(ThemeChoice.DARK)
    again = open_window(settings_folder=folder)
    wait_for_model(qtbot, again)
    assert again.session.thresholds.classes == {0}
    assert again.side_panel.thresholds.confidence.value() == pytest.approx(score)
    assert again.side_panel.thresholds.nms.index() == 1
    assert again.side_panel.classes.shown() == {0}
    assert not again.side_panel.display.switches["labels"].isChecked()
    assert again.plots.isVisible()
    assert again.side_panel.isVisible()
    assert themes.choice is ThemeChoice.LIGHT


def test_edits_are_written_while_the_window_is_open(qtbot, open_window, folder):
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    window.side_panel.display.switches["boxes"].click()
    qtbot.waitUntil(lambda: remembered(folder).display == {"boxes": False})


def test_value_that_returns_to_its_default_is_forgotten(qtbot, open_window, engine, folder):
    name = engine.spec.name
    remember(folder, thresholds={name: ModelSettings(score=0.75)}, display={"boxes": False})
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    assert window.side_panel.thresholds.confidence.value() == 0.75
    window.side_panel.thresholds.confidence.slider.setFocus()
    qtbot.mouseDClick(window.side_panel.thresholds.confidence.slider, LEFT)
    window.side_panel.display.switches["boxes"].click()
    window.close()
    assert remembered(folder).thresholds == {}
    assert remembered(folder).display == {}


def test_without_a_folder_nothing_is_written(qtbot, open_window, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    window = open_window()
    wait_for_model(qtbot, window)
    window.side_panel.display.switches["boxes"].click()
    window.close()
    assert not (tmp_path / "home").exists()
    menu = menu_of(window.top_bar.settings)
    assert not line(menu, "Save as profile…").isEnabled()


def test_command_line_wins_and_is_not_remembered(qtbot, open_window, engine, themes, folder):
    name = engine.spec.name
    before = {
        "thresholds": {name: ModelSettings(score=0.75, iou=0.25)},
        "model": "other",
        "device": "cuda:0",
        "theme": "light",
    }
    remember(folder, **before)
    loads: list[tuple[str, str]] = []

    def load(model, device, _size):
        loads.append((model, device))
        return engine

    named = frozenset(("model", "device", "theme"))
    options = {"given": named, "device": "cpu", "score": 0.5, "load_engine": load}
    window = open_window(settings_folder=folder, **options)
    wait_for_model(qtbot, window)
    assert loads == [("fake", "cpu")]
    assert (window.session.thresholds.score, window.session.thresholds.iou) == (0.5, 0.25)
    assert themes.choice is ThemeChoice.DARK
    window.side_panel.thresholds.nms.choose(1)
    window.close()
    kept = remembered(folder)
    assert (kept.model, kept.device, kept.theme) == ("other", "cuda:0", "light")
    assert kept.thresholds[name] == ModelSettings(
        score=0.75, iou=0.25, nms="soft-linear", names=kept.thresholds[name].names
    )


def test_edit_beats_the_command_line_when_the_model_comes_back(qtbot, open_window, engine, folder):
    other = type(engine)(spec=replace(engine.spec, name="other"))
    engines = {"fake": engine, "other": other}
    load = lambda name, _device, _size: engines[name]  # noqa: E731
    window = open_window(settings_folder=folder, score=0.5, load_engine=load)
    wait_for_model(qtbot, window)
    slider = window.side_panel.thresholds.confidence.slider
    for _ in range(10):
        qtbot.keyClick(slider, Key.Key_Right)
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.session.engine is other)
    window.opener.choose_model("fake")
    qtbot.waitUntil(lambda: window.session.engine is engine)
    assert window.session.thresholds.score == pytest.approx(0.6)


@pytest.mark.parametrize("is_cached", [True, False])
def test_model_and_device_that_were_chosen_are_loaded_the_next_time_but_not_downloaded(
    qtbot, open_window, engine, folder, *, tmp_path, monkeypatch, is_cached
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    loads: list[tuple[str, str]] = []

    def load(model, device, _size):
        loads.append((model, device))
        return engine

    window = open_window(settings_folder=folder, load_engine=load)
    wait_for_model(qtbot, window)
    line(submenu(menu_of(window.top_bar.model), "Device"), "Fake GPU").trigger()
    qtbot.waitUntil(lambda: loads[-1] == ("fake", "cuda:0"))
    window.opener.choose_model("torchvision:ssd300_vgg16")
    qtbot.waitUntil(lambda: loads[-1] == ("torchvision:ssd300_vgg16", "cuda:0"))
    qtbot.waitUntil(lambda: remembered(folder).model == "torchvision:ssd300_vgg16")
    window.close()
    loads.clear()
    if is_cached:
        (cache / "ssd300_vgg16_coco-b556d3b4.pth").touch()
    again = open_window(settings_folder=folder, load_engine=load)
    wait_for_model(qtbot, again)
    assert loads == [("torchvision:ssd300_vgg16" if is_cached else "fake", "cuda:0")]


def test_model_that_can_not_be_loaded_is_not_remembered(qtbot, open_window, engine, folder):
    def load(model, _device, _size):
        if model == "broken":
            raise WeightsError("Broken.")
        return engine

    window = open_window(settings_folder=folder, load_engine=load)
    wait_for_model(qtbot, window)
    window.opener.choose_model("broken")
    qtbot.waitUntil(lambda: window.session.models.failure is not None)
    window.close()
    assert remembered(folder).model is None


def test_remembered_model_and_device_that_are_gone_stop_nothing(
    qtbot, open_window, engine, folder, tmp_path
):
    remember(folder, model=str(tmp_path / "gone.onnx"), device="cuda:7")
    loads: list[tuple[str, str]] = []

    def load(model, device, _size):
        loads.append((model, device))
        if device == "cuda:7":
            raise PipelineError("There is no device cuda:7.")
        return engine

    window = open_window(settings_folder=folder, load_engine=load)
    wait_for_model(qtbot, window)
    assert loads == [("fake", "cuda:7"), ("fake", "auto")]
    loaded = window.session.models.loaded  # what exports, scans and other windows ask for
    assert (loaded.model, loaded.device) == ("fake", "auto")
    model_menu = menu_of(window.top_bar.model)
    assert line(submenu(model_menu, "Device"), "Automatic").isChecked()
    window.close()
    assert remembered(folder).device == "cuda:7"  # it may be back tomorrow
    assert remembered(folder).model == str(tmp_path / "gone.onnx")


def test_damaged_settings_are_reported_in_the_window(qtbot, open_window, folder):
    folder.mkdir()
    settings_path(folder).write_text("theme = ")
    window = open_window(settings_folder=folder)
    qtbot.waitUntil(lambda: "can't be read" in window.status_bar.message())
    assert (folder / "settings.kept-1.toml").exists()


def test_two_windows_do_not_undo_each_other(qtbot, open_window, folder):
    first, second = open_window(settings_folder=folder), open_window(settings_folder=folder)
    first.side_panel.display.switches["boxes"].click()
    first.close()
    second.side_panel.display.switches["scores"].click()
    second.close()
    assert remembered(folder).display == {"boxes": False, "scores": False}


def test_size_of_the_window_comes_back(qtbot, open_window, themes, folder):
    window = open_window(settings_folder=folder)
    window.resize(780, 560)
    window.close()
    kept = remembered(folder).window
    assert (kept.width_px, kept.height_px) == (780, 560)
    again = MainWindow(ViewerOptions(settings_folder=folder), themes)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (780, 560)
    again.close()
    remember(folder, window=WindowSettings(90_000, 90_000))
    large = MainWindow(ViewerOptions(settings_folder=folder), themes)
    qtbot.addWidget(large)
    screen = QGuiApplication.primaryScreen().availableSize()
    assert large.width() <= screen.width()
    large.close()


def test_last_camera_is_opened_if_no_source_is_named(qtbot, open_window, monkeypatch, folder):
    found = (camera.Camera(0, "Built-in", None), camera.Camera(2, "fake", None))
    monkeypatch.setattr(camera, "list_cameras", lambda: list(found))
    opened: list[str | None] = []

    def open_source(text, _ground_truth):
        opened.append(text)
        return FakeSource(300, live=True)

    window = open_window(settings_folder=folder, named="2", open_source=open_source)
    qtbot.waitUntil(lambda: window.session.info is not None)
    window.close()
    assert remembered(folder).camera == "fake"
    again = open_window(settings_folder=folder, named=None, open_source=open_source)
    qtbot.waitUntil(lambda: again.session.info is not None)
    assert opened == ["2", "2"]


def test_folder_for_recordings_is_remembered(qtbot, open_window, monkeypatch, folder, tmp_path):
    chosen = tmp_path / "lab"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(chosen))
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    line(menu_of(window.top_bar.settings), "Folder for recordings…").trigger()
    qtbot.waitUntil(window.top_bar.snapshot.isEnabled)
    qtbot.keyClick(window, Key.Key_S)
    window.close()
    assert len(list(chosen.glob("*.png"))) == 1
    again = open_window(settings_folder=folder, folder=None)
    assert again.saving.folder == chosen


# -- profiles --------------------------------------------------------------------------------


def answer(qtbot, name: str) -> None:
    """Type a name into the dialog that comes, and accept it."""

    def type_it() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QInputDialog)
        field = dialog.findChild(QLineEdit)
        field.selectAll()
        qtbot.keyClicks(field, name)
        qtbot.keyClick(field, Key.Key_Return)

    QTimer.singleShot(0, type_it)


@DIALOG
def test_profile_is_saved_loaded_and_deleted_from_the_menu(qtbot, open_window, engine, folder):
    window = open_window(settings_folder=folder, score=0.5)
    wait_for_model(qtbot, window)
    window.side_panel.display.switches["labels"].click()
    menu = menu_of(window.top_bar.settings)
    answer(qtbot, "Night shift")
    line(menu, "Save as profile…").trigger()
    assert "Saved profile Night shift" in window.status_bar.message()
    saved = read_profile(folder, "Night shift").settings
    assert saved.display == {"labels": False}
    assert saved.thresholds[engine.spec.name].score == 0.5  # as shown

    window.side_panel.display.switches["labels"].click()
    for _ in range(20):
        qtbot.keyClick(window.side_panel.thresholds.confidence.slider, Key.Key_Left)
    line(menu_of(window.top_bar.settings), "Night shift").trigger()
    assert not window.side_panel.display.switches["labels"].isChecked()
    assert window.side_panel.thresholds.confidence.value() == 0.5
    assert window.session.thresholds.score == 0.5
    window.memory.note()
    qtbot.waitUntil(lambda: remembered(folder).display == {"labels": False})

    line(submenu(menu_of(window.top_bar.settings), "Delete profile"), "Night shift").trigger()
    assert profile_names(folder) == []
    assert "No profile yet" in texts(menu_of(window.top_bar.settings))


def undo(window) -> None:
    """Press the button of the present message."""
    bar = window.status_bar
    (button,) = (each for each in bar.findChildren(QPushButton) if each.text() == "Undo")
    assert button.isVisible()
    button.click()


@DIALOG
def test_profile_that_was_replaced_or_deleted_comes_back(qtbot, open_window, folder):
    write_profile(folder, "x", Settings(display={"labels": False}))
    path = folder / "profiles" / "x.toml"
    path.write_text(before := f"# my own\n{path.read_text()}")
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    answer(qtbot, "x")
    line(menu_of(window.top_bar.settings), "Save as profile…").trigger()
    assert path.read_text() != before
    undo(window)
    assert path.read_text() == before
    assert window.status_bar.message() == "Restored profile x"

    line(submenu(menu_of(window.top_bar.settings), "Delete profile"), "x").trigger()
    assert profile_names(folder) == []
    undo(window)
    assert path.read_text() == before

    answer(qtbot, "new")
    line(menu_of(window.top_bar.settings), "Save as profile…").trigger()
    assert window.status_bar.message() == "Saved profile new"  # nothing to undo


def test_values_of_a_profile_that_are_not_valid_are_said(qtbot, open_window, folder):
    write_profile(folder, "x", Settings(display={"labels": False}))
    path = folder / "profiles" / "x.toml"
    path.write_text("theme = 3\n" + path.read_text())
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    line(menu_of(window.top_bar.settings), "x").trigger()
    said = "x.toml: ignored values that are not valid: theme."
    qtbot.waitUntil(lambda: window.status_bar.message() == said)


def test_recent_items_that_were_cleared_come_back_after_those_of_now(qtbot, open_window, folder):
    recent = RecentItems(("/a.mp4", "/b.mp4"), ("/a.onnx",))
    remember(folder, recent=recent, marks={"/a.mp4": (3,)})
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    clear = line(menu_of(window.top_bar.source), "Clear recent")
    clear.trigger()
    assert window.memory.recent_sources().items == ()
    window.memory.store.edit(lambda now: with_source(now, "/c.mp4"))
    undo(window)
    kept = window.memory.store.current
    played = str(Path("fake").absolute())
    assert kept.recent.sources == ("/c.mp4", played, "/a.mp4", "/b.mp4")
    assert kept.recent.models == ("fake", "/a.onnx")
    assert kept.marks == {"/a.mp4": (3,)}
    window.close()
    assert remembered(folder).recent == kept.recent


def test_profile_with_another_model_loads_it(qtbot, open_window, engine, folder):
    other = type(engine)(spec=replace(engine.spec, name="other"))
    engines = {"fake": engine, "other": other}
    kept = {"other": ModelSettings(iou=0.125)}
    write_profile(folder, "x", Settings(model="other", thresholds=kept))
    load = lambda name, _device, _size: engines[name]  # noqa: E731
    window = open_window(settings_folder=folder, load_engine=load)
    wait_for_model(qtbot, window)
    line(menu_of(window.top_bar.settings), "x").trigger()
    qtbot.waitUntil(lambda: window.session.engine is other)
    assert window.session.thresholds.iou == 0.125
    window.close()
    assert remembered(folder).model == "other"


def test_profile_whose_model_is_gone_says_so(qtbot, open_window, folder, tmp_path):
    gone = str(tmp_path / "gone.onnx")
    write_profile(folder, "x", Settings(model=gone))
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    line(menu_of(window.top_bar.settings), "x").trigger()
    assert window.status_bar.message() == f"{gone} isn't there any more. {DEFAULT_MODEL} is used."


def test_profile_of_the_same_model_keeps_the_evaluated_frames(qtbot, open_window, engine, folder):
    name = engine.spec.name
    write_profile(folder, "x", Settings(thresholds={name: ModelSettings(score=0.75)}))
    source = FakeSource(40, ground_truth=GroundTruth.empty())
    # a profile that names no model is of the usual one
    window = open_window(source, settings_folder=folder, model=DEFAULT_MODEL)
    wait_for_model(qtbot, window)
    window.session.reopen()  # the model runs from its first frame on
    qtbot.waitUntil(lambda: window.bridge.scores.summary.frames > 1)
    qtbot.waitUntil(lambda: "The end" in window.view.chip.text())
    qtbot.waitUntil(lambda: not window.bridge.analysis.is_busy)
    before = window.bridge.scores.summary
    assert before.false_positives > before.frames
    line(menu_of(window.top_bar.settings), "x").trigger()
    assert window.session.models.loading is None
    qtbot.waitUntil(lambda: not window.bridge.analysis.is_busy)
    after = window.bridge.scores.summary
    assert after.frames == before.frames
    assert after.false_positives == after.frames  # at 0.75 one of two detections is left
    assert len(window.view.result().detections) == 1


@DIALOG
def test_name_that_is_no_file_name_is_reported(qtbot, open_window, folder):
    window = open_window(settings_folder=folder)
    answer(qtbot, "../x")
    line(menu_of(window.top_bar.settings), "Save as profile…").trigger()
    assert "name must be" in window.status_bar.message()


def test_profile_of_the_command_line_is_for_this_time(qtbot, open_window, engine, folder):
    remember(folder, display={"boxes": False})
    write_profile(folder, "x", Settings(display={"scores": False}))
    window = open_window(settings_folder=folder, profile="x")
    wait_for_model(qtbot, window)
    display = window.side_panel.display
    assert display.switches["boxes"].isChecked()
    assert not display.switches["scores"].isChecked()
    display.switches["labels"].click()
    window.close()
    assert remembered(folder).display == {"boxes": False, "labels": False}


# -- recent items ----------------------------------------------------------------------------


def test_sources_that_opened_are_offered_newest_first(qtbot, open_window, folder, tmp_path):
    files = [tmp_path / name for name in ("a.mp4", "b & c.mp4")]
    for file in files:
        file.touch()

    def open_source(_text, _ground_truth):
        return FakeSource(300)

    window = open_window(settings_folder=folder, named="demo", open_source=open_source)
    for file in files:
        window.opener.choose_source(str(file))
        qtbot.waitUntil(lambda file=file: window.session.source_text == str(file))
        qtbot.waitUntil(lambda: window.session.info is not None)
    window.close()
    files[0].unlink()
    again = open_window(settings_folder=folder, named="demo", open_source=open_source)
    qtbot.waitUntil(lambda: again.session.info is not None)
    menu = menu_of(again.top_bar.source)
    shown = texts(menu)
    place = shown.index("Recent")
    assert shown[place + 1 : place + 4] == ["b && c.mp4", "a.mp4", "Clear recent"]
    assert line(menu, "a.mp4").isEnabled()  # nobody asked the disk, which may be far away
    line(menu, "b && c.mp4").trigger()
    qtbot.waitUntil(lambda: again.session.source_text == str(files[1]))
    line(menu_of(again.top_bar.source), "Clear recent").trigger()
    assert "Recent" not in texts(menu_of(again.top_bar.source))
    again.close()
    assert remembered(folder).recent.sources == ()


def test_source_that_failed_is_not_offered(qtbot, open_window, folder):
    errors = [PipelineError("No.")]
    window = open_window(FakeSource(10, open_errors=errors), settings_folder=folder)
    qtbot.waitUntil(lambda: window.session.failure is not None)
    window.close()
    assert remembered(folder).recent.sources == ()


def test_models_that_were_opened_are_offered(qtbot, open_window, folder, tmp_path):
    file = tmp_path / "mine.onnx"
    file.touch()
    window = open_window(settings_folder=folder, model="face-ssd")
    wait_for_model(qtbot, window)
    window.opener.choose_model(str(file))
    qtbot.waitUntil(lambda: window.session.models.loaded.model == str(file))
    menu = menu_of(window.top_bar.model)
    assert texts(menu).count("Faces and landmarks") == 1
    window.opener.choose_model("face-ssd")
    line(menu, "mine.onnx").trigger()
    assert window.session.models.loading == str(file)
    line(menu_of(window.top_bar.model), "Clear recent").trigger()
    assert "mine.onnx" not in texts(menu_of(window.top_bar.model))


# -- pasting ---------------------------------------------------------------------------------


def copy(data: str | list[QUrl]) -> None:
    mime = QMimeData()
    if isinstance(data, str):
        mime.setText(data)
    else:
        mime.setUrls(data)
    QGuiApplication.clipboard().setMimeData(mime)


@pytest.mark.parametrize(
    ("copied", "opened"),
    [
        (" rtsp://cam/1\n", "rtsp://cam/1"),
        ('"/videos/my clip.mp4"', "/videos/my clip.mp4"),
        ("file:///videos/my%20clip.mp4", "/videos/my clip.mp4"),
        ([QUrl.fromLocalFile("/videos/a.mp4")], "/videos/a.mp4"),
    ],
)
def test_pasting_opens_the_address_or_path(qtbot, open_window, copied, opened):
    window = open_window()
    copy(copied)
    qtbot.keyClick(window, Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.session.source_text == opened)


def test_pasting_several_files_opens_all_as_a_drop_does(qtbot, open_window):
    window = open_window()
    copy([QUrl.fromLocalFile("/videos/a.mp4"), QUrl.fromLocalFile("/b")])
    with qtbot.waitSignal(window.several_asked) as asked:
        qtbot.keyClick(window, Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert asked.args == [["/videos/a.mp4", "/b"]]


def test_pasting_text_that_is_no_source_leaves_video_and_recording_alone(qtbot, open_window):
    def open_source(text, _ground_truth):
        if text != "fake":
            raise SourceError(f"No source is named {text}. Check it.")
        return FakeSource(300)

    window = open_window(open_source=open_source)
    qtbot.waitUntil(lambda: window.session.info is not None)
    window.saving.toggle_recording()
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0)
    copy("not a source at all")
    qtbot.keyClick(window, Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: "No source is named not a source" in window.status_bar.message())
    assert window.session.source_text == "fake"
    assert window.saving.recorded_s is not None
    index = window.view.result().frame.index
    qtbot.waitUntil(lambda: window.view.result().frame.index > index)
    window.saving.stop_recording()


def test_pasting_with_nothing_open_shows_the_error(qtbot, open_window):
    def open_source(_text, _ground_truth):
        raise SourceError("No source is named so. Check it.")

    window = open_window(open_source=open_source)
    qtbot.waitUntil(lambda: window.view.card.isVisible() and window.session.failure is not None)
    copy("nonsense")
    qtbot.keyClick(window, Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.session.source_text == "nonsense"


def test_pasting_a_model_loads_it(qtbot, open_window):
    window = open_window()
    wait_for_model(qtbot, window)
    copy("/models/mine.onnx")
    qtbot.keyClick(window, Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.session.models.loaded.model == "/models/mine.onnx")
    assert window.session.source_text == "fake"


@pytest.mark.parametrize("copied", ["", "two\nlines", "x" * 5000])
def test_pasting_anything_else_is_reported(qtbot, open_window, copied):
    window = open_window()
    copy(copied)
    line(menu_of(window.top_bar.source), "Paste an address or path").trigger()
    assert "holds no address or path" in window.status_bar.message()
    assert window.session.source_text == "fake"


def test_pasting_into_a_field_stays_in_the_field(qtbot, open_window):
    window = open_window()
    copy("0.7")
    box = window.side_panel.thresholds.confidence.box
    box.setFocus()
    box.selectAll()
    qtbot.keyClick(box, Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.session.source_text == "fake"


def test_scanning_while_paused_is_remembered(qtbot, open_window, folder):
    window = open_window(settings_folder=folder)
    wait_for_model(qtbot, window)
    entry = line(menu_of(window.top_bar.settings), "Scan while paused")
    assert not entry.isChecked()
    entry.trigger()
    qtbot.waitUntil(lambda: remembered(folder).scans_when_idle is True)
    again = open_window(settings_folder=folder)
    assert again.scanning.link.runs_when_idle
    assert line(menu_of(again.top_bar.settings), "Scan while paused").isChecked()
