"""Sources that are opened while another one plays."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from fakes import TIMEOUT_S, FakeSource, eventually

from kpviewer.gui.background import loader
from kpviewer.gui.opening import source_opening
from kpviewer.gui.opening.source_ground_truth import SourceGroundTruth
from kpviewer.gui.opening.source_opening import SourceLoading, name_of
from kpviewer.runtime.process.loading import LoaderJob
from kpviewer.sources.opencv import cv2
from kpviewer.sources.turn import Turn
from kpviewer.sources.turned_source import TurnedSource


@pytest.fixture
def source() -> FakeSource:
    return FakeSource(10)


@pytest.fixture
def loading(source: FakeSource) -> Iterator[SourceLoading]:
    turned = TurnedSource(source, lambda _info: Turn())
    loading = SourceLoading(lambda _text, _truth: turned, SourceGroundTruth())
    yield loading
    loading.close()


@pytest.mark.parametrize(
    "drop",
    [
        SourceLoading.cancel,
        SourceLoading.close,
        lambda loading: loading.look_for("another", "another"),
    ],
)
def test_a_source_that_is_dropped_before_it_arrives_is_closed_at_once(
    loading, source, drop, monkeypatch
):
    has_ended = threading.Event()

    class NotedJob(LoaderJob[object]):
        def run(self) -> None:
            super().run()
            has_ended.set()

    monkeypatch.setattr(loader, "LoaderJob", NotedJob)
    loading.look_for("clip", "clip", is_offer=True)
    assert has_ended.wait(TIMEOUT_S)  # no event is handled: it hasn't arrived
    assert (source.opens, source.closes) == (1, 0)
    drop(loading)
    assert source.closes == 1


def test_a_source_that_opens_after_its_time_limit_is_closed(loading, source, qtbot, monkeypatch):
    monkeypatch.setattr(source_opening, "ANSWER_S", 0.5)
    source.open_timeout_s = 0.0
    source.open_is_blocked = True
    with qtbot.waitSignal(loading.arrived) as arrived:
        loading.look_for("clip", "clip", is_offer=True)
    assert "doesn't answer" in str(arrived.args[0].failure)
    source.unblock_open()
    eventually(lambda: source.closes == 1)


def test_a_source_that_has_arrived_stays_open(loading, source, qtbot):
    with qtbot.waitSignal(loading.arrived):
        loading.look_for("clip", "clip", is_offer=True)
    loading.cancel()
    assert source.closes == 0


@pytest.mark.parametrize(("text", "name"), [(".", "."), ("pics/", "pics"), ("/x/a.mp4", "a.mp4")])
def test_every_path_has_a_name_before_it_is_open(text, name):
    assert name_of(text) == name


def test_a_folder_after_a_recorded_video_waits_at_its_first_image(qtbot, open_window, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "ab":
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((48, 64, 3), np.uint8))

    def make(text: str | None, ground_truth: object) -> object:
        return FakeSource(300) if text == "fake" else source_opening.open_source(text, ground_truth)

    window = open_window(open_source=make, record=str(tmp_path / "video.mp4"))
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0)
    window.session.open(str(folder))
    qtbot.waitUntil(lambda: window.session.source_text == str(folder))
    qtbot.waitUntil(lambda: window.session.info is not None)
    assert window.session.pipeline.transport.paused
