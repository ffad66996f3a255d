"""Transport, operated as a user does: exact frames, A-B loop, speeds, policies of live sources."""

from dataclasses import replace
from functools import partial

import pytest
from fakes import FAKE_SPEC, FakeSource
from gui.conftest import ViewerFakeEngine
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from sources.videos import read_number, write_video

from kpviewer.errors import SourceError
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.scanning.scan import ScanState
from kpviewer.gui.views.timeline.bar import TimelineBar
from kpviewer.gui.views.timeline.lane_values import SLOTS
from kpviewer.gui.views.timeline.texts import SPEEDS, next_speed
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.layouts import boxed, column_of
from kpviewer.sources.video.file import VideoSource
from kpviewer.structures import StreamInfo

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


def shown_index(window: MainWindow) -> int | None:
    result = window.view.result()
    return result.frame.index if result is not None else None


def pause_at(qtbot: QtBot, window: MainWindow, index: int) -> None:
    """Pause, and go to a frame by the bar's own way."""
    qtbot.waitUntil(lambda: shown_index(window) is not None and window.session.info is not None)
    qtbot.waitUntil(lambda: not window.session.model_wait.is_on)  # it would play on by itself
    if window.bridge.playback.is_playing:
        qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    window.transport.sought.emit(index)
    qtbot.waitUntil(lambda: shown_index(window) == index)


def test_keys_show_the_frame_of_a_real_file_that_they_name(qtbot, open_window, tmp_path):
    path = tmp_path / "film.mp4"
    times_ms = [0, 30, 200, 210, *range(400, 3000, 50)]
    write_video(path, times_ms=times_ms, options={"bf": "3", "g": "12"})

    def never(_name, _device, _size):
        raise RuntimeError("no model here")

    window = open_window(VideoSource(path), load_engine=never)
    pause_at(qtbot, window, 30)
    for key, index in (
        (Key.Key_Comma, 29),
        (Key.Key_Comma, 28),
        (Key.Key_Period, 29),
        (Key.Key_Comma, 28),
        (Key.Key_Home, 0),
        (Key.Key_Period, 1),
    ):
        qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)
        frame = window.view.result().frame
        assert read_number(frame.bgr) == index
        assert frame.position_s == pytest.approx(times_ms[index] / 1000, abs=1e-3)


def test_seeking_while_paused_runs_the_model_on_that_frame_only(qtbot, open_window, engine):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    pause_at(qtbot, window, 40)
    qtbot.waitUntil(lambda: len(window.view.result().detections) == 2)
    calls = len(engine.seen)
    window.transport.sought.emit(123)
    qtbot.waitUntil(lambda: shown_index(window) == 123)
    assert engine.seen[calls:] == [123]
    assert window.view.result().detections.xyxy[0, 0] == 123
    assert not window.bridge.playback.is_playing


def test_a_model_that_arrives_while_a_frame_is_sought_sees_that_frame(qtbot, open_window, engine):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    pause_at(qtbot, window, 40)
    engine.blocks_at.add(90)
    window.transport.sought.emit(90)
    qtbot.waitUntil(lambda: engine.seen[-1] == 90)  # 40 is still on the screen
    another = ViewerFakeEngine(spec=engine.spec)
    window.session.models.engine_loaded.emit(another)
    engine.go_on()
    qtbot.waitUntil(lambda: bool(another.seen))
    assert another.seen == [90]


def test_a_frame_that_the_model_is_at_already_is_not_computed_again(qtbot, open_window, engine):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    pause_at(qtbot, window, 40)
    engine.blocks_at.add(90)
    window.transport.sought.emit(90)
    qtbot.waitUntil(lambda: engine.seen[-1] == 90)
    before = len(engine.seen)
    window.session.model_changed.emit()
    engine.go_on()
    qtbot.waitUntil(lambda: shown_index(window) == 90)
    window.transport.sought.emit(95)
    qtbot.waitUntil(lambda: shown_index(window) == 95)
    assert engine.seen[before:] == [95]


@pytest.mark.qt_log_ignore("propagateSizeHints")  # said of plain widgets alone
def test_lanes_move_above_the_buttons_where_the_bar_is_narrow(qtbot):
    bar = TimelineBar()
    bar.set_info(StreamInfo("film", 64, 48, 30.0, 90, is_live=False, is_seekable=True))
    bar.scan.show_state(ScanState(total=90))
    strip, play = bar.strip, bar.play
    view = VideoView()
    window = boxed(column_of(view, bar, gap=0, grows=view))
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()

    def is_laid_out(width: int, height: int, *, is_above: bool) -> bool:
        top = play.mapTo(bar, play.rect().topLeft()).y()
        fits = bar.width() == width and bar.height() <= height and strip.width() >= 300
        return fits and (strip.geometry().bottom() < top) is is_above

    for width, is_above, height in ((1000, False, 64), (700, False, 64), (520, True, 96)):
        window.resize(width, 500)
        qtbot.waitUntil(partial(is_laid_out, width, height, is_above=is_above))


