"""Anything that never answers blocks only itself, not other sources, models, or closing."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes import TIMEOUT_S, FakeEngine, FakeSource

from kpviewer.cli import process
from kpviewer.errors import SourceError
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening import source_ground_truth, source_opening
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.source_ground_truth import SourceGroundTruth
from kpviewer.gui.opening.source_opening import look_for
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings import store
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.views.dialogs import questions
from kpviewer.pipeline.source.signal_loss import SignalLoss
from kpviewer.pipeline_status import PipelineState, PipelineStats, PipelineStatus
from kpviewer.processing import source
from kpviewer.processing.options import ProcessOptions
from kpviewer.runtime.process.abandoned import still_running, wait_for_stragglers
from kpviewer.sources import open as opening


class StuckSource(FakeSource):
    """Can't be interrupted in ``open``; ``wake`` ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.open_is_blocked = True

    def interrupt(self) -> None:
        """Change nothing."""

    def wake(self) -> None:
        super().interrupt()


@dataclass
class Hang:
    """Functions that hang until the test is over."""

    over: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    has_ended: bool = False

    def __call__(self, *_: object, **__: object) -> None:
        self.begun.set()
        self.over.wait(TIMEOUT_S)
        self.has_ended = True


@pytest.fixture
def hang() -> Iterator[Hang]:
    made = Hang()
    yield made
    made.over.set()


@pytest.fixture
def stuck() -> Iterator[StuckSource]:
    source = StuckSource()
    yield source
    source.wake()


def shows_an_image(window: MainWindow) -> bool:
    return window.view.result() is not None


def sources(**by_name: Callable[[], FakeSource]) -> Callable[..., FakeSource]:
    return lambda text, _ground_truth: by_name[text]()


# -- sources ---------------------------------------------------------------------------------


def test_another_source_opens_while_one_hangs_in_open(qtbot, stuck, open_window):
    window = open_window(open_source=sources(fake=lambda: stuck, other=lambda: FakeSource(300)))
    qtbot.waitUntil(stuck.has_blocked.is_set)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: shows_an_image(window))
    assert stuck.closes == 0  # it hangs still


def test_another_source_opens_while_a_search_hangs(qtbot, hang, open_window):
    window = open_window(open_source=sources(fake=hang, other=lambda: FakeSource(300)))
    qtbot.waitUntil(hang.begun.is_set)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: shows_an_image(window))
    assert not hang.has_ended


def test_a_source_that_does_not_answer_fails(hang, monkeypatch):
    monkeypatch.setattr(source_opening, "ANSWER_S", 0)
    with pytest.raises(SourceError, match=r"clip\.mp4 doesn't answer"):
        look_for("/mnt/dead/clip.mp4", "clip.mp4", SourceGroundTruth(), hang)
    assert not hang.has_ended


def test_a_disk_that_did_not_answer_the_search_is_not_waited_for_as_long_again(hang, monkeypatch):
    monkeypatch.setattr(source_ground_truth, "SEARCH_S", 0)
    monkeypatch.setattr(source_opening, "LATE_S", 0)
    monkeypatch.setattr(source_opening, "ANSWER_S", None)  # an error, if it is waited for
    monkeypatch.setattr(source_ground_truth, "ground_truth_beside", hang)
    with pytest.raises(SourceError, match="doesn't answer"):
        look_for(str(Path(__file__)), "x", SourceGroundTruth(), hang)
    assert not hang.has_ended


def test_a_folder_of_labels_that_does_not_answer_leaves_the_source_without_ground_truth(
    hang, monkeypatch
):
    monkeypatch.setattr(source_ground_truth, "SEARCH_S", 0)
    monkeypatch.setattr(source_ground_truth, "ground_truth_beside", hang)
    source = FakeSource()
    made, found = look_for(
        str(Path(__file__)), "x", SourceGroundTruth(), lambda _text, _ground_truth: source
    )
    assert made is source
    assert found.ground_truth is None
    assert "doesn't answer" in (found.news or "")
    assert not hang.has_ended


# -- models ----------------------------------------------------------------------------------


def test_another_model_loads_while_a_cancelled_one_hangs(qtbot, hang):
    fine = FakeEngine()

    def load(name: str, *_: object) -> FakeEngine:
        return fine if name == "fine" else hang()

    loading = ModelLoading(
        ViewerOptions(),
        Loaders(hang, load, hang, lambda: {"cpu": "CPU"}),
        patience_s=0.05,
    )
    loading.load("stuck")
    loading.start_due(None, can_wait=False)
    assert hang.begun.wait(TIMEOUT_S)
    loading.cancel()
    loading.load("fine")
    loading.start_due(None, can_wait=False)
    assert loading.engine is None
    assert loading.loading == "fine"
    qtbot.waitUntil(lambda: loading.engine is fine)
    assert not hang.has_ended
    loading.close()


