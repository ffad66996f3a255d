"""The window of a grid: several fake streams with one fake engine, operated as a user does."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from fakes import FAKE_SPEC, FakeSource, Fault, raises
from gui.conftest import LOADER_NAMES
from gui.controllers.test_dropping import drag, mime
from gui.controllers.test_recording import wait_for_end
from PyQt6 import sip
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QContextMenuEvent
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from kpviewer.config.files import read_settings, settings_path, write_profile, write_settings
from kpviewer.config.settings import Settings
from kpviewer.errors import SourceError, WeightsError
from kpviewer.gui.app import LOADERS
from kpviewer.gui.app.open_window import OpenWindow, continued
from kpviewer.gui.grid.layout import MOST_STREAMS
from kpviewer.gui.grid.tile import Tile
from kpviewer.gui.grid.window import GESTURES, GridWindow
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.model_request import ModelRequest
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.session import Session
from kpviewer.gui.views.dialogs.keys_dialog import KeysDialog
from kpviewer.gui.views.panels.docks import Part
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.gui.widgets.notice_line import NoticeLine
from kpviewer.gui.widgets.theme import ThemeChoice
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.sources.opencv import cv2
from kpviewer.sources.turn import Turn
from kpviewer.structures import Thresholds

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
NOTHING = RecordingState(0.0)
OpenGrid = Callable[..., GridWindow]


@pytest.fixture
def open_grid(qtbot: QtBot, themes, engine, tmp_path) -> Iterator[OpenGrid]:
    """Open a grid of fake sources by name; an unknown name is a source that can't be opened."""
    windows: list[GridWindow] = []

    def open_it(sources: dict[str, FakeSource], **changes: object) -> GridWindow:
        def make(text: str | None, _ground_truth: object) -> FakeSource:
            if text not in sources:
                raise SourceError(f"File not found: {text}. Check the spelling.")
            return sources[text]

        names = (*sources, *changes.pop("more", ()))
        loaders = replace(
            LOADERS,
            open_source=make,
            load_engine=lambda _name, _device, _size: engine,
            load_first=None,
            list_devices=lambda: {"cpu": "CPU"},
        )
        own = {name: changes.pop(name) for name in list(changes) if name in LOADER_NAMES}
        options = ViewerOptions(sources=names, model="fake", folder=tmp_path)
        window = GridWindow(replace(options, **changes), themes, replace(loaders, **own))
        windows.append(window)
        qtbot.addWidget(window)
        window.resize(1360, 860)
        with qtbot.waitActive(window):
            window.show()
        window.grid.setFocus()
        window.begin()
        return window

    yield open_it
    for window in windows:
        window.close()


def files(count: int, frames: int = 3000) -> dict[str, FakeSource]:
    """Return clips of 100 s: a busy machine may take ten from one step of a test to the next."""
    return {f"clip{number}.mp4": FakeSource(frames) for number in range(count)}


def index_of(tile: Tile) -> int:
    result = tile.view.result()
    return -1 if result is None else result.frame.index


def wait_for_boxes(qtbot: QtBot, window: GridWindow) -> None:
    def have_boxes() -> bool:
        results = [tile.view.result() for tile in window.grid.tiles]
        found = [0 if each is None else len(each.detections) for each in results]
        return set(found) == {2}

    qtbot.waitUntil(have_boxes)


def wait_for_text(qtbot: QtBot, tile: Tile, text: str) -> None:
    qtbot.waitUntil(lambda: text in tile.header.text())


def pause_all(qtbot: QtBot, window: GridWindow) -> None:
    qtbot.keyClick(window, Key.Key_Space)
    for tile in window.grid.tiles:
        wait_for_text(qtbot, tile, "paused")


def press(tile: Tile, text: str) -> None:
    buttons = {each.text(): each for each in tile.view.card.findChildren(QPushButton)}
    buttons[text].click()


def test_a_warning_of_several_streams_names_them_and_is_on_their_tiles(qtbot, open_grid):
    window = open_grid(files(3))
    first, second, third = window.session.sessions
    for session in (first, second, second):
        session.warned.emit("Low light.")
    names = [tile.name for tile in window.grid.tiles]
    assert window.status_bar.message() == f"{names[0]}, {names[1]}: Low light."
    window.bridge.refresh()
    assert [tile.view.chip.text() for tile in window.grid.tiles] == ["Low light."] * 2 + [""]
    third.warned.emit("Low light.")
    assert window.status_bar.message() == "Low light."


def test_a_stream_that_waits_is_opened_once_though_it_is_asked_for_again(qtbot, open_grid):
    gate = threading.Event()
    sources, opened = files(5), []

    def make(text: str | None, _ground_truth: object) -> FakeSource:
        opened.append(text)
        gate.wait(10)
        return sources[text]

    window = open_grid(sources, open_source=make)
    try:
        window.session.reopen(window.session.sessions[4])  # four others are opening
    finally:
        gate.set()
    wait_for_boxes(qtbot, window)
    assert sorted(opened) == sorted(sources)


