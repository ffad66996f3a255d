"""What is scanned: the open source, with the models as the window runs them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes import FAKE_SPEC
from gui.scanning.test_scan import FakeChild, frames_of
from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.config import files as config_files
from kpviewer.gui.background.child_process import ChildEnd
from kpviewer.gui.main_window import scan_link
from kpviewer.gui.main_window.scan_link import ScanLink
from kpviewer.gui.opening.model_request import LoadedModel, ModelRequest
from kpviewer.gui.scanning.scan import Scan, ScanState
from kpviewer.pipeline_status import PipelineState
from kpviewer.scanning import cache
from kpviewer.scanning.fingerprint import fingerprint_of
from kpviewer.scanning.header import header_for
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.structures import StreamInfo

INFO = StreamInfo("clip.mp4", 32, 24, 30.0, 10, is_live=False, is_seekable=True)


class FakeEngine:
    device_name, backend, precision = "CPU", "openvino", "bf16"

    def __init__(self, model_hash: str | None = "a1", spec: object = FAKE_SPEC) -> None:
        self.model_hash, self.spec = model_hash, spec


class FakePipeline:
    def __init__(self, *, is_playing: bool) -> None:
        self._state = PipelineState.RUNNING if is_playing else PipelineState.PAUSED
        self.asked = 0

    @property
    def state(self) -> PipelineState:
        self.asked += 1
        return self._state


class FakeSession(QObject):
    source_changed, opened, model_changed = pyqtSignal(), pyqtSignal(), pyqtSignal()

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source_text: str | None = source
        self.info: StreamInfo | None = None
        self.engine: FakeEngine | None = None
        self.models = SimpleNamespace(current=None)
        self.pipeline: FakePipeline | None = None

    def play(self, *, is_playing: bool) -> None:
        self.pipeline = FakePipeline(is_playing=is_playing)

    def open(self, info: StreamInfo | None = INFO, source: str | None = None) -> None:
        self.source_text = source or self.source_text
        self.info = None
        self.source_changed.emit()
        self.info = info
        self.opened.emit()

    def load(self, name: str = "face-ssd", engine: FakeEngine | None = None) -> None:
        self.engine = engine or FakeEngine()
        request = ModelRequest(name, "auto", None)
        content = self.engine.model_hash
        self.models.current = LoadedModel(request, self.engine, {}, None, (), (), content)
        self.model_changed.emit()


class FakeCompare(QObject):
    second_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.models = SimpleNamespace(current=None)

    def load(self, name: str, engine: FakeEngine | None) -> None:
        request = ModelRequest(name, "auto")
        self.models.current = engine and LoadedModel(request, engine, {}, None, (), ())
        self.second_changed.emit()


class FakeButton(QObject):
    scan_asked, cancelled = pyqtSignal(), pyqtSignal()
    state: ScanState | None = None

    def show_state(self, state: ScanState | None) -> None:
        self.state = state


class FakeAnalysis(QObject):
    dropped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[object, ...]] = []

    def add_chunks(self, model: str, chunks: object) -> None:
        for each in chunks:  # type: ignore[attr-defined]
            self.seen.append((model, *each.columns.frame_index.tolist()))


class Desk:
    """A link between fakes."""

    def __init__(self, folder: Path, *, is_own: bool = True) -> None:
        self.clip = folder / "clip.mp4"
        self.clip.write_bytes(b"frames")
        self.session, self.compare = FakeSession(str(self.clip)), FakeCompare()
        self.button, self.analysis, self.child = FakeButton(), FakeAnalysis(), FakeChild()
        self.scan = Scan(self.child)
        self.link = ScanLink(
            self.session,
            self.compare,
            self.analysis,
            self.button,
            self.scan,
            is_own=is_own,
        )

    def close(self) -> None:
        self.link.stop()
        self.scan.close()

    @property
    def state(self) -> ScanState | None:
        return self.button.state

    def keep_scan(self, *indices: int, model_hash: str = "a1", is_complete: bool = False) -> Path:
        """Write the scan that an earlier window has left."""
        fingerprint = fingerprint_of(str(self.clip))
        path = cache.cached_path(fingerprint, model_hash)
        writer = ScanWriter(path, header_for(INFO, fingerprint, FakeEngine(), model_hash))
        writer.append(frames_of(indices))
        if is_complete:
            writer.finish()
        writer.close()
        return path


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(config_files, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def desk(qapp, tmp_path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def has_jobs(desk: Desk, count: int = 1) -> bool:
    return desk.state is not None and desk.state.total == 10 * count


def options(arguments: list[str]) -> dict[str, str]:
    words = [word for each in arguments[: arguments.index("--")] for word in each.split("=")]
    pairs = pairwise(words)
    return {name[2:]: value for name, value in pairs if name[:2] == "--" != value[:2]}


def test_the_child_runs_the_model_as_the_window_does(qtbot, desk, cache_folder):
    desk.session.open()
    assert desk.state is None
    desk.session.load("face-ssd@320")
    qtbot.waitUntil(lambda: has_jobs(desk))
    file = desk.scan.state and next(iter(desk.scan.jobs)).file
    assert file.parent == cache_folder / "scans" and file.suffix == ".kpv"
    arguments = next(iter(desk.scan.jobs)).arguments
    assert (arguments[0], arguments[-2:]) == ("process", ("--", str(desk.clip)))
    assert options(list(arguments)) == {
        "scan": str(file),
        "model": "face-ssd@320",
        "model-hash": "a1",
        "device": "auto",
        "backend": "openvino",
        "precision": "bf16",
        "batch": "1",
    }


def test_a_scan_of_before_is_shown_at_once(qtbot, desk):
    desk.keep_scan(0, 1, 2)
    desk.session.load()
    desk.session.open()
    qtbot.waitUntil(lambda: desk.analysis.seen == [("A", 0, 1, 2)])
    assert (desk.state.done, desk.state.total) == (3, 10)
    assert not desk.child.starts


def test_a_whole_scan_of_before_needs_no_other(qtbot, desk):
    desk.keep_scan(0, 1, 2, is_complete=True)
    desk.session.load()
    desk.session.open()
    qtbot.waitUntil(lambda: desk.state is not None and desk.state.is_complete)
    desk.button.scan_asked.emit()
    assert not desk.child.starts


def test_a_model_that_comes_back_brings_its_scan(qtbot, desk):
    desk.keep_scan(0, 1)
    desk.session.load()
    desk.session.open()
    qtbot.waitUntil(lambda: desk.analysis.seen == [("A", 0, 1)])
    desk.session.load("other", FakeEngine("b2"))
    qtbot.waitUntil(lambda: has_jobs(desk) and desk.state.done == 0)
    desk.session.load()
    qtbot.waitUntil(lambda: desk.analysis.seen == [("A", 0, 1)] * 2)


def test_a_file_that_was_trained_again_has_another_scan(qtbot, desk):
    desk.keep_scan(0, 1)
    desk.session.load("best.onnx")
    desk.session.open()
    qtbot.waitUntil(lambda: desk.analysis.seen == [("A", 0, 1)])
    before = desk.scan.jobs[0].file
    desk.session.load("best.onnx", FakeEngine("b2"))
    qtbot.waitUntil(lambda: has_jobs(desk) and desk.state.done == 0)
    assert desk.scan.jobs[0].file != before


def test_the_same_model_on_another_backend_keeps_its_scan(qtbot, desk):
    desk.keep_scan(0, 1)
    desk.session.load()
    desk.session.open()
    qtbot.waitUntil(lambda: desk.state is not None and desk.state.done == 2)
    moved = FakeEngine()
    moved.backend = "torch"
    desk.session.load(engine=moved)
    assert desk.state.done == 2 and desk.analysis.seen == [("A", 0, 1)]
    assert options(list(desk.scan.jobs[0].arguments))["backend"] == "torch"


def test_both_models_are_scanned(qtbot, desk):
    desk.session.open()
    desk.session.load()
    other = FakeEngine("b2", replace(FAKE_SPEC, name="other"))
    desk.compare.load("other", other)
    qtbot.waitUntil(lambda: has_jobs(desk, 2))
    first, second = desk.scan.jobs
    assert (first.model, second.model) == ("A", "B")
    assert options(list(second.arguments))["model"] == "other"
    desk.compare.load("other", None)
    qtbot.waitUntil(lambda: has_jobs(desk))


def test_a_model_beside_itself_in_int8_has_a_scan_of_its_own(qtbot, desk):
    desk.keep_scan(0, 1)
    desk.session.open()
    desk.session.load()
    small = FakeEngine()
    small.precision = "int8"
    desk.compare.load("face-ssd", small)
    qtbot.waitUntil(lambda: has_jobs(desk, 2) and desk.state.done == 2)
    first, second = desk.scan.jobs
    assert first.file != second.file
    assert options(list(second.arguments))["precision"] == "int8"
    assert desk.analysis.seen == [("A", 0, 1)]


def test_frames_go_to_the_analysis_as_they_are_scanned(qtbot, desk):
    desk.child.opens = lambda arguments: options(list(arguments))["scan"]
    desk.session.open()
    desk.session.load()
    qtbot.waitUntil(lambda: has_jobs(desk))
    desk.button.scan_asked.emit()
    assert desk.state.is_running
    desk.child.write(0, 1)
    qtbot.waitUntil(lambda: desk.analysis.seen == [("A", 0, 1)])
    desk.button.cancelled.emit()
    assert desk.child.cancels == 1
    desk.child.end(ChildEnd(None, was_cancelled=True))


@pytest.mark.parametrize(
    ("source", "info", "reason"),
    [
        ("clip.mp4", replace(INFO, is_seekable=False), "a live source can't be read again"),
        ("rtsp://host/1", INFO, "Only files and folders can be scanned."),
    ],
)
def test_what_can_not_be_scanned_says_why(desk, source, info, reason):
    desk.session.load()
    desk.session.open(info, source)
    assert reason in desk.state.hindrance
    desk.button.scan_asked.emit()
    assert not desk.child.starts


def test_a_live_source_has_no_scan(desk):
    desk.session.load()
    desk.session.open(replace(INFO, is_live=True, is_seekable=False, frame_count=None), "0")
    assert desk.state is None


def test_sources_of_a_program_are_not_scanned(qapp, tmp_path):
    desk = Desk(tmp_path, is_own=False)
    desk.session.load()
    desk.session.open()
    assert "exists only in this program" in desk.state.hindrance
    desk.close()


def test_a_model_that_can_not_be_recognised_is_not_scanned(qtbot, desk):
    desk.session.open()
    desk.session.load(engine=FakeEngine(None))
    qtbot.waitUntil(lambda: desk.state is not None and desk.state.hindrance is not None)
    assert "recognised" in desk.state.hindrance


def told_by(link: ScanLink) -> list[str]:
    told: list[str] = []
    link.told.connect(told.append)
    return told


def test_a_scan_that_is_asked_for_too_early_starts_once_it_is_prepared(qtbot, desk):
    desk.child.opens = lambda arguments: options(list(arguments))["scan"]
    told = told_by(desk.link)
    desk.session.open()
    desk.session.load()
    assert not desk.scan.jobs
    desk.link.toggle()
    qtbot.waitUntil(lambda: len(desk.child.starts) == 1)
    assert desk.state.is_running and not told
    desk.link.cancel()
    desk.child.end(ChildEnd(None, was_cancelled=True))


def test_a_scan_that_is_asked_for_is_not_of_the_next_source(qtbot, desk):
    desk.session.load()
    desk.session.open()
    desk.link.toggle()
    desk.session.open()
    qtbot.waitUntil(lambda: has_jobs(desk))
    assert not desk.child.starts


def test_a_key_that_starts_no_scan_says_why(qtbot, desk):
    told = told_by(desk.link)
    desk.link.toggle()
    assert "no source is open" in told.pop()
    desk.keep_scan(0, 1, 2, is_complete=True)
    desk.session.load()
    desk.session.open()
    desk.link.toggle()
    qtbot.waitUntil(lambda: told == ["Every frame is scanned"])
    desk.session.open(source="rtsp://host/1")
    desk.link.toggle()
    assert told[1:] == ["Only files and folders can be scanned."]


def test_frames_that_the_window_drops_are_told_of(desk):
    told = told_by(desk.link)
    desk.analysis.dropped.emit()
    assert "too large for the window" in told.pop()


def test_a_source_that_can_not_be_read_for_its_scan_says_so(qtbot, desk, monkeypatch):
    monkeypatch.setattr(scan_link, "found_scan", lambda *_: 1 / 0)
    told = told_by(desk.link)
    desk.session.load()
    desk.session.open()
    desk.link.toggle()
    qtbot.waitUntil(lambda: len(told) == 1)
    assert "recognised" in told[0] and told[0] == desk.state.hindrance


def test_a_scan_that_fails_says_why_each_time(qtbot, desk):
    desk.child.opens = lambda arguments: options(list(arguments))["scan"]
    told = told_by(desk.link)
    desk.session.load()
    desk.session.open()
    qtbot.waitUntil(lambda: has_jobs(desk))
    for times in (1, 2):
        desk.link.toggle()
        desk.child.end(ChildEnd("No such model."))
        qtbot.waitUntil(lambda: not desk.state.is_running)
        qtbot.waitUntil(lambda: desk.scan.following is None)
        assert told == ["No such model."] * times


def test_a_paused_source_is_scanned_by_itself_if_wished(qtbot, desk, monkeypatch):
    monkeypatch.setattr(scan_link, "IDLE_S", 0.0)
    desk.child.opens = lambda arguments: options(list(arguments))["scan"]
    desk.link.runs_when_idle = True
    desk.session.play(is_playing=True)
    desk.session.open()
    desk.session.load()
    qtbot.waitUntil(lambda: has_jobs(desk))
    asked = desk.session.pipeline.asked
    qtbot.waitUntil(lambda: desk.session.pipeline.asked > asked)
    assert not desk.child.starts
    desk.session.play(is_playing=False)
    qtbot.waitUntil(lambda: len(desk.child.starts) == 1)
    desk.session.play(is_playing=True)
    qtbot.waitUntil(lambda: desk.child.cancels == 1)
    assert not desk.state.is_running
    desk.child.end(ChildEnd(None, was_cancelled=True))


def test_a_scan_that_was_asked_for_goes_on_while_playing(qtbot, desk, monkeypatch):
    monkeypatch.setattr(scan_link, "IDLE_S", 0.0)
    desk.child.opens = lambda arguments: options(list(arguments))["scan"]
    desk.session.play(is_playing=True)
    desk.session.open()
    desk.session.load()
    qtbot.waitUntil(lambda: has_jobs(desk))
    desk.link.toggle()
    asked = desk.session.pipeline.asked
    qtbot.waitUntil(lambda: desk.session.pipeline.asked > asked + 1)
    assert desk.state.is_running and desk.child.cancels == 0
    desk.link.toggle()
    assert desk.child.cancels == 1
    desk.child.end(ChildEnd(None, was_cancelled=True))