def test_a_model_that_hangs_on_a_frame_is_loaded_anew_for_another_source(
    qtbot, open_window, engine
):
    engine.blocks_at = {30}
    loads: list[str] = []

    def load(name, *_):
        loads.append(name)
        return engine if len(loads) == 1 else type(engine)(spec=engine.spec)

    window = open_window(load_engine=load, open_source=lambda *_: FakeSource(300))
    try:
        qtbot.waitUntil(lambda: 30 in engine.seen)
        window.opener.choose_source("other")
        qtbot.waitUntil(lambda: len(loads) == 2 and window.session.engine is not None)
        assert window.session.engine is not engine
        qtbot.waitUntil(lambda: shows_an_image(window))
    finally:
        engine.go_on()


# -- the end ---------------------------------------------------------------------------------


def test_the_window_closes_while_everything_hangs(qtbot, stuck, hang, open_window):
    window = open_window(stuck, load_engine=hang)
    qtbot.waitUntil(lambda: stuck.has_blocked.is_set() and hang.begun.is_set())
    window.opener.compare_with("other")
    window.close()
    assert not window.isVisible()
    assert stuck.closes == 0
    assert not hang.has_ended
    assert len(still_running()) >= 2


def test_the_window_closes_while_a_model_hangs_on_a_frame(qtbot, open_window, engine):
    engine.blocks_at = {30}
    window = open_window()
    try:
        qtbot.waitUntil(lambda: 30 in engine.seen)
        window.close()
        assert "a model that runs on a frame" in still_running()
    finally:
        engine.go_on()


# -- settings --------------------------------------------------------------------------------


def test_settings_on_a_disk_that_does_not_answer_are_the_defaults(hang, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "READ_S", 0)
    monkeypatch.setattr(store, "read_settings", hang)
    kept = SettingsStore(tmp_path)
    assert "doesn't answer" in (kept.problem or "")
    assert kept.current.model is None


def test_settings_are_remembered_once_their_disk_answers(monkeypatch, tmp_path):
    goes_on, write = threading.Event(), store.write_settings
    monkeypatch.setattr(
        store, "write_settings", lambda *given: goes_on.wait(TIMEOUT_S) and write(*given)
    )
    monkeypatch.setattr(store, "WRITE_S", 0)
    kept = SettingsStore(tmp_path)
    kept.edit(lambda settings: replace(settings, theme="dark"))
    kept.flush()
    assert "Changes are remembered once it does." in (kept.problem or "")
    kept.edit(lambda settings: replace(settings, language="en"))
    kept.flush()  # beside the write that hangs
    assert not store.settings_path(tmp_path).exists()
    goes_on.set()
    wait_for_stragglers(TIMEOUT_S)
    monkeypatch.setattr(store, "WRITE_S", TIMEOUT_S)
    kept.flush()
    written = store.read_settings(store.settings_path(tmp_path)).settings
    assert (written.theme, written.language) == ("dark", "en")


def test_a_source_on_a_disk_that_does_not_answer_is_none_for_the_window(hang, monkeypatch):
    monkeypatch.setattr(questions, "DISK_S", 0)
    monkeypatch.setattr(Path, "exists", hang)
    assert not questions.is_on_disk("/mnt/dead/clip.mp4")


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"read_s": 6.0}, "file doesn't answer"), ({"model_silent_s": 11.0}, "model")],
)
def test_process_reports_a_hang_once(fields, said):
    status = PipelineStatus(PipelineState.RUNNING, None, PipelineStats(frames_inferred=1), None)
    lines: list[str] = []
    loss = SignalLoss("clip.mp4", lines.append)
    for each in (status, replace(status, **fields), replace(status, **fields), status):
        loss.check(each)
    assert [said in line for line in lines] == [True]


def test_the_first_frame_of_a_model_that_is_compiled_on_it_may_take_longer():
    status = PipelineStatus(PipelineState.RUNNING, None, PipelineStats(), None)
    lines: list[str] = []
    loss = SignalLoss("clip.mp4", lines.append)
    loss.check(replace(status, model_silent_s=20.0))
    assert lines == []
    loss.check(replace(status, model_silent_s=61.0))
    assert "model" in lines[0]


def test_process_gives_up_a_disk_that_does_not_answer(hang, monkeypatch, tmp_path, capsys, engine):
    monkeypatch.setattr(source, "_ANSWER_S", 0)
    monkeypatch.setattr(opening, "make_source", hang)
    code = process.process_sources(["/mnt/dead/clip.mp4"], ProcessOptions(tmp_path), engine=engine)
    assert code == SourceError.exit_code
    assert "clip.mp4 doesn't answer" in capsys.readouterr().err