def test_all_streams_play_and_one_thread_runs_the_model_for_all(qtbot, open_grid, engine):
    window = open_grid(files(4))
    wait_for_boxes(qtbot, window)
    assert engine.threads == {"kpviewer-model"}
    for tile in window.grid.tiles:
        wait_for_text(qtbot, tile, " fps")
        assert tile.header.text().startswith("fake")
    assert window.windowTitle() == "4 streams · kpviewer"


def test_one_that_cannot_be_opened_says_why_and_leaves_the_others_alone(qtbot, open_grid):
    sources = files(1)
    window = open_grid(sources, more=("missing.mp4",))
    good, bad = window.grid.tiles
    wait_for_text(qtbot, bad, "failed")
    assert bad.view.card.card().title == "File not found: missing.mp4."
    assert bad.view.card.card().text == "Check the spelling."
    before = index_of(good)
    qtbot.waitUntil(lambda: index_of(good) > before + 3)
    sources["missing.mp4"] = FakeSource(300)
    press(bad, "Try again")
    wait_for_boxes(qtbot, window)
    qtbot.waitUntil(lambda: bad.view.card.card() is None)


def test_stream_that_fails_while_it_plays_stops_alone(qtbot, open_grid):
    sources = files(2)
    sources["clip1.mp4"] = FakeSource(
        300, faults={2: raises(SourceError("Disk gone. Plug it in."))}
    )
    window = open_grid(sources)
    good, bad = window.grid.tiles
    wait_for_text(qtbot, bad, "failed")
    before = index_of(good)
    qtbot.waitUntil(lambda: index_of(good) > before + 3)
    press(bad, "Remove")
    qtbot.waitUntil(lambda: window.grid.tiles == [good])
    assert window.top_bar.source.accessibleName() == "Source: 1 stream"


def test_file_that_ends_keeps_its_last_image_and_says_so(qtbot, open_grid):
    window = open_grid({"short.mp4": FakeSource(3), "long.mp4": FakeSource(300)})
    short, long = window.grid.tiles
    wait_for_text(qtbot, short, "ended")
    assert index_of(short) == 2
    assert "Space plays again" not in short.header.text()  # it would pause the other one
    window.grid.enlarge(short)
    wait_for_text(qtbot, short, "Space plays again")
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: "ended" not in short.header.text())
    qtbot.keyClick(window, Key.Key_L)  # of the enlarged one alone
    assert [short.session.loops, long.session.loops] == [True, False]
    assert window.status_bar.message() == "Files begin again at their end."


def test_space_pauses_and_plays_all(qtbot, open_grid):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    pause_all(qtbot, window)
    qtbot.keyClick(window, Key.Key_Space)
    for tile in window.grid.tiles:
        qtbot.waitUntil(lambda tile=tile: "paused" not in tile.header.text())


def test_speed_is_said_as_no_tile_shows_it(qtbot, open_grid):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    window.grid.enlarge(window.grid.tiles[0])
    window.actions_of_keys.run(Act.FASTER)
    assert window.status_bar.message() == "Speed: 1.25×"
    window.grid.enlarge(None)
    window.actions_of_keys.run(Act.SLOWER)
    assert window.status_bar.message() == "Speed: 1×, 0.75×"


def test_arrows_move_and_enter_enlarges_and_escape_returns(qtbot, open_grid):
    window = open_grid(files(5))  # 3 beside each other, 2 below
    grid, tiles = window.grid, window.grid.tiles
    moves = [(Key.Key_Right, 1), (Key.Key_Right, 2), (Key.Key_Right, 2), (Key.Key_Down, 4)]
    for key, index in [*moves, (Key.Key_Left, 3), (Key.Key_Up, 0), (Key.Key_Left, 0)]:
        qtbot.keyClick(grid, key)
        assert grid.current is tiles[index]
    qtbot.keyClick(grid, Key.Key_Return)
    assert [tile.isVisible() for tile in tiles] == [True, False, False, False, False]
    steps = [(Key.Key_Right, index) for index in (1, 2, 3, 4, 4)]  # across the rows
    for key, index in [*steps, (Key.Key_Left, 3), (Key.Key_Left, 2), (Key.Key_Down, 3)]:
        qtbot.keyClick(grid, key)
        assert grid.enlarged is tiles[index]
    qtbot.keyClick(grid, Key.Key_Up)
    qtbot.keyClick(window, Key.Key_Escape)
    assert grid.enlarged is None
    assert all(tile.isVisible() for tile in tiles)


@pytest.mark.qt_log_ignore("This plugin does not support")  # said of the menu
def test_menu_key_is_for_the_current_stream(qtbot, open_grid):
    window = open_grid(files(4))
    second = window.grid.tiles[1]
    window.grid.choose(second)
    center = window.grid.rect().center()  # where Qt sends it, in the gap between the four
    key = QContextMenuEvent(
        QContextMenuEvent.Reason.Keyboard, center, window.grid.mapToGlobal(center)
    )
    with qtbot.waitSignal(window.grid.menu_asked) as asked:
        QApplication.sendEvent(window.grid, key)
    assert asked.args[0] is second
    QApplication.activePopupWidget().close()


