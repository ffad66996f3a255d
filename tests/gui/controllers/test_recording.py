"""Recordings as a user makes them: contents, pause, split, pre-roll and messages."""

import gc
import json
import threading
import weakref
from dataclasses import replace
from itertools import pairwise

import pytest
from fakes import FakeSource
from gui.pausing import pause
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel
from sample_results import read_video

from kpviewer.annotations.spec import read_annotations
from kpviewer.config.files import read_settings, settings_path
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.session import Session
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline_status import StopReason
from kpviewer.recording.codecs import Quality

LEFT = Qt.MouseButton.LeftButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
Key = Qt.Key
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # said of the options


def wait_for_boxes(qtbot, window: MainWindow) -> None:
    def has_boxes() -> bool:
        result = window.view.result()
        return result is not None and len(result.detections) == 2

    qtbot.waitUntil(has_boxes)


@pytest.fixture
def window(qtbot, open_window) -> MainWindow:
    """A window on a source of 64 x 48 px that sees two things."""
    source = FakeSource(3000)
    source.size_hw = (48, 64)
    window = open_window(source)
    wait_for_boxes(qtbot, window)
    return window


def record(qtbot, window: MainWindow, seconds: float = 0.3) -> None:
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > seconds)


def close_options(qtbot, window: MainWindow) -> None:
    window.top_bar.recording.window().hide()
    window.activateWindow()  # other plugins do so themselves
    qtbot.waitUntil(window.isActiveWindow)


def stop(qtbot, window: MainWindow) -> None:
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())


def test_both_videos_and_a_data_set_are_written_as_chosen(qtbot, window, tmp_path):
    panel = window.top_bar.recording
    qtbot.mouseClick(window.top_bar.record_options, LEFT)
    assert panel.videos.isVisible()
    assert not panel.every.isVisible()
    qtbot.mouseClick(panel.videos.buttons()[2], LEFT)
    height = panel.window().height()
    panel.results["yolo"].click()
    assert panel.every.isVisible()
    qtbot.waitUntil(lambda: panel.window().height() > height)
    assert panel.window().rect().contains(panel.geometry())
    assert panel.height() >= panel.minimumSizeHint().height()
    qtbot.mouseClick(panel.every.buttons()[0], LEFT)
    close_options(qtbot, window)
    record(qtbot, window)
    stop(qtbot, window)
    raw, folder = *tmp_path.glob("*_raw.mp4"), *tmp_path.glob("*_yolo")
    annotated = raw.with_name(raw.name.replace("_raw", ""))
    assert read_video(raw).times_s == read_video(annotated).times_s
    assert f"Saved {annotated.name} and 2 more" in window.status_bar.message()
    assert "Open folder" in window.status_bar.message()
    read = read_annotations(f"yolo:{folder}")
    assert len(read) == len(read_video(raw).times_s)
    assert read.class_names == ("thing",)
    assert {image.size_wh for image in read.images} == {(64, 48)}


def test_pause_key_leaves_frames_out_and_the_button_shows_it(qtbot, window, tmp_path):
    record(qtbot, window)
    qtbot.keyClick(window, Key.Key_R, SHIFT)
    qtbot.waitUntil(lambda: "paused" in window.top_bar.record.text())
    index = window.view.result().frame.index
    qtbot.waitUntil(lambda: window.view.result().frame.index > index + 15)
    recorded_s = window.saving.recorded_s
    qtbot.keyClick(window, Key.Key_R, SHIFT)
    assert "resumed" in window.status_bar.message()
    qtbot.waitUntil(lambda: window.saving.recorded_s > recorded_s)
    qtbot.waitUntil(lambda: "REC" in window.top_bar.record.text())
    stop(qtbot, window)
    (path,) = tmp_path.glob("*.mp4")
    times = read_video(path).times_s
    # 15 frames of 30 fps were left out: half a second, of which the file has 1/30 s.
    assert max(later - before for before, later in pairwise(times)) < 0.4


def test_recording_is_seen_in_the_title_and_in_full_screen(qtbot, window):
    assert window.windowTitle() == "fake · kpviewer"
    record(qtbot, window)
    qtbot.waitUntil(lambda: window.windowTitle() == "● fake · kpviewer")
    assert window.view.sign.text() == ""  # the button says it
    window.set_fullscreen(True)
    qtbot.waitUntil(lambda: window.view.sign.text().startswith("● 00:"))
    assert window.view.rect().contains(window.view.sign.geometry())
    qtbot.keyClick(window, Key.Key_R, SHIFT)
    qtbot.waitUntil(lambda: "paused" in window.view.sign.text().partition("00:")[2])
    assert window.windowTitle() == "❚❚ fake · kpviewer"
    assert window.top_bar.record.property("recording") == "still"
    qtbot.keyClick(window, Key.Key_R, SHIFT)
    stop(qtbot, window)
    qtbot.waitUntil(lambda: window.view.sign.text().startswith("Saved "))
    (message,) = (each for each in window.view.sign.findChildren(QLabel) if each.isVisible())
    message.setWordWrap(False)
    assert message.width() >= message.sizeHint().width()  # all of it
    assert window.windowTitle() == "fake · kpviewer"
    window.set_fullscreen(False)
    qtbot.waitUntil(lambda: window.view.sign.text() == "")


