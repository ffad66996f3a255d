from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_scans import SPEC, candidates, frames_in, header

from kpviewer.models.selection import select
from kpviewer.scanning.scan_file import ScanReader, chunks_of, open_scan
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.scanning.sink import ScanSink
from kpviewer.structures import Candidates, Detections, Frame, FrameResult, StageTimings, Thresholds


def result(index: int, found: Candidates | None = None, file: str | None = None) -> FrameResult:
    frame = Frame(index, 0, index / 10, np.zeros((48, 64, 3), np.uint8), file=file)
    kept = candidates(index, 40) if found is None else found
    return FrameResult(frame, kept, Detections.empty(), StageTimings())


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sink(tmp_path: Path, clock: Clock) -> ScanSink:
    head = header()
    return ScanSink(ScanWriter(tmp_path / "clip.kpv", head), head, clock=clock)


def test_candidates_give_the_same_detections_at_all_thresholds(sink, tmp_path):
    given = [result(index) for index in range(5)]
    for each in given:
        sink.accept(each)
    sink.close(is_complete=True)
    (read,) = chunks_of(open_scan(tmp_path / "clip.kpv"))
    for thresholds in (SPEC.thresholds, Thresholds(0.05, 0.1), Thresholds(0.2, 0.9)):
        for row, each in enumerate(given):
            expected = select(each.candidates, thresholds)
            found = select(read.columns.candidates(row), thresholds)
            assert len(expected)
            for name in ("xyxy", "scores", "class_ids", "keypoints_xy", "keypoint_scores"):
                np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_frames_reach_the_file_within_a_second(sink, clock, tmp_path):
    reader = ScanReader(tmp_path / "clip.kpv")
    written = []
    for index in range(25):  # 10 frames a second
        clock.now_s += 0.1
        sink.accept(result(index))
        written.append(len(frames_in(reader)))
    assert sum(written[:9]) == 0 and sum(written) >= 20
    clock.now_s += 0.5  # a slow model: each frame is written at once
    sink.accept(result(25))
    assert reader.read_new() and reader.last_index == 25
    sink.close(is_complete=False)


def test_many_frames_do_not_wait_for_the_second(sink, tmp_path):
    for index in range(600):
        sink.accept(result(index))
    assert len(frames_in(ScanReader(tmp_path / "clip.kpv"))) == 512
    sink.close(is_complete=False)


def test_a_scan_continues_after_its_last_frame(sink, tmp_path):
    for index in range(4):
        sink.accept(result(index))
    sink.close(is_complete=False)
    reader = open_scan(tmp_path / "clip.kpv")
    assert frames_in(reader) == [0, 1, 2, 3] and not reader.is_complete
    head = header()
    again = ScanSink(ScanWriter(reader.path, after=reader), head, reader.last_index)
    for index in range(2, 6):
        again.accept(result(index))
    again.close(is_complete=True)
    assert frames_in(reader) == [4, 5] and reader.is_complete


def test_candidates_that_are_not_finite_are_counted_and_left_out(sink, tmp_path):
    found = candidates(1)
    xyxy, points = found.xyxy.copy(), found.keypoints_xy.copy()
    scores = np.full_like(found.scores, 0.5)
    xyxy[0, 2], points[3, 1, 0] = np.inf, np.nan
    sink.accept(result(0, replace(found, xyxy=xyxy, keypoints_xy=points, scores=scores)))
    sink.accept(result(1, Candidates.empty(3, 2)))
    sink.close(is_complete=True)
    assert sink.skipped == 2
    (read,) = chunks_of(open_scan(tmp_path / "clip.kpv"))
    np.testing.assert_array_equal(read.columns.xyxy, xyxy[[1, 2, 4, 5]])
    assert read.columns.starts.tolist() == [0, 4, 4]


def test_names_of_files_are_kept_though_they_are_not_text(sink, tmp_path):
    for index, name in enumerate(("a/1.png", "b\udce9.png")):
        sink.accept(result(index, file=name))
    sink.close(is_complete=True)
    (read,) = chunks_of(open_scan(tmp_path / "clip.kpv"))
    assert read.files == ("a/1.png", "b\\udce9.png")