@pytest.mark.parametrize("key", [Key.Key_Z, Key.Key_1])
def test_keys_that_zoom_are_for_the_enlarged_stream(qtbot, open_grid, key):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    view = window.grid.tiles[0].view
    qtbot.keyClick(window, key)
    assert view.transform == view.transform.fitted()
    window.grid.enlarge(window.grid.tiles[0])
    qtbot.keyClick(window, key)
    assert view.transform != view.transform.fitted()


def test_click_enlarges_and_the_button_returns(qtbot, open_grid):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    tile = window.grid.tiles[1]
    qtbot.mouseClick(tile.view, LEFT)
    assert window.grid.enlarged is tile
    wide = tile.view.width()
    qtbot.mouseClick(tile.header.back, LEFT)
    assert window.grid.enlarged is None
    assert tile.view.width() < wide
    qtbot.mouseClick(tile.view, LEFT)
    qtbot.mouseDClick(tile.view, LEFT)  # a double click on a tile enlarges it, and no more
    assert window.grid.enlarged is tile
    assert not window.isFullScreen()
    qtbot.mouseClick(tile.view, LEFT)
    qtbot.mouseDClick(tile.view, LEFT)
    assert window.isFullScreen()


def test_sliders_are_for_all_streams_also_paused_ones(qtbot, open_grid):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    pause_all(qtbot, window)
    window.side_panel.thresholds.choose_confidence(0.5)
    results = [tile.view.result() for tile in window.grid.tiles]
    assert [len(result.detections) for result in results] == [1, 1]
    assert {session.thresholds.score for session in window.session.sessions} == {0.5}


def test_sliders_are_for_the_paused_streams_behind_an_enlarged_one_too(qtbot, open_grid):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    pause_all(qtbot, window)
    window.grid.enlarge(window.grid.tiles[0])
    window.side_panel.thresholds.choose_confidence(0.5)
    window.grid.enlarge(None)
    assert [len(tile.view.result().detections) for tile in window.grid.tiles] == [1, 1]


def test_stream_that_is_added_later_gets_the_model_and_the_thresholds(qtbot, open_grid):
    sources = files(2)
    late = sources.pop("clip1.mp4")
    window = open_grid(sources)
    wait_for_boxes(qtbot, window)
    window.side_panel.thresholds.choose_confidence(0.5)
    sources["late.mp4"] = late
    window.opener.open(["late.mp4"])
    tile = window.grid.tiles[1]
    qtbot.waitUntil(lambda: tile.view.result() is not None)
    qtbot.waitUntil(lambda: len(tile.view.result().detections) == 1)


def test_grid_without_streams_keeps_the_thresholds_of_its_model(qtbot, open_grid, tmp_path):
    sources = files(2)
    window = open_grid(sources, settings_folder=tmp_path / "settings")
    wait_for_boxes(qtbot, window)
    own = window.session.thresholds
    for tile in list(window.grid.tiles):
        window.remove(tile)
    window.memory.note()
    assert window.memory.store.current.thresholds == {}  # nothing was edited
    sources["late.mp4"] = FakeSource(3000)
    window.opener.open(["late.mp4"])
    assert window.session.sessions[0].thresholds == window.session.thresholds == own


def test_a_stream_after_another_model_isnt_asked_for_the_classes_of_the_first(
    qtbot, open_grid, engine
):
    first = type(engine)(spec=replace(engine.spec, class_names=("car", "man")))
    other = type(engine)(spec=replace(engine.spec, name="other", class_names=("tram", "man")))
    engines, sources = {"fake": first, "other": other}, files(1)
    window = open_grid(
        sources, load_engine=lambda name, _device, _size: engines[name], classes=("car",)
    )
    qtbot.waitUntil(lambda: window.session.engine is first)
    assert window.session.thresholds.classes == {0}
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.session.engine is other)
    sources["late.mp4"] = FakeSource(3000)
    window.opener.open(["late.mp4"])
    assert [each.thresholds.classes for each in window.session.sessions] == [None, None]
    assert "'car'" not in window.status_bar.message()


def test_another_model_runs_for_all_streams(qtbot, open_grid, engine):
    other = type(engine)(spec=replace(engine.spec, name="other", score_threshold=0.95))
    engines = {"fake": engine, "other": other}
    window = open_grid(files(2), load_engine=lambda name, _device, _size: engines[name])
    wait_for_boxes(qtbot, window)
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.session.engine is other)
    for tile in window.grid.tiles:
        qtbot.waitUntil(lambda tile=tile: len(tile.view.result().detections) == 0)
        qtbot.waitUntil(lambda tile=tile: tile.view.result().has_model)
    assert window.side_panel.thresholds.confidence.value() == 0.95
    assert other.threads == {"kpviewer-model"}


