"""Recordings whose files vanish, whose disk never answers, or whose parts fail in any way."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from fakes import TIMEOUT_S, eventually
from sample_results import CountedLease, info, read_video, result

from kpviewer.overlay import OverlayStyle
from kpviewer.recording import files, parts
from kpviewer.recording.disk import SILENT_S
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_status import RecorderState
from kpviewer.recording.results import ResultHeader
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.space import SpaceLimits
from kpviewer.structures import FrameResult, ImageArray

needs_posix = pytest.mark.skipif(os.name == "nt", reason="open files can't be removed there")
HEADER = ResultHeader("clip.mp4", "fake", ("thing",))


def plain(one: FrameResult, _style: OverlayStyle) -> ImageArray:
    return one.frame.bgr


def start(folder: Path, *outputs: str, render: object = plain, **given: object) -> RecorderThread:
    limits = SpaceLimits(to_start=0, to_continue=0)
    segment = SegmentOptions(outputs or ("video", "jsonl"), HEADER, limits=limits)
    options = RecorderOptions("clip", segment=segment, **{"lossless": True, **given})
    thread = RecorderThread(folder, info(), options, render=render)
    thread.start()
    eventually(lambda: thread.status().state is not RecorderState.OPENING)
    return thread


def give(thread: RecorderThread, indices: range) -> None:
    before = thread.status().frames
    for index in indices:
        thread.accept(result(index=index, time_s=index / 30))
    eventually(lambda: thread.status().frames >= before + len(indices))


def remove(folder: Path, what: str) -> None:
    if what == "folder":
        shutil.rmtree(folder)
    elif what == "folder moved":
        folder.rename(folder.with_name("moved"))
    else:
        (folder / what).unlink()


@needs_posix
@pytest.mark.parametrize("what", ["folder", "folder moved", "clip.mp4.part", "clip.jsonl.part"])
@pytest.mark.parametrize("frames_come", [True, False])
def test_removed_files_are_reported_and_saved_again_and_recording_continues(
    tmp_path, what, frames_come
):
    folder, fallback = tmp_path / "recordings", tmp_path / "fallback"
    thread = start(folder, fallback=fallback)
    give(thread, range(10))
    remove(folder, what)
    if frames_come:
        give(thread, range(10, 15))
    eventually(lambda: bool(thread.status().notices))  # without a frame too
    (notice,) = thread.status().notices
    home = fallback if "folder" in what else folder
    assert "was removed or moved" in notice and str(home) in notice
    give(thread, range(15, 20))
    thread.stop()
    status = thread.status()
    assert (status.state, status.failure) == (RecorderState.FINISHED, None)
    videos = [path for path in status.paths if path.suffix == ".mp4"]
    assert all(path.parent == home for path in videos)
    assert sum(len(read_video(path).times_s) for path in videos) == status.frames
    lines = [path.read_text().splitlines()[1:] for path in status.paths if path.suffix == ".jsonl"]
    indices = [json.loads(line)["index"] for each in lines for line in each]
    assert indices == [*range(15 if frames_come else 10), *range(15, 20)]


@needs_posix
def test_without_a_fallback_the_recording_ends_and_its_content_comes_back(tmp_path):
    thread = start(tmp_path / "out", "video")
    give(thread, range(5))
    shutil.rmtree(tmp_path / "out")
    thread.join(TIMEOUT_S)
    status = thread.status()
    assert status.state is RecorderState.FAILED
    assert "clip.mp4.part was removed or moved" in (status.failure or "")
    assert len(read_video(tmp_path / "out" / "clip.mp4").times_s) == 5


@needs_posix
@pytest.mark.parametrize("what", ["folder", "clip_yolo"])
def test_data_set_that_was_removed_continues_in_another(tmp_path, what):
    folder, fallback = tmp_path / "recordings", tmp_path / "fallback"
    thread = start(folder, "video", "yolo", fallback=fallback)
    give(thread, range(3))
    shutil.rmtree(folder if what == "folder" else folder / what)
    give(thread, range(3, 6))
    thread.stop()
    status = thread.status()
    assert status.failure is None
    *others, notice = status.notices
    assert "clip_yolo was removed or moved" in notice and "aren't saved again" in notice
    assert [("clip.mp4.part" in other) for other in others] == [True] * (what == "folder")
    (data_set,) = (path for path in status.paths if path.is_dir())
    assert len(list(data_set.rglob("*.jpg"))) == 3 and (data_set / "data.yaml").is_file()
    assert all(path.exists() for path in status.paths)


class DeadDisk:
    """A disk that never reports its free space, such as a network folder that is gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers = threading.Event()
        self._usage = shutil.disk_usage
        monkeypatch.setattr(files.shutil, "disk_usage", self._ask)

    def _ask(self, path: Path) -> object:
        assert self.answers.wait(TIMEOUT_S)
        return self._usage(path)


