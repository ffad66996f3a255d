"""The scan of a source, over a child process that the test plays."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FAKE_SPEC
from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.gui.background.child_process import ChildEnd
from kpviewer.gui.scanning.scan import Scan, ScanJob, ScanState
from kpviewer.scanning.columns import ScannedFrame, columns_of
from kpviewer.scanning.header import header_for
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_file import open_scan
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.structures import Candidates, StreamInfo

DONE = ChildEnd(None)
INFO = StreamInfo("clip.mp4", 32, 24, 30.0, 10, is_live=False, is_seekable=True)


class FakeEngine:
    spec = FAKE_SPEC


def frames_of(indices: Sequence[int]) -> ScanChunk:
    names, points = len(FAKE_SPEC.class_names), len(FAKE_SPEC.keypoint_names)
    one = Candidates(
        np.array([[0, 0, 9, 9]], np.float32),
        np.full((1, names), 0.5, np.float32),
        np.zeros((1, points, 2), np.float32),
    )
    frames = [ScannedFrame(index, index / 30, one) for index in indices]
    return ScanChunk(columns_of(frames, names, points, 0.05))


class FakeChild(QObject):
    """Child that writes what the test tells it to, and ends when the test says so."""

    ended = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[list[str]] = []
        self.is_running = False
        self.cancels = self.closes = 0
        self.opens: Callable[[Sequence[str]], str] = lambda arguments: arguments[-1]
        self._writer: ScanWriter | None = None

    def start(self, arguments: Sequence[str]) -> None:
        assert not self.is_running
        self.starts.append(list(arguments))
        self.is_running = True
        path = Path(self.opens(arguments))
        if path.exists():
            reader = open_scan(path)
            while reader.read_new():
                pass
            self._writer = ScanWriter(path, after=reader)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = ScanWriter(path, header_for(INFO, "file:1:0", FakeEngine(), "0"))

    def write(self, *indices: int, ends: bool = False) -> None:
        assert self._writer is not None
        if indices:
            self._writer.append(frames_of(indices))
        if ends:
            self._writer.finish()

    def end(self, end: ChildEnd = DONE) -> None:
        assert self._writer is not None
        self._writer.close()
        self.is_running = False
        self.ended.emit(end)

    def cancel(self) -> None:
        self.cancels += 1

    def close(self, patience_ms: int) -> None:
        self.closes += 1
        if self._writer is not None:
            self._writer.close()


@pytest.fixture
def child() -> FakeChild:
    return FakeChild()


@pytest.fixture
def scan(qapp, child) -> Iterator[Scan]:
    scan = Scan(child)
    scan.seen = []
    scan.came.connect(
        lambda job, chunks: scan.seen.extend(
            (job.model, *each.columns.frame_index.tolist()) for each in chunks
        )
    )
    yield scan
    scan.close()


def job(folder: Path, model: str = "A") -> ScanJob:
    path = folder / f"{model}.kpv"
    return ScanJob(model, path, 10, ("process", str(path)))


def test_frames_are_followed_while_the_child_writes(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    assert scan.state == ScanState(0, 10)
    scan.start()
    assert scan.state.is_running
    child.write(0, 1)
    qtbot.waitUntil(lambda: scan.seen == [("A", 0, 1)])
    assert (scan.state.done, scan.state.total) == (2, 10)
    child.write(2, 3, 4)
    qtbot.waitUntil(lambda: scan.state.done == 5)
    child.write(5, 6, 7, 8, 9, ends=True)
    with qtbot.waitSignal(scan.completed):
        child.end()
    assert scan.seen[-1] == ("A", 5, 6, 7, 8, 9)
    assert scan.state.is_complete and not scan.state.is_running
    scan.start()
    assert len(child.starts) == 1


def test_a_source_with_fewer_frames_than_it_states_is_complete(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    child.write(0, 1, 2, ends=True)
    with qtbot.waitSignal(scan.completed):
        child.end()
    assert (scan.state.done, scan.state.total) == (3, 3)


def test_the_second_model_follows_the_first(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path), job(tmp_path, "B")])
    scan.start()
    child.write(*range(10), ends=True)
    child.end()
    qtbot.waitUntil(lambda: len(child.starts) == 2)
    assert (scan.state.done, scan.state.total) == (10, 20)
    child.write(0, ends=True)
    with qtbot.waitSignal(scan.completed):
        child.end()
    assert scan.seen[-1] == ("B", 0)


def test_a_crash_is_reported_in_one_line_and_the_next_scan_goes_on(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    child.write(0, 1)
    child.end(ChildEnd("No memory left."))
    qtbot.waitUntil(lambda: scan.seen == [("A", 0, 1)])
    assert scan.state == ScanState(2, 10, failure="No memory left.")
    scan.start()
    assert scan.state.failure is None
    qtbot.waitUntil(lambda: len(child.starts) == 2)  # its file is read to the end before
    child.write(2, ends=True)
    with qtbot.waitSignal(scan.completed):
        child.end()
    assert open_scan(job(tmp_path).file).header is not None
    assert scan.state.done == 3


def test_scanning_at_once_after_a_crash_goes_on(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    child.write(0)
    child.end(ChildEnd("No memory left."))
    scan.start()  # before what the crashed one wrote was read
    qtbot.waitUntil(lambda: len(child.starts) == 2)
    assert scan.state.is_running and scan.state.failure is None


def test_cancelling_keeps_what_was_scanned(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    child.write(0, 1)
    scan.cancel()
    assert not scan.state.is_running and child.cancels == 1
    child.write(2)
    child.end(ChildEnd(None, was_cancelled=True))
    qtbot.waitUntil(lambda: scan.state.done == 3)
    assert scan.state.failure is None
    assert len(child.starts) == 1


def test_scanning_again_waits_for_the_child_that_ends(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    scan.cancel()
    scan.start()
    assert len(child.starts) == 1 and scan.state.is_running
    child.write(0)
    child.end(ChildEnd(None, was_cancelled=True))
    qtbot.waitUntil(lambda: len(child.starts) == 2)
    assert scan.state.is_running and scan.state.failure is None


def test_another_source_ends_the_scan_of_the_one_before(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    path = tmp_path / "other.kpv"
    other = ScanJob("A", path, 5, ("process", str(path)))
    scan.set_jobs([other])
    assert child.cancels == 1 and scan.state == ScanState(0, 5)
    scan.start()
    child.write(0)
    child.end(ChildEnd(None, was_cancelled=True))
    assert child.starts[-1][-1] == str(other.file)
    child.write(0, ends=True)
    with qtbot.waitSignal(scan.completed):
        child.end()
    assert scan.seen == [("A", 0)]


def test_a_file_that_is_no_scan_at_the_end_is_the_failure(qtbot, scan, child, tmp_path):
    scan.set_jobs([job(tmp_path)])
    scan.start()
    job(tmp_path).file.write_bytes(b"something else")
    child.end()
    qtbot.waitUntil(lambda: scan.state.failure is not None)
    assert "isn't a scan" in scan.state.failure
    assert not scan.state.is_running


def test_scanning_again_over_a_damaged_file_starts_once_the_child_has_ended(
    qtbot, scan, child, tmp_path
):
    job(tmp_path).file.write_bytes(b"something else")
    child.opens = lambda _arguments: tmp_path / f"{len(child.starts)}.kpv"
    scan.set_jobs([job(tmp_path)])
    scan.start()
    scan.cancel()
    scan.start()
    child.end(ChildEnd(None, was_cancelled=True))
    qtbot.waitUntil(lambda: len(child.starts) == 2)
    child.end(ChildEnd(None, was_cancelled=True))


def test_a_damaged_file_that_the_child_replaces_is_followed(qtbot, scan, child, tmp_path):
    file = job(tmp_path).file
    file.write_bytes(b"something else")
    child.opens = lambda _arguments: tmp_path / "new.kpv"
    scan.set_jobs([job(tmp_path)])
    scan.start()
    child.write(0, 1)
    readers = {scan.following.reader}
    qtbot.waitUntil(lambda: not readers.add(scan.following.reader) and len(readers) > 1)
    assert scan.state.is_running and scan.state.failure is None
    file.unlink()
    (tmp_path / "new.kpv").rename(file)
    qtbot.waitUntil(lambda: scan.seen == [("A", 0, 1)])
    child.end(ChildEnd(None, was_cancelled=True))


def test_a_scan_that_a_file_holds_counts_as_done(scan, child, tmp_path):
    one = job(tmp_path)
    scan.set_jobs([one])
    scan.note(one, 4, is_complete=False)
    assert scan.state == ScanState(4, 10)
    scan.note(one, 9, is_complete=True)
    assert scan.state == ScanState(9, 9)
    scan.start()
    assert not child.starts


def test_what_hinders_a_scan_is_stated(scan, child):
    scan.set_jobs([], "Only files and folders can be scanned.")
    assert scan.state.hindrance == "Only files and folders can be scanned."
    scan.start()
    assert not child.starts and not scan.state.is_running


def test_the_rate_is_that_of_the_last_seconds(qtbot, qapp, child, tmp_path):
    now = [0.0]
    scan = Scan(child, clock=lambda: now[0])
    scan.set_jobs([job(tmp_path)])
    scan.start()
    child.write(0, 1, 2)
    qtbot.waitUntil(lambda: scan.state.done == 3)
    assert scan.state.rate_fps is None
    now[0] = 2.0
    child.write(3, 4, 5, 6)
    qtbot.waitUntil(lambda: scan.state.done == 7)
    assert scan.state.rate_fps == 2.0
    scan.close()