@pytest.mark.parametrize("change", [{}, {"name": "other", "class_names": ("tram",)}])
def test_paused_cameras_have_no_boxes_of_the_model_before(qtbot, open_grid, engine, change):
    other = type(engine)(spec=replace(engine.spec, **change))  # by default another training
    engine.model_hash, other.model_hash = "one", "two"
    engines, camera = {"fake": engine, "other": other}, FakeSource(live=True)
    window = open_grid({"0": camera}, load_engine=lambda name, _device, _size: engines[name])
    qtbot.waitUntil(lambda: window.session.engine is engine)
    camera.give(1)
    wait_for_boxes(qtbot, window)
    window.actions_of_keys.run(Act.PLAY)
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.session.engine is other)
    result = window.grid.tiles[0].view.result()
    assert len(result.detections) == 0 and not result.has_model


def test_another_model_runs_on_what_waits_for_one_that_hangs(qtbot, open_grid, engine):
    hanging = type(engine)(blocks_at=set(range(300)))
    engines = {"fake": hanging, "other": engine}
    window = open_grid(files(2), load_engine=lambda name, _device, _size: engines[name])
    qtbot.waitUntil(lambda: len(hanging.seen) == 1)
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.session.engine is engine)
    qtbot.waitUntil(lambda: sum(index_of(tile) > 3 for tile in window.grid.tiles) == 1)
    assert len(hanging.seen) == 1
    hanging.go_on()
    wait_for_boxes(qtbot, window)


def test_model_whose_device_fails_runs_on_the_cpu_for_all_streams(qtbot, open_grid, engine):
    class OnGpu(type(engine)):
        device_name = "GPU"

        def infer(self, bgr):
            raise RuntimeError("CUDA error: out of memory")

        def on_cpu(self):
            return engine

    on_gpu = OnGpu(spec=engine.spec)
    window = open_grid(files(2), load_engine=lambda _name, _device, _size: on_gpu)
    wait_for_boxes(qtbot, window)
    qtbot.waitUntil(lambda: window.session.engine is engine)
    assert window.session.models.asked.device == "cpu"
    assert window.status_bar.model.text().startswith("CPU")


def test_more_than_sixteen_are_refused_with_a_line(qtbot, open_grid):
    window = open_grid(files(MOST_STREAMS, 3))
    window.opener.add(["one.mp4", "two.mp4"])
    assert len(window.grid.tiles) == MOST_STREAMS
    text = "2 not opened: a grid shows at most 16 streams. Remove some first."
    assert window.status_bar.message() == text


def test_dropped_files_are_added_and_annotations_are_refused(qtbot, open_grid, tmp_path):
    window = open_grid(files(1))
    assert drag(window, mime(urls=(f"file://{tmp_path}/labels.json",)))
    assert "Annotations need a single source" in window.status_bar.message()
    assert drag(window, mime(urls=tuple(f"file://{tmp_path}/{name}.mp4" for name in "ab")))
    names = [session.source_text for session in window.session.sessions]
    assert names == ["clip0.mp4", str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")]


def test_of_two_dropped_models_the_second_is_named_as_not_opened(qtbot, open_grid, tmp_path):
    window = open_grid(files(1))
    wait_for_boxes(qtbot, window)
    assert drag(window, mime(urls=tuple(f"file://{tmp_path}/{name}.onnx" for name in "ab")))
    assert window.session.models.loading == str(tmp_path / "a.onnx")
    assert window.status_bar.message() == "b.onnx wasn't opened. Drop it alone."


def test_grid_without_streams_says_why_a_model_fails(qtbot, open_grid, engine):
    def load(name, _device, _size):
        if name != "fake":
            raise WeightsError("bad.onnx is cut off.")
        return engine

    window = open_grid(files(1), load_engine=load)
    wait_for_boxes(qtbot, window)
    window.remove(window.grid.tiles[0])
    window.opener.choose_model("bad.onnx")
    lines = window.panes.notices.findChildren(NoticeLine)
    shown = lambda: [each.notice().text for each in lines if each.notice()]  # noqa: E731
    qtbot.waitUntil(lambda: shown() == ["bad.onnx is cut off."])


def test_a_stream_that_was_removed_comes_back(qtbot, open_grid):
    window = open_grid(files(2))
    window.remove(window.grid.tiles[0])
    assert [tile.name for tile in window.grid.tiles] == ["clip1.mp4"]
    buttons = window.status_bar.findChildren(QPushButton)
    next(each for each in buttons if each.text() == "Undo").click()
    assert [tile.name for tile in window.grid.tiles] == ["clip1.mp4", "clip0.mp4"]


def test_delete_removes_the_current_stream_and_the_next_one_is_current(qtbot, open_grid):
    window = open_grid(files(3))
    wait_for_boxes(qtbot, window)
    first, second, third = window.grid.tiles
    qtbot.keyClick(window.grid, Key.Key_Right)
    qtbot.keyClick(window.grid, Key.Key_Delete)
    assert window.grid.tiles == [first, third]
    assert window.grid.current is third
    assert second.view.result() is None


# -- recording --------------------------------------------------------------------------------


def video_frames(path: Path) -> int:
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


def record(qtbot: QtBot, window: GridWindow, seconds: float = 0.3) -> None:
    qtbot.waitUntil(lambda: any(session.info for session in window.session.sessions))
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.state() or NOTHING).seconds > seconds)


