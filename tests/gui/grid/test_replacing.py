"""A window that takes the place of another one: what it continues with, and what it says."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
from fakes import FakeSource
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QPushButton

from kpviewer.errors import SourceError
from kpviewer.gui.app import LOADERS
from kpviewer.gui.app.open_window import OpenWindow
from kpviewer.gui.background.child_process import ChildProcess
from kpviewer.gui.controllers.dropping import open_dropped
from kpviewer.gui.grid.window import GridWindow
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.main_window.exporting import Exporter
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.saving.export_choices import ExportChoices
from kpviewer.sources.turn import Turn

TURNED, UNTURNED = (32, 24), (24, 32)
"""Height and width of a source's images, px."""


@pytest.fixture
def loaders(engine) -> Loaders:
    return replace(
        LOADERS,
        open_source=lambda _text, _ground_truth: FakeSource(3000),
        load_engine=lambda _name, _device, _size: engine,
        load_variant=lambda *_: engine,
        load_first=None,
        list_devices=lambda: {"cpu": "CPU"},
    )


@pytest.fixture
def begin(qtbot, themes, loaders, tmp_path) -> Iterator[Callable[..., OpenWindow]]:
    """Open the first window as a command does."""
    with ExitStack() as stack:

        def begin_it(own: Loaders = loaders, **given: object) -> OpenWindow:
            options = ViewerOptions(model="fake", folder=tmp_path, **given)
            opened = stack.enter_context(closing(OpenWindow(options, themes, own)))
            opened.open(options)
            return opened

        yield begin_it


def go_on(qtbot, opened: OpenWindow, kind: type) -> object:
    qtbot.waitUntil(lambda: isinstance(opened.window, kind))
    return opened.window


def press_back(opened: OpenWindow, count: int) -> None:
    texts = {each.text(): each for each in opened.window.findChildren(QPushButton)}
    texts[f"Back to {count} streams"].click()


def shapes(qtbot, window: GridWindow, count: int) -> list[tuple[int, int]]:
    qtbot.waitUntil(lambda: len(window.grid.tiles) == count)
    results = [tile.view.result for tile in window.grid.tiles]
    qtbot.waitUntil(lambda: all(result() is not None for result in results))
    return [result().frame.bgr.shape[:2] for result in results]


def test_a_turn_of_the_command_line_stays_with_its_sources(qtbot, begin):
    opened = begin(sources=("a.mp4", "b.mp4"), turn=Turn(90))
    grid = opened.window
    qtbot.waitUntil(lambda: len(grid.session.sessions) == 2)
    grid.opener.choose_source("c.mp4")
    assert shapes(qtbot, grid, 3) == [TURNED, TURNED, UNTURNED]
    grid.alone_asked.emit("c.mp4", ["a.mp4", "b.mp4", "c.mp4"])
    go_on(qtbot, opened, MainWindow)
    press_back(opened, 3)
    grid = go_on(qtbot, opened, GridWindow)
    assert shapes(qtbot, grid, 3) == [TURNED, TURNED, UNTURNED]


def test_a_turn_that_was_chosen_replaces_that_of_the_command_line(qtbot, begin):
    opened = begin(sources=("a.mp4", "b.mp4"), turn=Turn(90))
    grid = opened.window
    assert shapes(qtbot, grid, 2) == [TURNED, TURNED]
    grid.alone_asked.emit("a.mp4", ["a.mp4", "b.mp4"])
    alone = go_on(qtbot, opened, MainWindow)
    qtbot.waitUntil(lambda: alone.session.info is not None)
    alone.turning.use(Turn())
    press_back(opened, 2)
    assert shapes(qtbot, go_on(qtbot, opened, GridWindow), 2) == [UNTURNED, TURNED]


def test_a_model_that_was_chosen_before_the_first_had_loaded_is_loaded(
    qtbot, begin, engine, loaders
):
    gate = threading.Event()

    def load(_name, _device, _size):
        gate.wait(10)
        return engine

    opened = begin(replace(loaders, load_engine=load), source="a.mp4")
    single = opened.window
    qtbot.waitUntil(lambda: single.session.models.loading == "fake")
    single.choose_model("other")
    single.several_asked.emit(["a.mp4", "b.mp4"])
    gate.set()
    grid = go_on(qtbot, opened, GridWindow)
    qtbot.waitUntil(lambda: grid.session.models.loaded is not None)
    assert grid.session.models.loaded.model == "other"


def test_the_next_window_says_that_a_recording_was_saved(qtbot, begin, tmp_path):
    opened = begin(source="a.mp4")
    single = opened.window
    qtbot.waitUntil(lambda: single.session.info is not None)
    single.saving.toggle_recording()
    qtbot.waitUntil(lambda: (single.saving.recorded_s or 0) > 0)
    single.several_asked.emit(["a.mp4", "b.mp4"])
    grid = go_on(qtbot, opened, GridWindow)
    (video,) = tmp_path.glob("*.mp4")
    assert video.name in grid.status_bar.message()


