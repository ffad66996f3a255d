"""Failures during playback are reported; the video and the recording continue."""

from dataclasses import replace
from pathlib import Path

import av
from fakes import FakeSource, raises
from gui.conftest import ViewerFakeEngine
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel

from kpviewer.errors import SourceError
from kpviewer.gui.main_window import MainWindow

OUT_OF_MEMORY = RuntimeError("CUDA out of memory. Tried to allocate 20 MiB")


def shown_index(window: MainWindow) -> int:
    result = window.view.result()
    return -1 if result is None else result.frame.index


def card_text(window: MainWindow) -> str:
    return " ".join(label.text() for label in window.view.card.findChildren(QLabel))


def record(qtbot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.session.info is not None)
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.1)


def big_source(**given) -> FakeSource:
    source = FakeSource(3000, **given)
    source.size_hw = (48, 64)
    return source


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_model_that_fails_on_a_frame_is_reported_and_recording_continues(
    qtbot, open_window, engine, tmp_path
):
    window = open_window(big_source())
    warnings: list[str] = []
    window.session.warned.connect(warnings.append)
    qtbot.waitUntil(lambda: len(engine.seen) > 0)
    record(qtbot, window)
    engine.fails_at = dict.fromkeys(range(shown_index(window) + 5, 3000, 40), OUT_OF_MEMORY)
    qtbot.waitUntil(lambda: any("without boxes" in text for text in warnings))
    before = window.saving.recorded_s or 0
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > before)
    assert window.session.failure is None
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: list(tmp_path.glob("*.mp4")) != [])
    (path,) = tmp_path.glob("*.mp4")
    assert frames_in(path) > 2


def test_a_model_that_fails_on_every_frame_has_a_card_until_another_is_chosen(
    qtbot, open_window, engine
):
    broken = ViewerFakeEngine(spec=replace(engine.spec, name="broken"))
    broken.fails_at = dict.fromkeys(range(3000), OUT_OF_MEMORY)
    engines = {"fake": broken, "other": engine}
    window = open_window(big_source(), load_engine=lambda name, *_: engines[name])
    qtbot.waitUntil(lambda: "The model fails on every frame" in card_text(window))
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index)
    window.opener.choose_model("other")
    qtbot.waitUntil(lambda: window.view.card.isHidden() and bool(engine.seen))


def test_a_recording_ends_with_the_video_that_fails(qtbot, open_window, tmp_path):
    window = open_window(big_source(faults={90: raises(SourceError("The disk is gone. Look."))}))
    record(qtbot, window)
    qtbot.waitUntil(lambda: "The disk is gone." in card_text(window))
    qtbot.waitUntil(lambda: window.saving.recorded_s is None)
    qtbot.waitUntil(lambda: list(tmp_path.glob("*.mp4")) != [])


def test_a_recording_that_is_no_longer_fed_ends(qtbot, open_window, tmp_path):
    window = open_window(big_source())
    record(qtbot, window)
    for sink in window.session.pipeline.settings.current.sinks:  # as after an error of it
        window.session.pipeline.remove_sink(sink)
    qtbot.waitUntil(lambda: window.saving.recorded_s is None)
    qtbot.waitUntil(lambda: list(tmp_path.glob("*.mp4")) != [])


def test_the_window_follows_a_model_to_the_cpu(qtbot, open_window, engine):
    gpu = ViewerFakeEngine(spec=engine.spec, fails_at=dict.fromkeys(range(3000), OUT_OF_MEMORY))
    gpu.device_name = "Fake GPU"
    gpu.on_cpu = lambda: engine
    window = open_window(big_source(), load_engine=lambda *_: gpu)
    warnings: list[str] = []
    window.session.warned.connect(warnings.append)
    qtbot.waitUntil(lambda: window.session.engine is engine)
    assert any("on the CPU" in text for text in warnings)
    assert window.session.models.asked.device == "cpu"
    qtbot.waitUntil(lambda: "CPU" in window.status_bar.model.text())
