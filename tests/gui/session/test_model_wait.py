"""The first frame of a file waits for its model, within limits."""

import threading
from collections.abc import Iterator

import pytest
from fakes import TIMEOUT_S, FakeSource
from PyQt6.QtWidgets import QLabel, QWidget

from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.pipeline_status import PipelineState


class SlowModel:
    """Loader of an engine that takes until ``may_load`` is set."""

    def __init__(self, engine) -> None:
        self.engine, self.may_load = engine, threading.Event()

    def load(self, _name, _device, _size):
        assert self.may_load.wait(TIMEOUT_S)
        return self.engine


@pytest.fixture
def slow(engine, monkeypatch) -> Iterator[SlowModel]:
    monkeypatch.setattr("kpviewer.gui.session.model_wait.PATIENCE_S", TIMEOUT_S)
    model = SlowModel(engine)
    yield model
    model.may_load.set()


def shown(window: MainWindow) -> int:
    result = window.view.result()
    return -1 if result is None else result.frame.index


def texts_of(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel)]


def is_held(window: MainWindow) -> bool:
    text = window.view.chip.text()
    return shown(window) == 0 and text == "Starting fake …" and window.session.model_wait.is_on


def test_a_short_clip_begins_with_its_model(qtbot, open_window, slow):
    found = []
    window = open_window(FakeSource(3), load_engine=slow.load)
    window.view.painted.connect(
        lambda: found.append((shown(window), len(window.view.result().detections)))
    )
    qtbot.waitUntil(lambda: is_held(window))
    slow.may_load.set()
    qtbot.waitUntil(lambda: (2, 2) in found)  # the last frame, with both boxes
    assert {index for index, count in found if not count} == {0}


def test_a_model_that_is_late_is_not_waited_for(qtbot, open_window, slow, monkeypatch):
    window = open_window(load_engine=slow.load)
    qtbot.waitUntil(lambda: is_held(window))
    monkeypatch.setattr("kpviewer.gui.session.model_wait.PATIENCE_S", 0.0)
    qtbot.waitUntil(lambda: shown(window) > 3)
    qtbot.waitUntil(lambda: "Loading model fake" in window.view.chip.text())


@pytest.mark.parametrize("act", [Act.PLAY, Act.FORWARD, Act.START, Act.FASTER])
def test_a_key_plays_at_once(qtbot, open_window, slow, act):
    window = open_window(FakeSource(2000), load_engine=slow.load)
    qtbot.waitUntil(lambda: is_held(window))
    window.actions_of_keys.run(act)
    qtbot.waitUntil(lambda: shown(window) > 3)
    assert not window.session.model_wait.is_on


def test_a_step_pauses_and_the_model_does_not_play_on(qtbot, open_window, slow):
    window = open_window(load_engine=slow.load)
    qtbot.waitUntil(lambda: is_held(window))
    window.actions_of_keys.run(Act.STEP_FORWARD)
    qtbot.waitUntil(lambda: shown(window) == 1)
    slow.may_load.set()
    qtbot.waitUntil(lambda: len(window.view.result().detections) == 2)
    assert window.session.pipeline.status().state is PipelineState.PAUSED


@pytest.mark.parametrize("what", ["live", "loop", "recording"])
def test_live_sources_the_demo_and_recordings_do_not_wait(qtbot, open_window, slow, what, tmp_path):
    changes = {"record": str(tmp_path / "clip.mp4")} if what == "recording" else {}
    source = FakeSource(2000, live=what == "live")
    source.give()
    window = open_window(
        source,
        named="demo" if what == "loop" else "fake",
        load_engine=slow.load,
        **changes,
    )
    if what == "live":
        qtbot.waitUntil(lambda: shown(window) == 0 and not window.session.model_wait.is_on)
        source.give(2)  # the read that began while it was held is dropped
    qtbot.waitUntil(lambda: shown(window) > 0)
    assert not window.session.model_wait.is_on


def test_a_model_that_fails_to_load_does_not_hold_the_video(qtbot, open_window):
    def fail(_name, _device, _size):
        raise ValueError("no model")

    window = open_window(load_engine=fail)
    qtbot.waitUntil(lambda: shown(window) > 3)


def test_what_a_model_would_fill_says_so_only_without_one(qtbot, open_window, slow):
    answers = []

    def load(*asked):
        if answers:
            return slow.load(*asked)
        answers.append(asked)
        raise ValueError("no model")

    window = open_window(load_engine=load)
    strip, frames = window.transport.strip, window.side_panel.score.frames
    qtbot.waitUntil(lambda: strip.words.hints[0] == "needs a model")
    assert "Shown once a model is loaded." in texts_of(frames)
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: strip.words.hints[0] == "scan or play to fill")
    assert "No suspicious frames so far." in texts_of(frames)


def test_another_source_does_not_wait_for_a_model_that_is_there(qtbot, open_window, slow):
    slow.may_load.set()
    window = open_window(load_engine=slow.load, open_source=lambda *_: FakeSource(300))
    qtbot.waitUntil(lambda: window.session.engine is not None)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: window.session.source_text == "other")
    assert not window.session.model_wait.is_on
    qtbot.waitUntil(lambda: shown(window) > 3)
    assert not window.session.model_wait.is_on
