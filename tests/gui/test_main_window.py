"""The window, operated by keys, clicks and drags."""

import json
import math
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from fakes import TIMEOUT_S, FakeSource, raises, read_stamp
from gui.pausing import pause
from PyQt6.QtCore import QPoint, QSize, Qt
from PyQt6.QtGui import QAction, QImage
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from sample_results import objects

from kpviewer.errors import PipelineError, SourceError, WeightsError
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.loaders import EngineLoader, ViewerEngine
from kpviewer.gui.views import window_geometry
from kpviewer.gui.views.panels.docks import Part
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.widgets.theme import ThemeChoice
from kpviewer.recording.parts import reserve
from kpviewer.sources.devices import camera
from kpviewer.structures import GroundTruth

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


def shown_index(window: MainWindow) -> int | None:
    result = window.view.result()
    return result.frame.index if result is not None else None


def wait_for_boxes(qtbot: QtBot, window: MainWindow, count: int = 2) -> None:
    def has_boxes() -> bool:
        result = window.view.result()
        return result is not None and len(result.detections) == count

    qtbot.waitUntil(has_boxes)


def test_video_plays_before_a_slow_model_is_there(qtbot, open_window, engine, monkeypatch):
    monkeypatch.setattr("kpviewer.gui.session.model_wait.PATIENCE_S", 0.0)
    may_load = threading.Event()

    def load(_name, _device, _size):
        assert may_load.wait(TIMEOUT_S)
        return engine

    window = open_window(load_engine=load)
    qtbot.waitUntil(lambda: (shown_index(window) or 0) > 3)
    qtbot.waitUntil(lambda: "Loading model fake" in window.view.chip.text())
    assert not window.view.result().detections.scores.size
    may_load.set()
    wait_for_boxes(qtbot, window)
    qtbot.waitUntil(lambda: window.view.chip.text() == "")
    assert window.side_panel.thresholds.confidence.value() == engine.spec.score_threshold


def test_model_that_loads_can_be_cancelled_and_the_present_one_goes_on(qtbot, open_window, engine):
    may_load, asked = threading.Event(), []
    other = type(engine)(spec=replace(engine.spec, name="other"))

    def load(name, _device, _size):
        asked.append(name)
        if name == "fake":
            return engine
        assert may_load.wait(TIMEOUT_S)
        return other

    window = open_window(load_engine=load)
    wait_for_boxes(qtbot, window)
    buttons = window.view.chip.findChildren(QPushButton)
    assert [button.isVisible() for button in buttons] == [False]
    window.opener.choose_model("slow")
    qtbot.waitUntil(lambda: asked == ["fake", "slow"])
    qtbot.waitUntil(buttons[0].isVisible)
    assert buttons[0].text() == "Cancel"
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.view.chip.text() == "")
    assert window.session.engine is engine
    assert "fake" in window.top_bar.model.text()
    # It takes the loader when "slow" has come, of which nobody hears.
    window.opener.choose_model("late")
    may_load.set()
    qtbot.waitUntil(lambda: window.session.engine is other)
    assert asked == ["fake", "slow", "late"]


def test_first_model_that_is_cancelled_never_comes(qtbot, open_window, engine, monkeypatch):
    monkeypatch.setattr("kpviewer.gui.session.model_wait.PATIENCE_S", 0.0)
    may_load, is_done = threading.Event(), threading.Event()

    def load(_name, _device, _size):
        assert may_load.wait(TIMEOUT_S)
        is_done.set()
        return engine

    window = open_window(load_engine=load)
    qtbot.waitUntil(lambda: "Loading model fake" in window.view.chip.text())
    (button,) = window.view.chip.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.view.chip.text() == "")
    may_load.set()
    qtbot.waitUntil(is_done.is_set)
    index = shown_index(window)
    qtbot.waitUntil(lambda: (shown_index(window) or 0) > (index or 0) + 3)  # several polls later
    assert window.session.engine is None


