"""Models that take seconds a frame, in the window: a paused frame, a line, and no waiting."""

from dataclasses import replace

import pytest
from fakes import FAKE_SPEC, FakeSource
from gui.conftest import ViewerFakeEngine

from kpviewer.gui.keys import Act
from kpviewer.pipeline_status import PipelineState
from kpviewer.runtime.process.abandoned import still_running


class SlowEngine(ViewerFakeEngine):
    """Engine that says of itself that it is slow."""

    takes_seconds = True


@pytest.fixture
def slow():
    engine = SlowEngine(spec=replace(FAKE_SPEC, name="rcnn", class_names=("thing",)))
    yield engine
    engine.go_on()


def shown(window) -> tuple[int, int] | None:
    """Return the number of the frame on the screen, and of its detections."""
    result = window.view.result()
    return None if result is None else (result.frame.index, len(result.detections))


def is_paused(window) -> bool:
    pipeline = window.session.pipeline
    return pipeline is not None and pipeline.status().state is PipelineState.PAUSED


def said(window) -> str:
    return window.status_bar.message_text()


PAUSED = "rcnn takes seconds a frame, so playback pauses. Step or seek to detect."


def until_it_waits(qtbot, window) -> None:
    """Wait for the detections of the first frame, and for the pause: either may come first."""
    qtbot.waitUntil(lambda: shown(window) == (0, 2) and said(window) == PAUSED)


def test_a_file_waits_at_its_first_frame_and_a_line_says_why(qtbot, open_window, slow):
    window = open_window(load_engine=lambda *_: slow)
    until_it_waits(qtbot, window)
    assert is_paused(window)
    assert set(slow.seen) == {0}


def test_a_file_that_plays_pauses_for_a_slow_model(qtbot, open_window, engine, slow):
    window = open_window(
        FakeSource(3000), load_engine=lambda name, *_: slow if name == "rcnn" else engine
    )
    qtbot.waitUntil(lambda: len(engine.seen) > 5)
    window.opener.choose_model("rcnn")
    qtbot.waitUntil(lambda: said(window) == PAUSED)
    qtbot.waitUntil(lambda: bool(slow.seen) and shown(window) == (slow.seen[-1], 2))
    assert is_paused(window)
    assert len(slow.seen) <= 2  # the frame under way, and the one on the screen


def test_another_file_waits_for_the_slow_model_too(qtbot, open_window, slow):
    window = open_window(
        load_engine=lambda *_: slow, open_source=lambda *_: FakeSource(300), named="one"
    )
    until_it_waits(qtbot, window)
    before = window.session.pipeline
    window.opener.choose_source("two")
    qtbot.waitUntil(lambda: window.session.pipeline not in (before, None))
    qtbot.waitUntil(lambda: shown(window) is not None and is_paused(window))


def test_a_step_and_a_seek_compute_their_frames(qtbot, open_window, slow):
    window = open_window(load_engine=lambda *_: slow)
    until_it_waits(qtbot, window)
    window.actions_of_keys.run(Act.STEP_FORWARD)
    qtbot.waitUntil(lambda: shown(window) == (1, 2))
    window.bridge.playback.seek(120)
    qtbot.waitUntil(lambda: shown(window) == (120, 2))
    assert set(slow.seen) == {0, 1, 120}


def test_a_frame_appears_while_the_model_is_at_it_and_its_seconds_are_counted(
    qtbot, open_window, slow
):
    slow.blocks_at = {120}
    window = open_window(load_engine=lambda *_: slow)
    until_it_waits(qtbot, window)
    window.bridge.playback.seek(120)
    qtbot.waitUntil(lambda: shown(window) == (120, 0))
    qtbot.waitUntil(lambda: window.view.chip.text().startswith("Detecting … "))
    slow.go_on()
    qtbot.waitUntil(lambda: shown(window) == (120, 2))
    qtbot.waitUntil(lambda: not window.view.chip.text())


def test_the_user_may_play_on(qtbot, open_window, slow):
    window = open_window(load_engine=lambda *_: slow)
    until_it_waits(qtbot, window)
    window.actions_of_keys.run(Act.PLAY)
    qtbot.waitUntil(lambda: shown(window)[0] > 3)
    assert {0, 1, 2, 3} <= set(slow.seen)


def test_a_live_source_goes_on_and_a_line_says_what_to_expect(qtbot, open_window, slow):
    source = FakeSource(live=True)
    slow.blocks_at = set(range(20_000))
    window = open_window(source, load_engine=lambda *_: slow, named="0")
    source.give()
    qtbot.waitUntil(lambda: window.session.engine is slow and said(window) != "")
    source.give()
    qtbot.waitUntil(lambda: len(slow.seen) == 1)
    source.give(20)
    source.wait_for_frames(22)
    slow.go_on()
    qtbot.waitUntil(lambda: shown(window) == (21, 2))
    assert not is_paused(window)
    assert len(slow.seen) <= 3  # the frames between were left out
    assert said(window) == "rcnn takes seconds a frame, so only some frames have detections."


def test_a_slow_second_model_pauses_too(qtbot, open_window, engine, slow):
    window = open_window(
        FakeSource(3000), load_engine=lambda name, *_: slow if name == "rcnn" else engine
    )
    qtbot.waitUntil(lambda: len(engine.seen) > 5)
    window.opener.compare_with("rcnn")
    qtbot.waitUntil(lambda: said(window) == PAUSED)
    assert is_paused(window)


def test_no_other_backend_is_tried_for_a_slow_model(qtbot, open_window, slow):
    loads = []

    def load(*_):
        loads.append("second")
        return slow

    window = open_window(load_engine=load, load_first=lambda *_: slow)
    until_it_waits(qtbot, window)
    window.actions_of_keys.run(Act.STEP_FORWARD)
    qtbot.waitUntil(lambda: shown(window) == (1, 2))
    assert loads == []


def test_a_frame_that_the_model_is_at_is_not_computed_again(qtbot, open_window, slow):
    slow.blocks_at = {5}
    window = open_window(load_engine=lambda *_: slow)
    until_it_waits(qtbot, window)
    window.bridge.playback.seek(5)
    qtbot.waitUntil(lambda: slow.seen[-1] == 5)
    with qtbot.waitSignal(window.session.model_changed):
        window.opener.choose_model("again")
    slow.go_on()
    qtbot.waitUntil(lambda: shown(window) == (5, 2))
    window.actions_of_keys.run(Act.STEP_FORWARD)
    qtbot.waitUntil(lambda: shown(window) == (6, 2))
    assert slow.seen.count(5) == slow.seen.count(6) == 1


def test_the_window_closes_at_once_while_the_model_is_at_a_frame(qtbot, open_window, slow):
    slow.blocks_at = {0}
    window = open_window(load_engine=lambda *_: slow)
    qtbot.waitUntil(lambda: slow.seen == [0])
    try:
        window.close()
        assert not window.isVisible()
        assert "a model that runs on a frame" in still_running()
    finally:
        slow.go_on()