def stop(qtbot: QtBot, window: GridWindow, count: int) -> list[Path]:
    qtbot.keyClick(window, Key.Key_R)
    savings = window.saving.each.savings.values()
    qtbot.waitUntil(lambda: not any(each.recordings.is_finishing for each in savings))
    qtbot.waitUntil(lambda: len(list(window.saving.folder.glob("*.mp4"))) == count)
    return sorted(window.saving.folder.glob("*.mp4"))


def test_each_stream_is_recorded_in_a_file_of_its_own_without_losing_a_frame(
    qtbot, open_grid, tmp_path
):
    is_recorded = threading.Event()
    until_then = Fault(lambda source: source.block(is_recorded.is_set))
    sources = {f"clip{number}.mp4": FakeSource(25, faults={5: until_then}) for number in range(2)}
    window = open_grid(sources)
    window.saving.choices = replace(window.saving.choices, results=frozenset({"jsonl"}))
    sessions = window.session.sessions
    qtbot.waitUntil(lambda: all(each.info and each.engine for each in sessions))
    qtbot.keyClick(window, Key.Key_R)
    is_recorded.set()
    for source in sources.values():
        source.give(0)
    qtbot.waitUntil(lambda: (window.saving.state() or NOTHING).seconds > 0.3)
    assert window.top_bar.record.text().strip().startswith("REC")
    for tile in window.grid.tiles:
        wait_for_text(qtbot, tile, "ended")
    for path in stop(qtbot, window, 2):
        rows = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
        indices = [row["index"] for row in rows if "index" in row]
        assert indices == list(range(indices[0], 25))
        assert video_frames(path) == len(indices)


def test_streams_keep_a_preroll_only_for_recordings_of_their_own(qtbot, open_grid):
    window = open_grid(files(1))
    wait_for_boxes(qtbot, window)
    settings = window.session.sessions[0].pipeline.settings
    for streams, sinks in (("each", 1), ("grid", 0)):
        window.saving.choices = replace(window.saving.choices, streams=streams, preroll_s=5)
        window.bridge.refresh()
        assert len(settings.current.sinks) == sinks


def test_recording_of_streams_without_a_signal_says_so(qtbot, open_grid, monkeypatch):
    cameras = {name: FakeSource(live=True) for name in ("one", "two")}
    window = open_grid(cameras)
    for camera in cameras.values():
        camera.give(20)
    qtbot.waitUntil(lambda: all(session.info for session in window.session.sessions))
    qtbot.keyClick(window, Key.Key_R)
    of_pipeline = Pipeline.status
    with monkeypatch.context() as patched:
        patched.setattr(
            Pipeline, "status", lambda each: replace(of_pipeline(each), signal_lost_s=3.0)
        )
        qtbot.waitUntil(lambda: "no signal" in window.panes.top_bar.record.text())
    qtbot.waitUntil(lambda: "video paused" in window.panes.top_bar.record.text())


def test_streams_that_have_all_failed_are_not_recorded(qtbot, open_grid):
    fault = {2: raises(SourceError("Disk gone. Plug it in."))}
    window = open_grid({"clip.mp4": FakeSource(300, faults=fault)})
    wait_for_text(qtbot, window.grid.tiles[0], "failed")
    window.actions_of_keys.run(Act.RECORD)
    assert window.status_bar.message() == "There is no image to record yet."


def test_grid_is_recorded_as_one_video(qtbot, open_grid, tmp_path):
    window = open_grid(files(2), more=("missing.mp4",))
    panel = window.top_bar.recording
    window.saving.choices = replace(window.saving.choices, streams="grid")
    qtbot.waitUntil(lambda: panel.choices.streams == "grid")
    qtbot.waitUntil(lambda: window.session.sessions[0].info is not None)
    record(qtbot, window)
    qtbot.waitUntil(lambda: window.saving.mosaic.recorder.status().frames >= 5)
    (path,) = stop(qtbot, window, 1)
    assert path.name.startswith("grid_")
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.frames >= 5


def test_grid_is_recorded_with_the_images_of_paused_streams(qtbot, open_grid, tmp_path):
    class Bright(FakeSource):  # brighter than the place of no image
        def read(self, allocate):
            captured = super().read(allocate)
            captured.bgr[:] = 200
            return captured

    window = open_grid({name: Bright(3000) for name in files(2)})
    wait_for_boxes(qtbot, window)
    pause_all(qtbot, window)
    window.saving.choices = replace(window.saving.choices, streams="grid")
    record(qtbot, window)
    (path,) = stop(qtbot, window, 1)
    with av.open(path) as container:
        images = [frame.to_ndarray(format="gray8") for frame in container.decode(video=0)]
    assert images[-1].mean() > 100


