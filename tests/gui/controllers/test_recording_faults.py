"""Recordings that go wrong, as a user sees it: reported at once, and the window never waits."""

import shutil
import threading
from pathlib import Path

import pytest
from fakes import TIMEOUT_S, FakeSource, raises
from PyQt6.QtCore import Qt
from sample_results import read_video

from kpviewer.errors import SourceError
from kpviewer.gui.controllers import recording_setup
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.saving import target
from kpviewer.recording import files, snapshot

Key = Qt.Key


@pytest.fixture
def window(qtbot, open_window, tmp_path: Path, monkeypatch) -> MainWindow:
    """A window with an image, whose recordings go to ``takes``, else to ``usual``."""
    monkeypatch.setattr(recording_setup, "recordings_folder", lambda: tmp_path / "usual")
    source = FakeSource(3000)
    source.size_hw = (48, 64)
    window = open_window(source, folder=tmp_path / "takes")
    qtbot.waitUntil(lambda: window.view.result() is not None and window.session.info is not None)
    return window


@pytest.fixture
def messages(window: MainWindow) -> list[str]:
    """What the window says of recordings."""
    texts: list[str] = []
    window.saving.told.connect(lambda text, _path: texts.append(text))
    return texts


@pytest.fixture
def dead_disk(monkeypatch):
    """A call that makes every question for free space wait until the event it returns is set."""
    answers, usage = threading.Event(), shutil.disk_usage

    def ask(path: Path) -> object:
        assert answers.wait(TIMEOUT_S)
        return usage(path)

    def die() -> threading.Event:
        monkeypatch.setattr(files.shutil, "disk_usage", ask)
        return answers

    yield die
    answers.set()


def said(messages: list[str], words: str) -> bool:
    return any(words in text for text in messages)


def record(qtbot, window: MainWindow) -> None:
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.3)


def test_removed_folder_is_reported_and_nothing_of_the_recording_is_lost(
    qtbot, window, messages, tmp_path
):
    record(qtbot, window)
    shutil.rmtree(tmp_path / "takes")
    qtbot.waitUntil(lambda: said(messages, "was removed or moved while it was written"))
    recorded_s = window.saving.recorded_s
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > recorded_s + 0.2)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: said(messages, "Saved "))
    paths = list((tmp_path / "usual").glob("*.mp4"))
    assert len(paths) == 2 and not list((tmp_path / "usual").glob("*.part"))
    assert sum(read_video(path).duration_s for path in paths) > recorded_s
    assert not (tmp_path / "takes").exists()


def test_folder_that_does_not_answer_is_reported_and_the_window_works(
    qtbot, window, messages, dead_disk
):
    answers = dead_disk()
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: said(messages, "The folder for recordings does not answer"))
    shown = window.view.result().frame.index
    qtbot.waitUntil(lambda: window.view.result().frame.index > shown + 3)
    assert not said(messages, "answers again")
    answers.set()
    qtbot.waitUntil(lambda: said(messages, "answers again"))
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.1)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: said(messages, "Saved "))


def test_window_closes_though_the_folder_does_not_answer(
    qtbot, window, messages, dead_disk, monkeypatch
):
    monkeypatch.setattr("kpviewer.gui.saving.recordings._PATIENCE_S", 0.1)
    answers = dead_disk()
    threads = threading.enumerate()
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: said(messages, "does not answer"))
    qtbot.keyClick(window, Key.Key_R)
    assert window.close()
    left = [each for each in threading.enumerate() if each not in threads]
    assert "kpviewer-recorder" in [each.name for each in left]  # let go, not waited for
    answers.set()
    for thread in left:
        thread.join(TIMEOUT_S)


def test_snapshot_is_given_up_if_the_folder_does_not_answer(
    qtbot, window, messages, monkeypatch, tmp_path
):
    answers, mkdir = threading.Event(), Path.mkdir

    def hang(path: Path, *given: object, **named: object) -> None:
        if path == tmp_path / "dead":
            assert answers.wait(TIMEOUT_S)
        mkdir(path, *given, **named)

    monkeypatch.setattr(Path, "mkdir", hang)
    monkeypatch.setattr("kpviewer.recording.jobs._LET_GO_S", TIMEOUT_S)
    threads = threading.enumerate()
    window.saving.folder = tmp_path / "dead"
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: said(messages, "The folder for recordings does not answer"))
    monkeypatch.setattr("kpviewer.recording.jobs._LET_GO_S", 0.9)  # now: no report comes after it
    qtbot.waitUntil(lambda: said(messages, "Not saved: the folder does not answer"))
    window.saving.folder = tmp_path / "alive"
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: said(messages, "Saved "))
    answers.set()
    for thread in [each for each in threading.enumerate() if each not in threads]:
        if thread.name == "kpviewer-saving":
            thread.join(TIMEOUT_S)


def test_recording_whose_folder_can_not_be_written_is_told(qtbot, window, messages, tmp_path):
    (tmp_path / "file").touch()
    window.saving.folder = tmp_path / "file"
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: said(messages, "Choose another folder"))
    assert window.saving.recorded_s is None


def test_video_that_fails_ends_its_recording_with_the_frames_so_far(qtbot, open_window, tmp_path):
    source = FakeSource(300, faults={40: raises(SourceError("the disk is gone"))})
    window = open_window(source, record=str(tmp_path / "mine.mp4"))
    qtbot.waitUntil(lambda: "Saved mine.mp4" in window.status_bar.message())
    assert window.saving.recorded_s is None
    assert len(read_video(tmp_path / "mine.mp4").times_s) > 10


def test_video_that_has_failed_is_not_recorded(qtbot, open_window):
    window = open_window(FakeSource(300, faults={2: raises(SourceError("Disk gone."))}))
    qtbot.waitUntil(lambda: window.session.failure is not None)
    qtbot.keyClick(window, Key.Key_R)
    assert window.status_bar.message() == "There is no image to record yet."


def test_snapshots_are_saved_beside_the_window_in_their_order(qtbot, window, messages, monkeypatch):
    may_save = threading.Event()
    encode, threads = snapshot.encoded, []

    def slowly(*given: object) -> bytes:
        threads.append(threading.current_thread())
        assert may_save.wait(TIMEOUT_S)
        return encode(*given)

    monkeypatch.setattr(snapshot, "encoded", slowly)
    for _ in range(target.MOST_WAITING + 1):
        qtbot.keyClick(window, Key.Key_S)
    assert messages == ["Not saved: too many files are still being saved."]
    shown = window.view.result().frame.index
    qtbot.waitUntil(lambda: window.view.result().frame.index > shown + 3)
    assert threading.main_thread() not in threads
    may_save.set()
    qtbot.waitUntil(lambda: len(messages) == target.MOST_WAITING + 1)
    names = [text.removeprefix("Saved ") for text in messages[1:]]
    assert len(set(names)) == target.MOST_WAITING
    times = [(window.saving.folder / name).stat().st_mtime_ns for name in names]
    assert times == sorted(times)


def test_snapshot_that_can_not_be_saved_is_told(qtbot, window, messages, tmp_path):
    (tmp_path / "file").touch()
    window.saving.folder = tmp_path / "file"
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: said(messages, "Choose another folder"))


def test_closing_waits_for_snapshots(qtbot, window, messages):
    qtbot.keyClick(window, Key.Key_S)
    window.close()
    assert said(messages, "Saved ")
    assert len(list(window.saving.folder.glob("*.png"))) == 1