def test_confidence_slider_changes_a_paused_image_without_running_the_model(
    qtbot, open_window, engine
):
    window = open_window()
    wait_for_boxes(qtbot, window)
    index = pause(qtbot, window)
    calls = len(engine.seen)
    slider = window.side_panel.thresholds.confidence.slider
    for _ in range(15):
        qtbot.keyClick(slider, Key.Key_Right)
    assert window.side_panel.thresholds.confidence.value() == pytest.approx(0.45)
    assert window.view.result().detections.scores.tolist() == pytest.approx([0.9])
    qtbot.waitUntil(lambda: window.side_panel.classes.counts() == [1])
    for _ in range(15):
        qtbot.keyClick(slider, Key.Key_Left)
    assert len(window.view.result().detections) == 2
    assert (len(engine.seen), shown_index(window)) == (calls, index)


def test_iou_slider_changes_a_paused_image(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    pause(qtbot, window)
    box = window.side_panel.thresholds.iou.box
    box.selectAll()
    qtbot.keyClicks(box, "0.1")
    qtbot.keyClick(box, Key.Key_Return)
    assert len(window.view.result().detections) == 1
    window.side_panel.thresholds.nms.choose(1)  # lowers 0.4 to 0.34
    assert window.view.result().detections.scores.tolist() == pytest.approx([0.9, 0.4 * 6 / 7])


def test_gaussian_nms_goes_by_its_width_and_shows_that_slider(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    pause(qtbot, window)
    panel = window.side_panel.thresholds
    assert (panel.iou.isVisible(), panel.sigma.isVisible()) == (True, False)
    panel.nms.choose(2)
    assert (panel.iou.isVisible(), panel.sigma.isVisible()) == (False, True)
    panel.sigma.box.selectAll()
    qtbot.keyClicks(panel.sigma.box, "0.1")
    qtbot.keyClick(panel.sigma.box, Key.Key_Return)
    lowered = 0.4 * math.exp(-((1 / 7) ** 2) / 0.1)  # Bodla et al. 2017, eq. 5
    scores = window.view.result().detections.scores.tolist()
    assert scores == pytest.approx([0.9, lowered])
    assert window.session.thresholds.sigma == pytest.approx(0.1)
    panel.nms.choose(0)
    assert (panel.iou.isVisible(), panel.sigma.isVisible()) == (True, False)


def test_error_follows_the_slider(qtbot, open_window):
    window = open_window(FakeSource(300, ground_truth=one_target()))
    wait_for_boxes(qtbot, window)
    pause(qtbot, window)
    window.side_panel.open(Intent.SCORE)
    before = window.view.result().error
    slider = window.side_panel.thresholds.confidence.slider
    for _ in range(15):
        qtbot.keyClick(slider, Key.Key_Right)
    after = window.view.result().error
    assert after.matched + after.false_positives == 1
    assert before.matched + before.false_positives == 2
    text = f"✓ {after.matched} ○ {after.false_negatives} × {after.false_positives}"
    qtbot.waitUntil(lambda: text in window.side_panel.score.summary.text())


def test_error_in_the_status_bar_follows_the_slider_on_a_paused_image(qtbot, open_window):
    window = open_window(FakeSource(300, ground_truth=one_target()))
    wait_for_boxes(qtbot, window)
    pause(qtbot, window)
    window.bridge.playback.seek(0.0)

    def texts() -> list[str]:
        return [each.text() for each in window.status_bar.findChildren(QLabel)]

    qtbot.waitUntil(lambda: "error 0.0 px" in texts())
    window.side_panel.thresholds.choose_confidence(1.0)
    qtbot.waitUntil(lambda: "error –" in texts())


def test_a_result_selected_before_the_slider_moved_is_shown_at_its_position(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    pause(qtbot, window)
    late = window.view.result()
    late.frame.retain()
    window.side_panel.thresholds.choose_confidence(1.0)
    window.session.pipeline.latest.put(late)
    taken = window.session.take_result()
    assert (len(late.detections), len(taken.detections)) == (2, 0)
    taken.frame.release()


def one_target() -> GroundTruth:
    return objects([[0, 0, 10, 10]])


def test_unticked_class_is_hidden(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    pause(qtbot, window)
    window.side_panel.classes.set_ticked(0, False)
    assert len(window.view.result().detections) == 0
    window.side_panel.classes.set_ticked(0, True)
    assert len(window.view.result().detections) == 2


def test_space_pauses_and_plays(qtbot, open_window):
    window = open_window()
    qtbot.waitUntil(lambda: (shown_index(window) or 0) > 2)
    index = pause(qtbot, window)
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: shown_index(window) > index)


def test_steps_go_frame_by_frame_both_ways(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    index = pause(qtbot, window)
    qtbot.keyClick(window, Key.Key_Period)
    qtbot.waitUntil(lambda: shown_index(window) == index + 1)
    qtbot.mouseClick(window.transport.step_forward, LEFT)
    qtbot.waitUntil(lambda: shown_index(window) == index + 2)
    qtbot.keyClick(window, Key.Key_Comma)
    qtbot.waitUntil(lambda: shown_index(window) == index + 1)
    result = window.view.result()
    assert read_stamp(result.frame.bgr) == index + 1
    assert result.detections.xyxy[0, 0] == index + 1  # boxes belong to the image
    assert len(result.detections) == 2


def test_arrows_jump_and_the_bar_seeks(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    index = pause(qtbot, window)
    qtbot.keyClick(window, Key.Key_Right)
    qtbot.waitUntil(lambda: shown_index(window) == index + 150)
    qtbot.keyClick(window, Key.Key_Home)
    qtbot.waitUntil(lambda: shown_index(window) == 0)
    bar = window.transport.strip
    qtbot.mouseClick(bar, LEFT, pos=QPoint(bar.width() // 2, bar.height() // 2))
    qtbot.waitUntil(lambda: 140 <= shown_index(window) <= 160)


def test_speed_and_loop_keys_show_on_the_bar(qtbot, open_window):
    window = open_window()
    qtbot.keyClick(window, Key.Key_BracketRight)
    assert window.transport.speed.text().startswith("1.25")
    qtbot.keyClick(window, Key.Key_L)
    assert window.transport.loop.isChecked()


def test_a_single_image_has_no_end_though_it_is_read_again(qtbot, open_window):
    window = open_window(FakeSource(1))
    qtbot.waitUntil(lambda: window.view.result() is not None and window.view.result().has_model)
    qtbot.mouseClick(window.transport.play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.pipeline.status().stats.frames_read > 1)
    qtbot.waitUntil(lambda: window.session.pipeline.status().stop_reason is not None)
    window.bridge.refresh()
    assert window.view.chip.text() == ""


def test_end_of_file_is_shown_and_space_plays_again(qtbot, open_window):
    window = open_window(FakeSource(12))
    qtbot.waitUntil(lambda: "The end" in window.view.chip.text())
    qtbot.waitUntil(lambda: shown_index(window) == 11)  # the text may come in the tick before
    qtbot.keyClick(window, Key.Key_Space)
    qtbot.waitUntil(lambda: shown_index(window) < 11)


def test_live_source_offers_no_seeking(qtbot, open_window):
    source = FakeSource(live=True)
    window = open_window(source)
    source.give(3)
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    qtbot.waitUntil(window.transport.play.isEnabled)
    assert not window.transport.strip.isEnabled()
    for control in (window.transport.strip, window.transport.start, window.transport.loop):
        assert "can't go back" in control.toolTip()
    assert "own speed" in window.transport.speed.toolTip()


def test_source_that_fails_shows_its_cure_and_a_way_out(qtbot, open_window):
    error = SourceError("Camera 7 can't be opened. Is another program using it?")
    window = open_window(FakeSource(open_errors=[error]))
    qtbot.waitUntil(lambda: window.view.card.isVisible() and card_text(window) != "")
    qtbot.waitUntil(lambda: "can't be opened" in card_text(window))
    assert "another program" in card_text(window)
    retry = next(b for b in window.view.card.findChildren(QPushButton) if b.text() == "Try again")
    qtbot.mouseClick(retry, LEFT)
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    qtbot.waitUntil(lambda: not window.view.card.isVisible())


def card_text(window: MainWindow) -> str:
    return " ".join(label.text() for label in window.view.card.findChildren(QLabel))


def test_source_that_breaks_while_playing_shows_an_error(qtbot, open_window):
    window = open_window(
        FakeSource(faults={5: raises(SourceError("The file is broken. Copy it."))})
    )
    qtbot.waitUntil(lambda: "The file is broken." in card_text(window))
    assert window.side_panel.classes.counts() == [0]  # no number of the image that is gone
    for name in ("Frames per second", "Capture to screen", "Frames not shown"):
        labels = [each for each in window.findChildren(QLabel) if each.accessibleName() == name]
        assert [each.text() for each in labels] == [""]


def test_model_that_fails_leaves_the_video_playing(qtbot, open_window):
    def load(_name, _device, _size):
        raise WeightsError("No model is called 'fake'. Name another.")

    window = open_window(load_engine=load)
    qtbot.waitUntil(lambda: "No model is called" in window.view.chip.text())
    texts = [label.text() for label in window.side_panel.findChildren(QLabel)]
    assert "No model. Choose one above." in texts
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index)


def test_model_that_fails_leaves_the_name_of_the_one_that_goes_on(qtbot, open_window, engine):
    def load(name, _device, _size):
        if name != "fake":
            raise WeightsError(f"No model is called {name!r}. Name another.")
        return engine

    window = open_window(load_engine=load)
    wait_for_boxes(qtbot, window)
    window.opener.choose_model("broken")
    assert window.top_bar.model.accessibleName() == "Model: broken"
    qtbot.waitUntil(lambda: "'broken'" in window.view.chip.text())
    qtbot.waitUntil(lambda: engine.spec.name in window.top_bar.model.text())


def test_nothing_open_offers_three_ways_to_begin(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    window.session.close_source()
    texts = {b.text() for b in window.view.card.findChildren(QPushButton) if b.isVisible()}
    assert {"Open camera", "Open file", "Play the demo"} <= texts
    assert window.view.result() is None
    assert not window.top_bar.record.isEnabled()


def test_another_source_replaces_the_present_one(qtbot, open_window):
    sources = {"fake": FakeSource(300), "other": FakeSource(20)}
    window = open_window(open_source=lambda text, _ground_truth: sources[text])
    qtbot.waitUntil(lambda: (shown_index(window) or 0) > 30)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: window.transport.strip.count == 20)
    qtbot.waitUntil(lambda: shown_index(window) is not None)


def test_a_source_that_cannot_be_opened_leaves_the_present_one(qtbot, open_window):
    broken = FakeSource(open_errors=[SourceError("No answer from it. Check the address.")])
    sources = {"fake": FakeSource(300), "other": broken}
    window = open_window(open_source=lambda text, _ground_truth: sources[text])
    qtbot.waitUntil(lambda: (shown_index(window) or 0) > 5)
    with qtbot.assertNotEmitted(window.session.source_changed):
        window.opener.choose_source("other")
        qtbot.waitUntil(lambda: "No answer from it." in window.status_bar.message())
    assert window.session.source_text == "fake"
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index)


def choose_slow_source(qtbot, open_window):
    """Choose a source that opens slowly while another plays; return window and slow source."""
    slow = FakeSource(20)
    slow.open_is_blocked = True
    sources = {"fake": FakeSource(3000), "other": slow}
    window = open_window(open_source=lambda text, _ground_truth: sources[text])
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: "Opening other" in window.view.chip.text())
    return window, slow


def test_the_present_source_plays_until_another_is_open(qtbot, open_window):
    window, slow = choose_slow_source(qtbot, open_window)
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index)
    slow.unblock_open()
    qtbot.waitUntil(lambda: window.transport.strip.count == 20)
    assert slow.opens == 1
    assert window.session.source_text == "other"


def test_the_opening_of_another_source_can_be_cancelled(qtbot, open_window):
    window, slow = choose_slow_source(qtbot, open_window)
    window.view.chip.cancelled.emit()
    slow.unblock_open()
    qtbot.waitUntil(lambda: slow.closes == 1)  # nobody wants it any more
    qtbot.waitUntil(lambda: not window.view.chip.text())
    assert window.session.source_text == "fake"


@pytest.mark.parametrize("names", [("0", "1"), ("rtsp://camera/1", "rtsp://camera/1")])
def test_a_camera_is_left_before_another_one_or_its_own_address_is_opened(
    qtbot, open_window, names
):
    first, left = FakeSource(live=True), []

    class Second(FakeSource):
        def open(self):
            left.append(first.closes > 0)
            return super().open()

    waiting = iter([first, Second(live=True)])
    window = open_window(named=names[0], open_source=lambda _text, _ground_truth: next(waiting))
    first.give(5)
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    window.opener.choose_source(names[1])
    qtbot.waitUntil(lambda: left == [True])


@pytest.fixture
def big_source() -> FakeSource:
    source = FakeSource(3000)
    source.size_hw = (48, 64)
    return source


def test_recording_is_a_file_that_plays(qtbot, open_window, big_source, tmp_path):
    window = open_window(big_source)
    wait_for_boxes(qtbot, window)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.3)
    qtbot.waitUntil(lambda: "REC" in window.top_bar.record.text())
    qtbot.mouseClick(window.top_bar.record, LEFT)
    assert "REC" not in window.top_bar.record.text()
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())
    (path,) = tmp_path.glob("*.mp4")
    assert path.name in window.status_bar.message()
    assert "Open folder" in window.status_bar.message()
    assert frames_in(path) > 5


def test_recording_from_the_start_goes_to_the_named_file(qtbot, open_window, big_source, tmp_path):
    window = open_window(big_source, record=str(tmp_path / "mine.mp4"))
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.2)
    window.close()
    assert frames_in(tmp_path / "mine.mp4") > 2