def test_a_sets_both_marks_and_clears_them(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 50)
    qtbot.keyClick(window, Key.Key_A)
    assert window.transport.strip.ab == (50,)
    assert "up to this frame" in window.transport.repeat.toolTip()
    pause_at(qtbot, window, 20)
    qtbot.mouseClick(window.transport.repeat, LEFT)
    assert window.transport.strip.ab == (20, 50)  # in their order, whichever came first
    assert window.transport.repeat.isChecked()
    qtbot.keyClick(window, Key.Key_A)
    assert window.transport.strip.ab == ()
    assert not window.transport.repeat.isChecked()


def test_between_the_marks_the_same_frames_come_again(qtbot, open_window, engine):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    pause_at(qtbot, window, 20)
    qtbot.keyClick(window, Key.Key_A)
    pause_at(qtbot, window, 24)
    qtbot.keyClick(window, Key.Key_A)
    calls = len(engine.seen)
    for index in (20, 21, 22, 23, 24, 20):
        qtbot.keyClick(window, Key.Key_Period)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: len(engine.seen) >= calls + 15)
    assert engine.seen[calls : calls + 15] == [20, 21, 22, 23, 24] * 3


def test_a_second_mark_on_the_same_frame_gives_the_first_one_up(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 50)
    qtbot.keyClick(window, Key.Key_A)
    qtbot.keyClick(window, Key.Key_A)
    assert window.transport.strip.ab == ()


def test_marks_are_seen_and_another_source_has_none(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 100)
    bare = window.transport.strip.grab().toImage()
    qtbot.keyClick(window, Key.Key_A)
    assert window.transport.strip.grab().toImage() != bare
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: window.transport.strip.ab == ())


def test_speeds_go_from_a_tenth_to_as_fast_as_possible(qtbot, open_window):
    window = open_window()
    for _ in SPEEDS:
        qtbot.keyClick(window, Key.Key_BracketLeft)
    assert window.transport.speed.text() == "0.1×"
    for _ in SPEEDS[:-2]:
        qtbot.keyClick(window, Key.Key_BracketRight)
    assert window.transport.speed.text() == "8×"
    qtbot.keyClick(window, Key.Key_BracketRight)
    assert window.transport.speed.text() == "max"
    assert next_speed(SPEEDS[-1], 1) == SPEEDS[-1]
    assert next_speed(SPEEDS[-1], -1) == 8.0


def test_as_fast_as_possible_is_in_the_menu_and_waits_for_no_frame(qtbot, open_window):
    window = open_window(FakeSource(40, fps=0.1))  # 400 s, more than any wait lasts
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    actions = {action.text(): action for action in window.transport.speed.menu().actions()}
    assert list(actions)[-2:] == ["8×", "As fast as possible"]
    actions["As fast as possible"].trigger()
    qtbot.waitUntil(lambda: shown_index(window) == 39)


def test_the_menu_ticks_the_present_speed(qtbot, open_window):
    window = open_window(FakeSource(40, fps=0.1))
    menu = window.transport.speed.menu()

    def ticked() -> list[str]:
        menu.aboutToShow.emit()
        return [action.text() for action in menu.actions() if action.isChecked()]

    qtbot.waitUntil(lambda: ticked() == ["1×"])
    for text in ("2×", "2×", "As fast as possible"):
        next(each for each in menu.actions() if each.text() == text).trigger()
        qtbot.waitUntil(lambda text=text: ticked() == [text])


def test_a_live_source_drops_frames_or_not_as_chosen(qtbot, open_window, engine):
    source = FakeSource(live=True)
    window = open_window(source, named="0")
    source.give(1)
    qtbot.waitUntil(lambda: window.session.engine is not None)
    qtbot.waitUntil(window.transport.policy.isVisible)
    assert window.transport.policy.text() == "Newest frame"
    assert not window.transport.speed.isVisible()
    every = window.transport.policy.menu().actions()[1]
    every.trigger()
    qtbot.waitUntil(lambda: window.transport.policy.text() == "Every frame")
    engine.blocks_at.add(1)
    source.give(1)
    qtbot.waitUntil(lambda: 1 in engine.seen)
    source.give(6)
    source.wait_for_frames(5)
    engine.go_on()
    qtbot.waitUntil(lambda: engine.seen[-1] == 7)
    assert engine.seen[-7:] == [1, 2, 3, 4, 5, 6, 7]


