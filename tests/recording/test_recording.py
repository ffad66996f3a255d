from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import RecordingError
from kpviewer.recording import recording as module
from kpviewer.recording.recording import Recording, SpaceLimits
from kpviewer.recording.video import VideoOptions

MB = 1024 * 1024
IMAGE = np.zeros((48, 64, 3), np.uint8)


class Disk:
    def __init__(self, free_mb: float) -> None:
        self.free_mb = free_mb

    def __call__(self, _folder: Path) -> int:
        return round(self.free_mb * MB)


def recording(folder: Path, disk: Disk) -> Recording:
    limits = SpaceLimits(measure=disk)
    return Recording(folder, "clip", nominal_fps=30.0, video=VideoOptions(), limits=limits)


def test_less_than_a_gigabyte_refuses_to_start_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="needs 1024 MB of free space, got 900 MB"):
        recording(tmp_path / "new", Disk(900))
    assert not (tmp_path / "new").exists()


def test_space_that_runs_low_ends_the_recording_with_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(now)))
    disk = Disk(2000)
    made = recording(tmp_path, disk)
    for number in range(10):
        made.write(IMAGE, number / 30)
    disk.free_mb = 150
    with pytest.raises(RecordingError, match="only 150 MB are free"):
        for number in range(10, 20):
            made.write(IMAGE, number / 30)
    made.close()
    assert made.path == tmp_path / "clip.mp4"
    assert 10 <= made.frames < 20


def test_path_is_the_part_until_the_end(tmp_path: Path) -> None:
    made = recording(tmp_path, Disk(2000))
    made.write(IMAGE, 0.0)
    assert made.path == tmp_path / "clip.mp4.part"
    made.close()
    assert made.path == tmp_path / "clip.mp4"
    assert made.bytes == (tmp_path / "clip.mp4").stat().st_size