def test_results_are_written_beside_a_recording_on_request(
    qtbot, open_window, big_source, tmp_path
):
    window = open_window(big_source, record=str(tmp_path / "mine.mp4"), with_results=True)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.2)
    window.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.jsonl", "mine.mp4"]
    header, *frames = map(json.loads, (tmp_path / "mine.jsonl").read_text().splitlines())
    assert header["class_names"] == ["thing"]
    assert len(frames) >= frames_in(tmp_path / "mine.mp4") > 2
    assert all(len(frame["detections"]) == 2 for frame in frames[2:])


def test_recordings_that_a_crash_cut_off_are_recovered_and_told(qtbot, open_window, tmp_path):
    (tmp_path / "a.jsonl.part").write_text('{"index":0}\n{"ind')
    (tmp_path / "b.csv.part").write_text("index\n0\n")
    (tmp_path / "c.mp4.part").write_bytes(b"not a video")
    growing = reserve(tmp_path, "d", ".jsonl")  # of another window
    growing.write(b"{}\n")
    messages: list[str] = []
    window = open_window()
    window.saving.told.connect(lambda text, _path: messages.append(text))
    qtbot.waitUntil(lambda: len(messages) == 2)
    assert messages == [
        "Cut off by a crash and unreadable: c.mp4.part.",
        "Recovered after a crash: a.jsonl, b.csv. At most the last second is missing.",
    ]
    assert (tmp_path / "a.jsonl").read_text() == '{"index":0}\n'
    assert (tmp_path / "c.mp4.part").exists()
    assert growing.path.exists()