def test_full_screen_shows_that_the_grid_is_recorded(qtbot, open_grid):
    window = open_grid(files(2))
    window.saving.choices = replace(window.saving.choices, streams="grid")
    wait_for_boxes(qtbot, window)
    window.set_fullscreen(True)
    record(qtbot, window)
    qtbot.waitUntil(lambda: "● 00:0" in window.grid.sign.text())
    window.saving.stop_recording()
    qtbot.waitUntil(lambda: "Saved grid_" in window.grid.sign.text())
    window.set_fullscreen(False)
    window.bridge.refresh()
    assert window.grid.sign.text() == ""


def test_stream_that_opens_while_each_is_recorded_joins(qtbot, open_grid, tmp_path):
    sources = files(1)
    window = open_grid(sources, more=("late.mp4",))
    wait_for_text(qtbot, window.grid.tiles[1], "failed")
    record(qtbot, window)
    sources["late.mp4"] = FakeSource(300)
    press(window.grid.tiles[1], "Try again")
    late = window.session.sessions[1]
    qtbot.waitUntil(lambda: (window.saving.each.state_of(late) or NOTHING).seconds > 0)
    stop(qtbot, window, 2)


def test_recording_from_the_start_has_every_frame_of_each_stream(qtbot, open_grid, tmp_path):
    window = open_grid(files(2, frames=12), record="")
    for session in window.session.sessions:
        wait_for_end(qtbot, session)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.mp4"))) == 2)
    for video in tmp_path.glob("*.mp4"):
        with av.open(str(video)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 12


@pytest.mark.parametrize("name", ["takes.2026", "new"])
@pytest.mark.parametrize("streams", ["each", "grid"])
def test_a_folder_of_the_command_line_is_recorded_to_and_not_remembered(
    qtbot, open_grid, tmp_path, name, streams
):
    folder, settings = tmp_path / name, tmp_path / "settings"
    if "." in name:
        folder.mkdir()
    write_settings(settings_path(settings), Settings(recording={"streams": streams}))
    window = open_grid(files(2), record=str(folder), settings_folder=settings)
    qtbot.waitUntil(lambda: (window.saving.state() or NOTHING).seconds > 0)
    window.close()
    assert len(list(folder.glob("*.mp4"))) == (2 if streams == "each" else 1)
    assert window.saving.folder == tmp_path
    kept = read_settings(settings_path(settings)).settings.recording
    assert kept.get("folder") in (None, str(tmp_path))


def test_stream_that_is_opened_again_while_each_is_recorded_lacks_no_frame(
    qtbot, open_grid, tmp_path
):
    sources = files(1)
    window = open_grid(sources, more=("late.mp4",))
    wait_for_text(qtbot, window.grid.tiles[1], "failed")
    record(qtbot, window)
    sources["late.mp4"] = FakeSource(12)
    press(window.grid.tiles[1], "Try again")
    wait_for_end(qtbot, window.session.sessions[1])
    stop(qtbot, window, 2)
    counts = [video_frames(path) for path in tmp_path.glob("*.mp4")]
    assert min(counts) == 12


def test_closing_and_removing_finish_the_recordings(qtbot, open_grid, tmp_path):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    record(qtbot, window)
    window.remove(window.grid.tiles[0])
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.mp4"))) == 1)
    window.close()
    videos = list(tmp_path.glob("*.mp4"))
    assert len(videos) == 2
    assert all(video_frames(path) for path in videos)


def test_folder_that_fails_is_reported_and_files_keep_time_again(
    qtbot, open_grid, tmp_path, monkeypatch
):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    (tmp_path / "taken").write_text("a file")
    window.saving.folder = tmp_path / "taken"
    said: list[str] = []
    window.saving.told.connect(lambda text, _path: said.append(text))
    policies: list[bool] = []
    set_lossless = window.session.set_lossless

    def note(session: Session, *, is_lossless: bool) -> None:
        policies.append(is_lossless)
        set_lossless(session, is_lossless=is_lossless)

    monkeypatch.setattr(window.session, "set_lossless", note)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: policies == [True, True, False, False])
    qtbot.waitUntil(lambda: "taken" in said[-1] and len(said) > 1)


def test_snapshot_is_of_the_grid_or_of_the_enlarged_stream(qtbot, open_grid, tmp_path):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: [p.name[:5] for p in tmp_path.glob("*.png")] == ["grid_"])
    window.grid.enlarge(window.grid.tiles[0])
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("fake_*.json"))) == 1)


