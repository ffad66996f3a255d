import threading
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import TIMEOUT_S
from sample_results import CountedLease, detections, info, read_video, result

from kpviewer.overlay import OverlayStyle
from kpviewer.recording import preroll as module
from kpviewer.recording.preroll import PreRoll, RecordingMark
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.space import SpaceLimits
from kpviewer.structures import FrameResult, ImageArray


class List:
    """Takes frames."""

    def __init__(self) -> None:
        self.is_paused = False
        self.frames: list[FrameResult] = []

    def accept(self, one: FrameResult) -> None:
        self.frames.append(one)


@pytest.fixture
def keep():
    """Make pre-rolls; their threads end with the test."""
    made: list[PreRoll] = []

    def make(seconds: float, **given: int) -> PreRoll:
        made.append(PreRoll(seconds, **given))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


def give(preroll: PreRoll, indices: range, fps: float = 10.0, **given: object) -> None:
    """Give frames one by one, each once the one before is compressed."""
    for index in indices:
        done = threading.Event()

        class Lease(CountedLease):
            def release(self, done: threading.Event = done) -> None:
                super().release()
                done.set()

        preroll.accept(result(index=index, time_s=index / fps, lease=Lease(), **given))
        assert done.wait(TIMEOUT_S)


def taken(preroll: PreRoll, taker: List) -> list[int]:
    found = []
    for item in preroll.begin(taker):
        assert not isinstance(item, RecordingMark)
        found.append(item.frame.index)
    return found


def test_the_last_seconds_are_kept_and_hold_no_buffer(keep):
    preroll = keep(1.0)
    give(preroll, range(31))  # each waits until its buffer is free
    assert taken(preroll, List()) == list(range(20, 31))


def test_kept_frames_come_back_with_their_detections_and_nearly_their_pixels(keep):
    preroll = keep(5)
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    bgr = np.repeat(np.tile(ramp, (48, 1))[..., None], 3, axis=2)
    preroll.accept(result(detections([(1, 2, 30, 40)]), bgr=bgr, index=4, time_s=2.0))
    item = next(preroll.begin(List()))
    assert isinstance(item, FrameResult)
    assert (item.frame.index, item.frame.position_s, item.frame.lease) == (4, 2.0, None)
    assert item.detections.xyxy.tolist() == [[1, 2, 30, 40]]
    assert np.abs(item.frame.bgr.astype(int) - bgr).max() < 12  # JPEG of quality 90


def test_memory_is_bounded_whatever_the_seconds(keep):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    preroll = keep(1000, most_bytes=30_000)
    give(preroll, range(40), bgr=noise)
    found = taken(preroll, List())
    assert found == list(range(found[0], 40))
    assert 3 < len(found) < 10  # a frame of noise takes more than 3,000 bytes


def test_frames_that_come_while_catching_up_follow_those_that_were_kept(keep):
    preroll, taker = keep(10), List()
    give(preroll, range(3))
    handed = preroll.begin(taker)
    assert next(handed).frame.index == 0
    give(preroll, range(3, 5))
    assert [next(handed).frame.index for _ in range(4)] == [1, 2, 3, 4]
    assert next(handed, None) is None
    preroll.accept(result(index=5, time_s=0.5))  # caught up: no detour
    assert [each.frame.index for each in taker.frames] == [5]
    preroll.end()
    give(preroll, range(6, 8))
    assert taken(preroll, List()) == [6, 7]
    assert len(taker.frames) == 1


def test_marks_keep_their_position_among_the_frames(keep):
    preroll, taker = keep(10), List()
    give(preroll, range(2))
    handed = preroll.begin(taker)
    assert preroll.put(RecordingMark.SPLIT)
    give(preroll, range(2, 3))
    taker.is_paused = True
    preroll.accept(result(index=3, time_s=0.3))
    taker.is_paused = False
    found = [next(handed, None) for _ in range(5)]
    assert [x if x in (None, RecordingMark.SPLIT) else x.frame.index for x in found] == [
        0, 1, RecordingMark.SPLIT, 2, None,
    ]  # fmt: skip
    assert not preroll.put(RecordingMark.CUT)


def record(folder: Path, preroll: PreRoll, *, is_live: bool = False) -> RecorderThread:
    """Start a recording of what is kept."""

    def plain(one: FrameResult, _style: OverlayStyle) -> ImageArray:
        return one.frame.bgr

    segment = SegmentOptions(limits=SpaceLimits(measure=lambda _: 10**12))
    options = RecorderOptions("clip", segment=segment)
    recorder = RecorderThread(folder, info(is_live=is_live), options, render=plain, preroll=preroll)
    recorder.start()
    return recorder


def test_recording_begins_with_the_kept_frames_and_loses_nothing(tmp_path, keep):
    preroll = keep(1.0)
    give(preroll, range(30))
    recorder = record(tmp_path, preroll)
    give(preroll, range(30, 40))
    path = recorder.stop()
    preroll.accept(result(index=40, time_s=4.0))  # for the next recording
    assert path is not None
    times = read_video(path).times_s
    # The oldest that is kept when the recording starts is that of 1.9 s, the last one has 3.9 s.
    assert len(times) == 21
    assert times == pytest.approx([index / 10 for index in range(21)], abs=0.001)
    assert recorder.status().dropped == 0


def test_recording_of_a_camera_that_was_lost_begins_without_what_is_long_gone(tmp_path, keep):
    preroll, now_s = keep(10.0), time.monotonic()
    for ago_s in (3600.0, 2.0):
        preroll.accept(result(index=0, time_s=now_s - ago_s))
        recorder = record(tmp_path, preroll, is_live=True)
        preroll.accept(result(index=1, time_s=now_s))
        path = recorder.stop()
        assert path is not None
        kept = [0.0] if ago_s == 3600 else [0.0, 2.0]
        assert read_video(path).times_s == pytest.approx(kept, abs=0.001)


def test_stop_ends_the_thread_and_lets_all_buffers_go(keep):
    preroll = keep(5)
    leases = [CountedLease() for _ in range(10)]
    for index, lease in enumerate(leases):
        preroll.accept(result(index=index, lease=lease))
    preroll.stop()
    assert not preroll.is_alive()
    assert [lease.holders for lease in leases] == [0] * 10
    preroll.accept(result(lease=leases[0]))  # ignored
    assert leases[0].holders == 0


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(1), RuntimeError("no JPEG")])
def test_frame_that_cannot_be_kept_is_lost_and_counted_and_the_recording_ends(
    tmp_path, keep, monkeypatch, error
):
    compress, calls = module.jpeg_of, iter(range(100))

    def fail_once(bgr: ImageArray, quality: int) -> bytes:
        if next(calls) == 3:
            raise error
        return compress(bgr, quality)

    monkeypatch.setattr(module, "jpeg_of", fail_once)
    preroll = keep(5.0)
    give(preroll, range(6))
    recorder = record(tmp_path, preroll)
    assert recorder.stop() is not None
    assert (recorder.status().frames, preroll.dropped) == (5, 1)


def test_kept_frame_that_cannot_be_restored_is_lost_and_counted(tmp_path, keep, monkeypatch):
    restore, calls = module.bgr_of_jpeg, iter(range(100))

    def fail_once(jpeg: bytes) -> ImageArray:
        if next(calls) == 2:
            raise MemoryError
        return restore(jpeg)

    monkeypatch.setattr(module, "bgr_of_jpeg", fail_once)
    preroll = keep(5.0)
    give(preroll, range(6))
    recorder = record(tmp_path, preroll)
    recorder.stop()
    assert (recorder.status().frames, recorder.status().failure, preroll.dropped) == (5, None, 1)