def test_latency_by_stage_is_in_the_tooltip_of_the_rates(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    rates = next(
        label
        for label in window.status_bar.findChildren(QLabel)
        if label.accessibleName() == "Capture to screen"
    )
    qtbot.waitUntil(lambda: "model: " in rates.toolTip())
    qtbot.waitUntil(lambda: "capture to screen: " in rates.toolTip())


def test_tab_reaches_the_buttons_of_a_card_first(qtbot, open_window):
    window = open_window(FakeSource(open_errors=[SourceError("It is gone.")] * 9))
    qtbot.waitUntil(lambda: "It is gone." in card_text(window))
    window.view.setFocus()
    reached = []
    for _ in range(2):
        qtbot.keyClick(window.focusWidget(), Key.Key_Tab)
        reached.append(window.focusWidget().text())
    assert reached == ["Try again", "Open file"]


def test_open_camera_takes_the_first_that_there_is(qtbot, open_window, monkeypatch):
    monkeypatch.setattr(camera, "list_cameras", lambda: [camera.Camera(2, "Webcam", None)])
    opened = []
    window = open_window(
        open_source=lambda text, _ground_truth: opened.append(text) or FakeSource(300)
    )
    window.session.close_source()
    button = next(
        b for b in window.view.card.findChildren(QPushButton) if b.text() == "Open camera"
    )
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: opened == ["fake", "2"])