def test_a_window_that_shall_close_while_it_is_replaced_opens_no_other(qtbot, begin, monkeypatch):
    opened = begin(source="a.mp4")
    single = opened.window
    quits = []
    monkeypatch.setattr(QApplication, "quit", lambda: quits.append(opened.window))
    single.several_asked.emit(["a.mp4", "b.mp4"])
    opened.close()  # as after --seconds, or for Ctrl-C, that came due while files were finished
    done = []
    QTimer.singleShot(0, lambda: done.append(True))
    qtbot.waitUntil(lambda: bool(done))
    assert quits == [single]


def test_annotations_that_were_chosen_stay_with_their_source(qtbot, begin, tmp_path):
    video, labels = tmp_path / "a.mp4", tmp_path / "labels.json"
    video.touch()
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 9, 9]}
    kept = {
        "images": [{"id": 1, "file_name": "a_000000.png", "width": 32, "height": 24}],
        "annotations": [box],
        "categories": [{"id": 1, "name": "tram"}],
    }
    labels.write_text(json.dumps(kept))
    opened = begin(source=str(video))
    single = opened.window
    qtbot.waitUntil(lambda: single.session.info is not None)
    single.opener.use_ground_truth(f"coco:{labels}")
    qtbot.waitUntil(lambda: single.session.ground_truth.spec != "", timeout=5000)
    sources = [str(video), "b.mp4"]
    single.several_asked.emit(sources)
    grid = go_on(qtbot, opened, GridWindow)
    grid.alone_asked.emit(str(video), sources)
    alone = go_on(qtbot, opened, MainWindow)
    qtbot.waitUntil(lambda: alone.session.info is not None)
    assert alone.session.ground_truth.spec == f"coco:{labels}"


def test_a_grid_says_everything_that_it_did_not_open(begin):
    opened = begin(sources=("a.mp4", "b.mp4"))
    grid = opened.window
    more = [f"{number}.mp4" for number in range(17)]
    grid.opener.open(["one.onnx", "two.onnx", "three.onnx", "labels.json", *more])
    said = grid.status_bar.message()
    for part in ("two.onnx", "three.onnx", "Annotations need", "at most 16"):
        assert part in said


def test_a_drop_says_everything_that_was_not_opened():
    given, opened, said = ["a.png", "b.png", "one.onnx", "two.onnx", "labels.json"], [], []
    open_dropped(given, opened.append, opened.extend, said.append)
    assert opened == ["a.png", "one.onnx"]
    (text,) = said
    assert text.startswith("Opened the first of 2.")
    assert "two.onnx, labels.json weren't opened." in text


def test_a_recording_that_has_not_begun_begins_in_the_next_window(qtbot, begin, loaders):
    def make(text: str | None, _ground_truth: object) -> FakeSource:
        if text == "gone.mp4":
            raise SourceError("File not found: gone.mp4.")
        return FakeSource(3000)

    opened = begin(replace(loaders, open_source=make), source="gone.mp4", record="")
    single = opened.window
    qtbot.waitUntil(lambda: single.session.failure is not None)
    single.several_asked.emit(["a.mp4", "b.mp4"])
    grid = go_on(qtbot, opened, GridWindow)
    qtbot.waitUntil(lambda: bool(grid.saving.recorders()), timeout=8000)
    grid.alone_asked.emit("b.mp4", ["a.mp4", "b.mp4"])
    assert go_on(qtbot, opened, MainWindow).saving.file_from_start is None


def test_a_comparison_waits_for_the_next_window_of_one_source(qtbot, begin):
    opened = begin(source="a.mp4")
    single = opened.window
    qtbot.waitUntil(lambda: single.session.engine is not None)
    single.opener.compare_with("other")
    qtbot.waitUntil(lambda: single.compare.is_on)
    single.several_asked.emit(["a.mp4", "b.mp4"])
    grid = go_on(qtbot, opened, GridWindow)
    assert "other" in grid.status_bar.message()
    grid.alone_asked.emit("b.mp4", ["a.mp4", "b.mp4"])
    alone = go_on(qtbot, opened, MainWindow)
    qtbot.waitUntil(lambda: alone.compare.is_on)
    alone.compare.stop()
    press_back(opened, 2)
    grid = go_on(qtbot, opened, GridWindow)
    grid.alone_asked.emit("b.mp4", ["a.mp4", "b.mp4"])
    alone = go_on(qtbot, opened, MainWindow)
    qtbot.waitUntil(lambda: alone.session.engine is not None)
    assert alone.compare.text is None


def test_several_sources_wait_for_an_export(qtbot, begin, tmp_path):
    opened = begin(source="a.mp4")
    single = opened.window
    qtbot.waitUntil(lambda: single.session.engine is not None and single.session.info is not None)
    waits = ChildProcess((sys.executable, "-c", "import signal; signal.pause()"))
    single.exporter = exporter = Exporter(single.panes, single.session, single.saving, waits)
    exporter.start(ExportChoices(("video",), tmp_path))
    single.several_asked.emit(["a.mp4", "b.mp4"])
    assert exporter.is_running
    assert "An export is already running" in single.status_bar.message_text()
    exporter.close()
    single.several_asked.emit(["a.mp4", "b.mp4"])
    go_on(qtbot, opened, GridWindow)