def test_recording_of_a_paused_video_says_that_it_waits(qtbot, window):
    window.bridge.playback.toggle()
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: "video paused" in window.top_bar.record.text())
    window.bridge.playback.toggle()
    qtbot.waitUntil(lambda: "REC" in window.top_bar.record.text())
    stop(qtbot, window)


def test_recording_without_a_signal_says_that_it_waits(qtbot, window, monkeypatch):
    record(qtbot, window)
    of_pipeline = Pipeline.status
    with monkeypatch.context() as patched:
        patched.setattr(
            Pipeline, "status", lambda each: replace(of_pipeline(each), signal_lost_s=3.0)
        )
        qtbot.waitUntil(lambda: "no signal" in window.top_bar.record.text())
        assert "REC" not in window.top_bar.record.text()
        assert window.windowTitle().startswith("❚❚")
    qtbot.waitUntil(lambda: "REC" in window.top_bar.record.text())
    stop(qtbot, window)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (RecordingState(12.3), "00:12"),
        (RecordingState(6.0, is_paused=True, is_waiting=True), "00:06 · paused"),
        (RecordingState(0.0, is_waiting=True), "00:00 · video paused"),
        (RecordingState(3.0, is_waiting=True, silence="no signal"), "00:03 · no signal"),
        (RecordingState(61.0, lost=3), "01:01 · 3 lost"),
    ],
)
def test_sign_says_length_state_and_what_is_lost(state, text):
    assert state.text() == text
    assert state.mark == ("❚❚" if "paused" in text or "signal" in text else "●")


def test_split_key_continues_in_another_file_without_losing_a_frame(qtbot, window, tmp_path):
    window.top_bar.recording.results["jsonl"].click()
    for _ in range(3):  # slow enough for any machine: a live recorder drops what it can't write
        qtbot.keyClick(window, Key.Key_BracketLeft)
    record(qtbot, window)
    qtbot.keyClick(window, Key.Key_R, CTRL)
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.mp4.part"))) == 1)
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.mp4"))) == 1)
    recorded_s = window.saving.recorded_s
    qtbot.waitUntil(lambda: window.saving.recorded_s > recorded_s + 0.2)
    stop(qtbot, window)
    files = sorted(tmp_path.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    indices = [
        [json.loads(line)["index"] for line in file.read_text().splitlines()[1:]] for file in files
    ]
    assert len(indices) == 2
    first, second = sorted(indices)
    assert second[0] == first[-1] + 1
    assert "3 more" in window.status_bar.message()


@pytest.mark.parametrize("modifier", [SHIFT, CTRL])
def test_pause_and_split_without_a_recording_are_told(qtbot, window, modifier, tmp_path):
    qtbot.keyClick(window, Key.Key_R, modifier)
    assert "Not recording" in window.status_bar.message()
    assert list(tmp_path.iterdir()) == []


def test_recording_with_pre_roll_begins_before_the_key(qtbot, window, tmp_path):
    panel = window.top_bar.recording
    panel.results["jsonl"].click()
    qtbot.mouseClick(panel.preroll.buttons()[1], LEFT)
    begun = window.view.result().frame.index
    qtbot.waitUntil(lambda: window.view.result().frame.index > begun + 30)
    pressed = window.view.result().frame.index
    record(qtbot, window)
    stop(qtbot, window)
    (path,) = tmp_path.glob("*.jsonl")
    indices = [json.loads(line)["index"] for line in path.read_text().splitlines()[1:]]
    assert indices[0] < pressed - 15
    assert indices == sorted(set(indices))
    assert len(read_video(next(tmp_path.glob("*.mp4"))).times_s) == len(indices)


def test_a_pipeline_that_was_recorded_goes_with_its_source(qtbot, window):
    record(qtbot, window)
    stop(qtbot, window)
    gc.collect()
    gc.disable()  # it holds its engine, and a full collection is rare
    try:
        gone = weakref.ref(window.session.pipeline)
        window.session.close_source()
        qtbot.waitUntil(lambda: gone() is None)
    finally:
        gc.enable()


def test_space_on_disk_is_shown_and_depends_on_the_quality(qtbot, window):
    panel = window.top_bar.recording
    window.top_bar.open_recording_options()
    qtbot.waitUntil(lambda: "MB a minute" in panel.space.text())
    before = panel.space.text()
    qtbot.mouseClick(panel.quality.buttons()[2], LEFT)
    assert panel.space.text() != before
    qtbot.waitUntil(lambda: "free" in panel.space.text())


def test_encoders_that_open_are_listed_and_the_chosen_one_is_used(qtbot, window, tmp_path):
    codec = window.top_bar.recording.codec
    window.top_bar.open_recording_options()
    qtbot.waitUntil(lambda: codec.count() > 1)
    close_options(qtbot, window)
    assert codec.itemText(0) == "Automatic"
    codec.setCurrentIndex(codec.findData("mpeg4"))
    codec.activated.emit(codec.currentIndex())
    record(qtbot, window)
    stop(qtbot, window)
    (path,) = tmp_path.glob("*.mp4")
    assert b"mp4v" in path.read_bytes()


def test_choices_are_remembered_and_part_of_profiles(qtbot, open_window, tmp_path):
    folder = tmp_path / "settings"
    window = open_window(settings_folder=folder)
    wait_for_boxes(qtbot, window)
    panel = window.top_bar.recording
    qtbot.mouseClick(panel.videos.buttons()[1], LEFT)
    qtbot.mouseClick(panel.quality.buttons()[0], LEFT)
    panel.results["voc"].click()
    panel.results["jsonl"].click()
    window.close()
    kept = read_settings(settings_path(folder)).settings.recording
    expected = {"videos": "raw", "quality": "small", "results": "voc", "with_results": True}
    assert expected.items() <= kept.items()
    again = open_window(settings_folder=folder)
    shown = again.top_bar.recording.choices
    assert shown == RecordingChoices("raw", frozenset({"voc", "jsonl"}), quality=Quality.SMALL)
    assert again.top_bar.recording.videos.index() == 1


def test_remembered_nonsense_is_left_out():
    table = {"videos": "none", "codec": 3, "quality": True, "preroll_s": 7, "results": "voc x"}
    assert RecordingChoices.from_table(table) == RecordingChoices(results=frozenset({"voc"}))


def test_snapshot_has_its_json_beside_it(qtbot, window, tmp_path):
    index = pause(qtbot, window)
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())
    (png,) = tmp_path.glob("*.png")
    saved = json.loads(png.with_suffix(".json").read_text())
    assert saved["picture"] == png.name
    assert (saved["width"], saved["height"], saved["model"]) == (64, 48, "fake")
    assert [found["class"] for found in saved["detections"]] == ["thing", "thing"]
    assert saved["index"] == index