def test_window_reacts_while_a_source_is_looked_for(qtbot, open_window):
    may_open = threading.Event()

    def slowly(_text, _ground_truth):
        assert may_open.wait(TIMEOUT_S)
        return FakeSource(300)

    window = open_window(open_source=slowly)
    qtbot.waitUntil(lambda: "Opening fake" in card_text(window))
    qtbot.keyClick(window, Key.Key_P)
    assert not window.side_panel.isVisible()
    may_open.set()
    qtbot.waitUntil(lambda: shown_index(window) is not None)


def test_source_that_was_cancelled_while_it_was_looked_for_stays_closed(qtbot, open_window):
    may_open, sources = threading.Event(), {"fake": FakeSource(300), "other": FakeSource(20)}

    def slowly(text, _ground_truth):
        assert may_open.wait(TIMEOUT_S)
        return sources[text]

    window = open_window(open_source=slowly)
    qtbot.waitUntil(lambda: "Opening fake" in card_text(window))
    cancel = next(b for b in window.view.card.findChildren(QPushButton) if b.text() == "Cancel")
    qtbot.mouseClick(cancel, LEFT)
    assert "Open a camera" in card_text(window)
    window.opener.choose_source("other")
    may_open.set()
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    assert (sources["fake"].opens, sources["other"].opens) == (0, 1)


