import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sample_results import result

from kpviewer.errors import RecordingError
from kpviewer.recording import segment as segments
from kpviewer.recording import space as module
from kpviewer.recording.parts import Part
from kpviewer.recording.segment import Images, Segment, SegmentOptions
from kpviewer.recording.space import SpaceLimits
from kpviewer.system.locks import lock

MB = 1024 * 1024


class Disk:
    def __init__(self, free_mb: float) -> None:
        self.free_mb = free_mb

    def __call__(self, _folder: Path) -> int:
        return round(self.free_mb * MB)


def segment(folder: Path, disk: Disk) -> Segment:
    options = SegmentOptions(limits=SpaceLimits(measure=disk))
    return Segment(folder, "clip", options, nominal_fps=30.0)


def write(made: Segment, number: int) -> None:
    one = result(index=number)
    made.write(one, Images(one.frame.bgr, None), number / 30)


def test_less_than_a_gigabyte_refuses_to_start_and_leaves_nothing(tmp_path):
    with pytest.raises(RecordingError, match="needs 1024 MB of free space, got 900 MB"):
        segment(tmp_path / "new", Disk(900))
    assert not (tmp_path / "new").exists()


def test_space_that_runs_low_ends_the_recording_with_what_there_is(tmp_path, monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(now)))
    disk = Disk(2000)
    made = segment(tmp_path, disk)
    for number in range(10):
        write(made, number)
    disk.free_mb = 150
    with pytest.raises(RecordingError, match="only 150 MB are free"):
        for number in range(10, 20):
            write(made, number)
    made.close()
    assert made.paths == [tmp_path / "clip.mp4"]
    assert 10 <= made.frames < 20


def test_path_is_the_part_until_the_end(tmp_path):
    made = segment(tmp_path, Disk(2000))
    write(made, 0)
    assert made.paths == [tmp_path / "clip.mp4.part"]
    made.close()
    assert made.paths == [tmp_path / "clip.mp4"]
    assert made.bytes == (tmp_path / "clip.mp4").stat().st_size


@pytest.mark.skipif(sys.platform == "win32", reason="it locks no folders")
def test_no_other_process_takes_the_name_of_files_being_made(tmp_path, monkeypatch):
    free, reserve = [], segments.reserve

    def reserved(*given: Any) -> Part:
        descriptor = os.open(tmp_path, os.O_RDONLY)
        free.append(lock(descriptor))
        os.close(descriptor)
        return reserve(*given)

    monkeypatch.setattr(segments, "reserve", reserved)
    segment(tmp_path, Disk(9000)).close()
    assert free == [False]