def test_every_control_has_a_name_and_a_tip(window):
    panel = window.top_bar.recording
    segments = (panel.videos, panel.quality, panel.preroll, panel.every)
    buttons = [button for control in segments for button in control.buttons()]
    for control in (*buttons, panel.codec, panel.folder, panel.results["voc"]):
        assert control.accessibleName()
        assert control.toolTip()
    assert {"Video", "Encoder", "Quality"} <= {each.text() for each in panel.findChildren(QLabel)}


def test_file_is_recorded_at_its_own_speed_however_slowly_it_is_played(qtbot, window, tmp_path):
    for _ in range(3):
        qtbot.keyClick(window, Key.Key_BracketLeft)
    record(qtbot, window)
    stop(qtbot, window)
    (path,) = tmp_path.glob("*.mp4")
    times = read_video(path).times_s
    steps = [later - before for before, later in pairwise(times)]
    assert steps == pytest.approx([1 / 30] * len(steps), abs=0.001)


def test_sound_is_chosen_and_remembered(qtbot, window):
    window.top_bar.recording.sound.click()
    assert not window.saving.choices.sound
    assert RecordingChoices.from_table(window.saving.choices.to_table()) == window.saving.choices


def wait_for_end(qtbot, session: Session) -> None:
    """Wait until a file's last frame is published, which is later than that it is read."""

    def has_ended() -> bool:
        pipeline = session.pipeline
        return pipeline is not None and pipeline.status().stop_reason is StopReason.END_OF_STREAM

    qtbot.waitUntil(has_ended)


def test_recording_from_the_start_has_every_frame_once(qtbot, open_window, tmp_path):
    window = open_window(FakeSource(12), record="", with_results=True)
    wait_for_end(qtbot, window.session)
    stop(qtbot, window)
    (results,) = tmp_path.glob("*.jsonl")
    lines = [json.loads(line) for line in results.read_text().splitlines()[1:]]
    assert [line["index"] for line in lines] == [*range(12)]


def test_recording_from_the_start_goes_on_without_a_model(qtbot, open_window, tmp_path):
    def fail(_name, _device, _size):
        raise ValueError("no model")

    window = open_window(FakeSource(12), record="", with_results=True, load_engine=fail)
    messages: list[str] = []
    window.saving.told.connect(lambda text, _path: messages.append(text))
    wait_for_end(qtbot, window.session)
    stop(qtbot, window)
    (video,) = tmp_path.glob("*.mp4")
    assert len(read_video(video).times_s) == 12
    assert any("without results, as there is no model" in text for text in messages)


def test_record_before_a_recording_from_the_start_begins_is_that_recording(
    qtbot, open_window, engine, tmp_path
):
    may_load = threading.Event()

    def load(_name, _device, _size):
        may_load.wait()
        return engine

    video = tmp_path / "first.mp4"
    window = open_window(FakeSource(12), record=str(video), with_results=True, load_engine=load)
    qtbot.waitUntil(lambda: window.session.info is not None)
    qtbot.keyClick(window, Key.Key_R)
    may_load.set()
    qtbot.waitUntil(lambda: window.session.engine is engine)
    wait_for_end(qtbot, window.session)
    stop(qtbot, window)
    assert [each.name for each in tmp_path.glob("*.mp4*")] == ["first.mp4"]
    assert len(read_video(video).times_s) == 12