@pytest.mark.parametrize("error", [SourceError("No source is named x. Check it."), OSError("Lost")])
def test_source_that_cannot_be_opened_is_explained(qtbot, open_window, error):
    def fail(_text, _ground_truth):
        raise error

    window = open_window(open_source=fail)
    qtbot.waitUntil(lambda: str(error).split(". ")[0] in card_text(window))


def test_cameras_come_into_the_menu_once_they_are_known(qtbot, open_window, monkeypatch):
    may_list, found = threading.Event(), [camera.Camera(2, "Webcam", None)]
    monkeypatch.setattr(camera, "list_cameras", lambda: may_list.wait(TIMEOUT_S) and found)
    window = open_window()
    menu = window.top_bar.source.menu()
    menu.aboutToShow.emit()

    def texts() -> list[str]:
        return [action.text() for action in menu.actions()]

    assert {"Demo", "Looking for cameras …"} <= set(texts())
    may_list.set()
    qtbot.waitUntil(lambda: "Webcam" in texts())
    assert "Looking for cameras …" not in texts()


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_snapshot_is_an_image_of_the_sources_size(qtbot, open_window, big_source, tmp_path):
    window = open_window(big_source)
    wait_for_boxes(qtbot, window)
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())
    (path,) = tmp_path.glob("*.png")
    image = QImage(str(path))
    assert (image.width(), image.height()) == (64, 48)


def kpviewer_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("kpviewer-")]


def test_closing_while_it_runs_joins_every_thread(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    window.close()
    assert kpviewer_threads() == []


def test_closing_while_it_records_leaves_a_file_that_plays(
    qtbot, open_window, big_source, tmp_path
):
    window = open_window(big_source)
    wait_for_boxes(qtbot, window)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.2)
    window.close()
    assert kpviewer_threads() == []
    (path,) = tmp_path.glob("*.mp4")
    assert frames_in(path) > 2


def test_closing_while_a_source_opens_joins_every_thread(qtbot, open_window):
    source = FakeSource()
    source.open_is_blocked = True
    window = open_window(source)
    qtbot.waitUntil(lambda: source.opens == 1)
    qtbot.waitUntil(lambda: "Opening fake" in card_text(window))
    window.close()
    assert kpviewer_threads() == []