def test_snapshot_of_the_grid_darkens_an_outdated_image_as_the_screen_does(
    qtbot, open_grid, tmp_path
):
    window = open_grid(files(2))
    wait_for_boxes(qtbot, window)
    sizes = []
    for is_dimmed in (False, True):
        for tile in window.grid.tiles:
            tile.view.set_dimmed(is_dimmed)
        window.saving.save_snapshot(window.grid.tiles)
        qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.png"))) == len(sizes) + 1)
        newest = max(tmp_path.glob("*.png"), key=lambda each: each.stat().st_mtime_ns)
        sizes.append(cv2.imread(str(newest)).mean())
    assert sizes[1] < sizes[0]


# -- the two kinds of window ------------------------------------------------------------------


def test_window_of_one_source_and_grid_replace_each_other(qtbot, themes, engine, tmp_path):
    loaders = replace(
        LOADERS,
        open_source=lambda _text, _ground_truth: FakeSource(300),
        load_engine=lambda _name, _device, _size: engine,
        load_first=None,
        list_devices=lambda: {"cpu": "CPU"},
    )
    opened = OpenWindow(ViewerOptions(model="fake", folder=tmp_path), themes, loaders)
    closed = []
    opened.closing.connect(lambda: closed.append(opened.window))
    opened.open(ViewerOptions(source="a.mp4", model="fake", folder=tmp_path))
    single = opened.window
    qtbot.waitUntil(lambda: single.session.info is not None)
    qtbot.keyClick(single, Key.Key_R)
    qtbot.waitUntil(lambda: (single.saving.recorded_s or 0) > 0)
    single.several_asked.emit(["a.mp4", "b.mp4"])
    qtbot.waitUntil(lambda: isinstance(opened.window, GridWindow))
    assert len(list(tmp_path.glob("*.mp4"))) == 1  # the recording was finished
    grid = opened.window
    wait_for_boxes(qtbot, grid)
    grid.alone_asked.emit("b.mp4", ["a.mp4", "b.mp4"])
    qtbot.waitUntil(lambda: isinstance(opened.window, MainWindow))
    alone = opened.window
    qtbot.waitUntil(lambda: alone.session.source_text == "b.mp4")
    texts = {each.text(): each for each in alone.findChildren(QPushButton)}
    texts["Back to 2 streams"].click()
    qtbot.waitUntil(lambda: isinstance(opened.window, GridWindow))
    assert closed == []
    opened.close()
    assert closed == [opened.window]


@pytest.mark.parametrize("model", ["mine.onnx", "bad.onnx"])
def test_grid_opens_what_was_dropped_with_its_sources(qtbot, themes, engine, tmp_path, model):
    def load(name, _device, _size):
        if name.endswith("bad.onnx"):
            raise WeightsError("bad.onnx is cut off.")
        return engine

    loaders = replace(
        LOADERS,
        open_source=lambda _text, _ground_truth: FakeSource(300),
        load_engine=load,
        load_first=None,
        list_devices=lambda: {"cpu": "CPU"},
    )
    options = ViewerOptions(source="old.mp4", model="fake", folder=tmp_path)
    with closing(OpenWindow(options, themes, loaders)) as opened:
        opened.open(options)
        names = ("a.mp4", model, "b.mp4", "labels.json")
        assert drag(opened.window, mime(urls=tuple(f"file://{tmp_path}/{each}" for each in names)))
        qtbot.waitUntil(lambda: isinstance(opened.window, GridWindow))
        grid, models = opened.window, opened.window.session.models
        qtbot.waitUntil(lambda: "Annotations need a single" in grid.status_bar.message())
        if model == "bad.onnx":
            qtbot.waitUntil(lambda: models.failure is not None)
            assert models.loaded.model == "fake"  # it continues
        else:
            qtbot.waitUntil(lambda: models.loaded.model == str(tmp_path / model))
        sources = [Path(session.source_text).name for session in grid.session.sessions]
        assert sources == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("profile", ["work", None])
def test_the_next_window_keeps_edits_that_no_file_has_and_opens_what_came_with_sources(
    qtbot, themes, engine, tmp_path, profile
):
    folder = tmp_path / "settings" if profile else None
    if folder is not None:
        write_profile(folder, profile, Settings())
    loaders = replace(
        LOADERS,
        open_source=lambda _text, _ground_truth: FakeSource(300),
        load_engine=lambda _name, _device, _size: engine,
        load_first=None,
        list_devices=lambda: {"cpu": "CPU"},
    )
    options = ViewerOptions(source="a.mp4", model="fake", folder=tmp_path)
    options = replace(options, settings_folder=folder, profile=profile)
    with closing(OpenWindow(options, themes, loaders)) as opened:
        opened.open(options)
        single = opened.window
        qtbot.waitUntil(lambda: single.session.engine is not None)
        single.side_panel.display.switches["anonymise"].click()
        single.side_panel.thresholds.choose_confidence(0.77)
        single.several_asked.emit(["a.mp4", "b.mp4"])
        qtbot.waitUntil(lambda: isinstance(opened.window, GridWindow))
        grid = opened.window
        assert grid.side_panel.display.style_of_overlay.anonymise
        qtbot.waitUntil(lambda: grid.session.engine is not None)
        assert grid.session.thresholds.score == pytest.approx(0.77)