@pytest.fixture
def dead_disk(monkeypatch: pytest.MonkeyPatch):
    disk = DeadDisk(monkeypatch)
    yield disk
    disk.answers.set()


def test_folder_that_does_not_answer_is_reported_and_blocks_no_thread(tmp_path, dead_disk):
    segment = SegmentOptions(("video",), HEADER, limits=SpaceLimits(to_start=0, to_continue=0))
    options = RecorderOptions("clip", lossless=True, patience_s=0.01, segment=segment, queue_size=1)
    thread = RecorderThread(tmp_path, info(), options, render=plain)
    thread.start()
    leases = [CountedLease() for _ in range(5)]
    for index, lease in enumerate(leases):
        thread.accept(result(index=index, time_s=index / 30, lease=lease))
    eventually(lambda: thread.status().disk_silence_s > SILENT_S)
    assert thread.status().state is RecorderState.OPENING
    thread.finish()
    assert not thread.wait(0.01)
    dead_disk.answers.set()
    assert thread.wait(TIMEOUT_S)
    assert (thread.status().frames, thread.status().disk_silence_s) == (5, 0)
    assert [lease.holders for lease in leases] == [0] * 5


def test_recorder_that_makes_no_progress_loses_frames_and_counts_them(tmp_path):
    entered, may_go_on = threading.Event(), threading.Event()

    def hang(one: FrameResult, _style: OverlayStyle) -> ImageArray:
        entered.set()
        assert may_go_on.wait(TIMEOUT_S)
        return one.frame.bgr

    thread = start(tmp_path, "video", render=hang, patience_s=0.01, queue_size=1)
    thread.accept(result())
    assert entered.wait(TIMEOUT_S)
    for index in range(1, 6):
        thread.accept(result(index=index, time_s=index / 30))
    assert thread.status().dropped == 4
    may_go_on.set()
    thread.stop()
    assert thread.status().frames == 2


@pytest.mark.parametrize("error", [SystemExit(3), MemoryError(), KeyboardInterrupt()])
def test_error_of_any_kind_ends_the_recording_and_is_reported(tmp_path, error):
    def fail(one: FrameResult, _style: OverlayStyle) -> ImageArray:
        if one.frame.index == 3:
            raise error
        return one.frame.bgr

    thread = start(tmp_path, "video", render=fail)
    for index in range(5):
        thread.accept(result(index=index, time_s=index / 30))
    thread.join(TIMEOUT_S)
    status = thread.status()
    assert status.state is RecorderState.FAILED
    assert "Recording stopped: " in (status.failure or "")
    assert len(read_video(tmp_path / "clip.mp4").times_s) == 3


def test_error_while_files_are_finished_is_reported(tmp_path, monkeypatch):
    thread = start(tmp_path, "video")
    give(thread, range(3))

    def fail(*_: object) -> None:
        raise SystemExit(4)

    monkeypatch.setattr(parts.Part, "publish", fail)
    thread.finish()
    thread.join(TIMEOUT_S)
    assert thread.status().state is RecorderState.FAILED


def test_result_that_cannot_be_written_ends_the_recording_in_words(tmp_path):
    header = ResultHeader("\udce9t\udce9.mp4", "fake", ("thing",))  # as in old archives
    limits = SpaceLimits(to_start=0, to_continue=0)
    segment = SegmentOptions(("video", "jsonl"), header, limits=limits)
    thread = RecorderThread(
        tmp_path, info(), RecorderOptions("clip", segment=segment), render=plain
    )
    thread.start()
    thread.accept(result())
    thread.stop()
    status = thread.status()
    assert status.failure is None or "clip.jsonl.part is incomplete" in status.failure
    assert (tmp_path / "clip.mp4").exists()


def test_finished_parts_keep_neither_threads_nor_encoders(tmp_path):
    thread = start(tmp_path, "video")
    give(thread, range(3))
    before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
    for number in range(1, 6):
        thread.split()
        give(thread, range(3 * number, 3 * number + 3))
    eventually(lambda: len(list(tmp_path.glob("*.part"))) == 1)
    if before:
        eventually(lambda: len(os.listdir("/proc/self/task")) <= before)
    thread.stop()
    assert len(thread.status().paths) == 6


def test_recording_without_a_frame_is_shown_as_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr("kpviewer.recording.recorder._IDLE_S", 0.05)
    thread = start(tmp_path, "video")
    eventually(lambda: thread.status().is_waiting)
    thread.pause()
    assert not thread.status().is_waiting  # the user paused it
    thread.stop()
    assert not thread.status().is_waiting