def test_closing_while_a_model_loads_does_not_wait_for_it(qtbot, open_window, engine):
    loading, may_load = threading.Event(), threading.Event()

    def load(_name, _device, _size):
        loading.set()
        assert may_load.wait(TIMEOUT_S)
        return engine

    window = open_window(load_engine=load)
    qtbot.waitUntil(loading.is_set)
    window.close()
    assert kpviewer_threads() == ["kpviewer-loader_0"]
    may_load.set()


def test_nothing_is_opened_once_the_window_is_closed(open_window):
    source, may_open = FakeSource(), threading.Event()

    def make_source(_text, _ground_truth):
        assert may_open.wait(TIMEOUT_S)
        return source

    window = open_window(open_source=make_source)
    may_open.set()  # made just before the window closes, or while it does: both may happen
    window.close()
    window.bridge.refresh()
    assert kpviewer_threads() == []
    assert source.opens == 0


def test_ctrl_q_closes_the_window(qtbot, open_window):
    window = open_window()
    qtbot.keyClick(window, Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert not window.isVisible()


def test_plots_show_nothing_of_a_source_that_was_closed(qtbot, open_window):
    window = open_window()
    window.docks.toggle(Part.PLOTS)
    qtbot.waitUntil(lambda: len(window.plots.made) == 3)
    latency = window.plots.made[1]
    qtbot.waitUntil(lambda: "read –" not in latency.legend())
    window.session.close_source()
    qtbot.waitUntil(lambda: "read –" in latency.legend())


@pytest.mark.parametrize(("size", "folded"), [((1024, 700), True), ((1600, 1000), False)])
def test_video_keeps_half_of_the_width(qtbot, open_window, size, folded):
    window = open_window()
    window.resize(*size)
    qtbot.waitUntil(lambda: window.plots.is_folded() is folded)
    qtbot.waitUntil(lambda: window.width() == size[0])
    assert window.view.width() >= window.width() / 2
    assert window.view.height() >= window.height() / 2
    assert window.side_panel.width() == 240


def test_window_fits_on_a_screen_that_is_scaled_to_half_of_full_hd(open_window, monkeypatch):
    screen = SimpleNamespace(availableSize=lambda: QSize(960, 492))
    application = SimpleNamespace(primaryScreen=lambda: screen, screens=list)
    monkeypatch.setattr(window_geometry, "QGuiApplication", application)
    window = open_window()
    window.resize(960, 452)
    assert (window.width(), window.height()) == (960, 452)
    assert window.rect().contains(window.status_bar.geometry())


def test_panel_and_full_screen_give_their_room_to_the_video(qtbot, open_window):
    window = open_window()
    width = window.view.width()
    qtbot.keyClick(window, Key.Key_P)
    qtbot.waitUntil(lambda: window.view.width() > width)
    qtbot.keyClick(window, Key.Key_F)
    qtbot.waitUntil(lambda: window.isFullScreen() and not window.top_bar.isVisible())
    qtbot.keyClick(window, Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.isFullScreen() and window.top_bar.isVisible())
    assert not window.side_panel.isVisible()


def test_letters_typed_into_a_number_stay_there(qtbot, open_window):
    window = open_window()
    wait_for_boxes(qtbot, window)
    box = window.side_panel.thresholds.confidence.box
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "0.75")
    qtbot.keyClick(box, Key.Key_Return)
    assert window.session.thresholds.score == 0.75
    assert window.bridge.playback.is_playing


def test_another_theme_recolours_the_window_at_once(qtbot, open_window, themes):
    window = open_window()
    button = window.transport.play

    def image():
        return button.icon().pixmap(18, 18).toImage()

    dark, ground = image(), window.grab().toImage().pixelColor(2, window.height() - 4)
    themes.set_choice(ThemeChoice.LIGHT)
    assert image() != dark
    assert window.grab().toImage().pixelColor(2, window.height() - 4) != ground


def test_long_message_stays_inside_the_video(qtbot, open_window):
    def load(_name, _device, _size):
        raise WeightsError("This file is no model. " + "It was damaged on its way. " * 12)

    window = open_window(load_engine=load)
    qtbot.waitUntil(lambda: "no model" in window.view.chip.text())
    assert window.view.rect().contains(window.view.chip.geometry())