def test_a_theme_that_is_chosen_later_leaves_a_replaced_window_alone(qtbot, themes):
    window = MainWindow(ViewerOptions(model="fake"), themes)
    window.close()
    sip.delete(window)
    with qtbot.waitSignal(themes.changed):
        themes.set_choice(ThemeChoice.LIGHT)


def test_the_next_window_keeps_the_model_but_not_what_was_said_of_other_sources():
    given = ViewerOptions(
        source="a.mp4",
        score=0.4,
        ground_truth=object(),
        record="",
        given=frozenset({"model"}),
        classes=("car",),
        with_results=True,
    )
    session = SimpleNamespace(
        thresholds=Thresholds(score=0.7, iou=0.6, classes=frozenset({0, 2})),
        engine=SimpleNamespace(spec=replace(FAKE_SPEC, class_names=("tram", "man", "bus"))),
        models=SimpleNamespace(loaded=ModelRequest("other", "cpu", None), loading=None),
    )
    saving = SimpleNamespace(folder=Path("films"), with_results=False, file_from_start=None)
    window = SimpleNamespace(session=session, saving=saving, isFullScreen=lambda: False)
    several = continued(given, window, ["a.mp4", "b.mp4"])
    assert (several.source, several.sources) == (None, ("a.mp4", "b.mp4"))
    assert (several.model, several.device) == ("other", "cpu")
    assert (several.score, several.iou) == (0.7, None)  # iou is the model's own
    assert (several.ground_truth, several.record) == (None, None)
    assert several.classes == ("tram", "bus")
    assert (several.folder, several.with_results) == (Path("films"), False)
    assert not several.can_change_backend
    session.models.loaded = ModelRequest("other", "cpu", BackendChoice("torch", "fp32"))
    assert continued(given, window, ["a.mp4"]).can_change_backend  # chosen in the window
    session.models.loading, session.models.asked = "third", ModelRequest("third", "cpu")
    assert continued(given, window, ["a.mp4"]).model == "third"
    same = continued(given, window, ["a.mp4"])
    assert (same.source, same.ground_truth) == ("a.mp4", given.ground_truth)


def test_a_turn_of_the_command_line_is_for_all_streams(qtbot, open_grid):
    window = open_grid(files(2), turn=Turn(90))
    for tile in window.grid.tiles:
        qtbot.waitUntil(lambda tile=tile: tile.view.result() is not None)
        assert tile.view.result().frame.bgr.shape[:2] == (32, 24)


# -- settings ---------------------------------------------------------------------------------


def test_edits_and_sources_are_remembered_and_the_other_windows_panels_stay(
    qtbot, open_grid, tmp_path
):
    folder = tmp_path / "settings"
    window = open_grid(files(2), settings_folder=folder)
    wait_for_boxes(qtbot, window)
    window.side_panel.thresholds.choose_confidence(0.5)
    window.saving.choices = replace(window.saving.choices, streams="grid")
    window.close()
    again = open_grid(files(2), settings_folder=folder)
    wait_for_boxes_of_one(qtbot, again)
    assert again.side_panel.thresholds.confidence.value() == 0.5
    assert again.saving.choices.streams == "grid"
    names = {Path(item).name for item in again.memory.recent_sources().items}
    assert names == {"clip0.mp4", "clip1.mp4"}


def test_menu_lists_no_panels_of_the_other_window_which_stay_remembered(open_grid, tmp_path):
    panels = {"plots": True, "side": False}
    write_settings(settings_path(tmp_path), Settings(panels=panels))
    window = open_grid(files(2), settings_folder=tmp_path)
    menu = window.top_bar.settings_menu
    menu.aboutToShow.emit()
    (listed,) = (each.menu() for each in menu.actions() if each.text() == "Panels")
    texts = [each.text().partition("\t")[0] for each in listed.actions() if each.isCheckable()]
    assert texts == ["Side panel", "Move panels"]
    window.panes.docks.toggle(Part.SIDE)
    window.close()
    assert read_settings(settings_path(tmp_path)).settings.panels == {"plots": True}


def wait_for_boxes_of_one(qtbot: QtBot, window: GridWindow) -> None:
    def has_box() -> bool:
        result = window.grid.tiles[0].view.result()
        return result is not None and len(result.detections) == 1

    qtbot.waitUntil(has_box)


def test_every_button_has_a_name_and_every_act_of_the_grid_is_listed(open_grid):
    window = open_grid(files(2))
    assert Act.RECORD in window.actions_of_keys.acts
    assert Act.SCAN not in window.actions_of_keys.acts
    acts = window.actions_of_keys.acts
    dialog = KeysDialog(window, window.key_bindings, GESTURES, acts)
    assert set(dialog.buttons) == acts
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    assert "Enlarge a stream; Esc returns" in texts
    for button in window.findChildren(QPushButton):
        assert button.accessibleName() or button.text() or not button.isVisible()