def test_keys_say_why_they_have_no_effect_on_a_live_source(qtbot, open_window):
    source = FakeSource(live=True)
    window = open_window(source, named="0")
    source.give(1)
    qtbot.waitUntil(lambda: window.session.info is not None)
    own_speed, no_seek = "A live source has its own speed", "This source can't go back"
    for key, said in (
        (Key.Key_BracketLeft, own_speed),
        (Key.Key_Left, no_seek),
        (Key.Key_BracketRight, own_speed),
        *((key, no_seek) for key in (Key.Key_Right, Key.Key_Comma, Key.Key_A)),
        (Key.Key_BracketLeft, own_speed),
        *((key, no_seek) for key in (Key.Key_L, Key.Key_N, Key.Key_Home)),
    ):
        window.status_bar.show_message("")
        qtbot.keyClick(window, key)
        assert window.status_bar.message_text() == said, key
    assert window.session.speed == 1.0  # else the next file would play more slowly
    assert not window.session.loops


def test_keys_say_that_nothing_is_open(qtbot, open_window):
    def fail(*_):
        raise SourceError("It isn't there. Plug it in.")

    window = open_window(open_source=fail)
    qtbot.waitUntil(lambda: window.view.card.card() is not None)
    for act in (Act.PLAY, Act.START, Act.SLOWER, Act.MARK, Act.NEXT_MARK, Act.SNAPSHOT):
        window.status_bar.show_message("")
        window.actions_of_keys.run(act)
        assert window.status_bar.message_text() == "Nothing is open", act
    for act in (Act.ZOOM_IN, Act.ACTUAL_SIZE):
        window.actions_of_keys.run(act)
    assert window.view.transform.zoom == 1.0
    assert window.session.speed == 1.0
    window.actions_of_keys.run(Act.TABLE)  # and others have their effect
    assert window.table.isVisible()


def shown_count(window) -> int:
    result = window.view.result()
    return 0 if result is None else len(result.detections)


@pytest.mark.parametrize("change", [{}, {"name": "other", "class_names": ("tram",)}])
def test_a_paused_live_image_has_no_boxes_of_the_model_before(qtbot, open_window, change):
    engines = {"fake": ViewerFakeEngine(), "other": ViewerFakeEngine()}
    for name, engine in engines.items():
        engine.model_hash = name
    engines["other"].spec = replace(FAKE_SPEC, **change)  # by default another training
    source = FakeSource(live=True)
    window = open_window(source, named="0", load_engine=lambda name, *_: engines[name])
    qtbot.waitUntil(lambda: window.session.engine is not None)
    source.give(1)
    qtbot.waitUntil(lambda: shown_count(window) == 2)
    window.actions_of_keys.run(Act.PLAY)
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    qtbot.waitUntil(lambda: any(map(window.transport.strip.texts_of, range(SLOTS))))
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.session.engine is engines["other"])
    assert shown_count(window) == 0 and not window.view.result().has_model
    qtbot.waitUntil(lambda: not any(map(window.transport.strip.texts_of, range(SLOTS))))
    qtbot.waitUntil(lambda: window.side_panel.classes.counts() == [0])
    window.actions_of_keys.run(Act.PLAY)
    source.give(1)
    qtbot.waitUntil(lambda: shown_count(window) == 2)


def test_files_offer_no_drop_policy(qtbot, open_window):
    window = open_window()
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    qtbot.waitUntil(window.transport.play.isEnabled)
    assert not window.transport.policy.isVisible()
    assert window.transport.speed.isVisible()


@pytest.mark.parametrize(
    ("frames", "duration_s", "shown"),
    [
        (89, 20.9, "00:20.9"),
        (90, None, "00:03.0"),
        (None, 61.0, "01:01.0"),
        (None, None, "–"),
    ],
)
def test_length_is_that_of_the_timestamps(qtbot, frames, duration_s, shown):
    bar = TimelineBar()
    qtbot.addWidget(bar)
    bar.set_info(
        StreamInfo(
            "film", 64, 48, 30.0, frames, is_live=False, is_seekable=True, duration_s=duration_s
        )
    )
    lengths = [label.text() for label in bar.findChildren(QLabel) if label.text() == f"/ {shown}"]
    assert lengths