def test_slider_moved_before_the_model_came_stays(qtbot, open_window, engine):
    may_load = threading.Event()

    def load(_name, _device, _size):
        assert may_load.wait(TIMEOUT_S)
        return engine

    window = open_window(load_engine=load, score=0.7)
    confidence = window.side_panel.thresholds.confidence
    assert confidence.value() == 0.7
    qtbot.keyClick(confidence.slider, Key.Key_Right)
    may_load.set()
    wait_for_boxes(qtbot, window, 1)
    assert confidence.value() == window.session.thresholds.score == 0.71


def device_menu_of(window: MainWindow) -> dict[str, QAction]:
    """Open the menu of devices, as far as the window is concerned; its lines by their texts."""
    model_menu = window.top_bar.model.menu()
    model_menu.aboutToShow.emit()
    menu = next(each.menu() for each in model_menu.actions() if each.text() == "Device")
    return {action.text(): action for action in menu.actions()}


def load_on(devices: dict[str, ViewerEngine], asked: list[str]) -> EngineLoader:
    """Load the engine of a device; an unknown device fails as a model does."""

    def load(name: str, device: str, _size: tuple[int, int]) -> ViewerEngine:
        asked.append(f"{name} on {device}")
        if device not in devices:
            raise PipelineError(f"Device {device!r} isn't there. Use another.")
        return devices[device]

    return load


@pytest.fixture
def gpu_engine(engine):
    gpu = type(engine)(spec=engine.spec)
    gpu.device_name = "Fake GPU"
    return gpu


def test_another_device_takes_the_model_and_leaves_video_and_thresholds(
    qtbot, open_window, engine, gpu_engine
):
    asked = []
    window = open_window(load_engine=load_on({"auto": engine, "cuda:0": gpu_engine}, asked))
    wait_for_boxes(qtbot, window)
    qtbot.waitUntil(lambda: window.status_bar.model.text().startswith("CPU"))
    confidence = window.side_panel.thresholds.confidence
    qtbot.keyClick(confidence.slider, Key.Key_Right)
    lines = device_menu_of(window)
    assert list(lines) == ["Automatic\tCPU", "CPU", "Fake GPU\tcuda:0"]
    assert [line.isChecked() for line in lines.values()] == [True, False, False]
    index = shown_index(window)
    lines["Fake GPU\tcuda:0"].trigger()
    qtbot.waitUntil(lambda: "Fake GPU" in window.status_bar.model.text())
    gpu_engine.wait_for(2)
    assert asked == ["fake on auto", "fake on cuda:0"]
    assert confidence.value() == window.session.thresholds.score == 0.31
    qtbot.waitUntil(lambda: shown_index(window) > index)
    assert device_menu_of(window)["Fake GPU\tcuda:0"].isChecked()


def test_device_that_fails_leaves_the_model_where_it_is(qtbot, open_window, engine):
    asked = []
    window = open_window(load_engine=load_on({"auto": engine}, asked))
    wait_for_boxes(qtbot, window)
    device_menu_of(window)["Fake GPU\tcuda:0"].trigger()
    qtbot.waitUntil(lambda: "'cuda:0' isn't there" in window.view.chip.text())
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index)
    assert "CPU" in window.status_bar.model.text()
    assert device_menu_of(window)["Automatic\tCPU"].isChecked()
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: asked[-1] == "other on auto")


def test_first_device_that_fails_can_be_left_for_another(qtbot, open_window, engine):
    load = load_on({"cpu": engine}, [])
    window = open_window(load_engine=load, device="cuda:7")
    qtbot.waitUntil(lambda: "'cuda:7' isn't there" in window.view.chip.text())
    lines = device_menu_of(window)
    assert list(lines)[:2] == ["Automatic", "CPU"]
    assert not lines["GPUs are listed once a model is loaded"].isEnabled()
    lines["CPU"].trigger()
    wait_for_boxes(qtbot, window)


@pytest.mark.parametrize("named", [None, "demo", "Demo", "clip.mp4"])
def test_demo_loops_however_it_is_written(open_window, named):
    assert open_window(named=named).session.loops is (named != "clip.mp4")
