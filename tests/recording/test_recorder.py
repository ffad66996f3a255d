import csv
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, eventually
from sample_results import GREY, CountedLease, detections, ground_truth, info, read_video, result

from kpviewer.overlay import OverlayStyle
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_status import RecorderState
from kpviewer.recording.results import ResultHeader
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.space import SpaceLimits
from kpviewer.structures import FrameResult, ImageArray

STEMS = ("clip", "clip_2", "clip_3")
HEADER = ResultHeader("clip.mp4", "fake", ("thing",))


def plain(one: FrameResult, _style: OverlayStyle) -> ImageArray:
    return one.frame.bgr


class Gate:
    """A renderer that waits until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, one: FrameResult, style: OverlayStyle) -> ImageArray:
        self.entered.set()
        assert self.open.wait(TIMEOUT_S)
        return plain(one, style)


def no_limits(free_mb: int = 5000) -> SpaceLimits:
    return SpaceLimits(measure=lambda _: free_mb * 1024 * 1024)


def options(**given: object) -> RecorderOptions:
    segment = SegmentOptions(
        given.pop("outputs", ("video",)), HEADER, limits=given.pop("limits", no_limits())
    )
    return RecorderOptions(**{"stem": "clip", "segment": segment, **given})


def recorder(folder: Path, *, render: object = plain, live: bool = True, **given: object):
    thread = RecorderThread(folder, info(is_live=live), options(**given), render=render)
    thread.start()
    return thread


def test_ten_seconds_of_capture_make_a_file_of_ten_seconds(tmp_path):
    thread = recorder(tmp_path, lossless=True)
    for index in range(101):
        thread.accept(result(index=index, time_s=100 + index / 10))
    path = thread.stop()
    assert path == tmp_path / "clip.mp4"
    facts = read_video(path)
    assert len(facts.times_s) == 101
    assert facts.times_s[-1] == pytest.approx(10.0, abs=0.001)
    status = thread.status()
    assert status.state is RecorderState.FINISHED
    assert (status.frames, status.dropped, status.failure) == (101, 0, None)
    assert status.bytes == path.stat().st_size


def test_each_file_has_the_results_of_one_model_under_its_names(tmp_path):
    first = replace(FAKE_SPEC, name="fake", class_names=("thing",))
    other = replace(FAKE_SPEC, name="other", class_names=("tram",))
    styles: list[OverlayStyle] = []

    def render(one: FrameResult, style: OverlayStyle) -> ImageArray:
        styles.append(style)
        return one.frame.bgr

    thread = recorder(tmp_path, render=render, lossless=True, outputs=("video", "csv", "voc"))
    found = detections([(1, 2, 30, 40)])
    for index, spec in enumerate((first, first, other, other, first)):
        one = result(found, index=index, time_s=index / 30)
        thread.accept(replace(one, spec=spec, thresholds=spec.thresholds))
    thread.stop()
    names = []
    for path in sorted(tmp_path.glob("*.csv")):
        rows = csv.DictReader(path.read_text("utf-8").splitlines())
        names.append([row["class"] for row in rows])
    assert names == [["thing"] * 2, ["tram"] * 2, ["thing"]]
    texts = [path.read_text("utf-8") for path in sorted(tmp_path.rglob("*.xml"))]
    assert [[name in text for name in ("thing", "tram")] for text in texts] == [
        *[[False, True]] * 2,
        [True, False],
        *[[True, False]] * 2,
    ]
    assert [style.class_names for style in styles] == [
        *[("thing",)] * 2,
        *[("tram",)] * 2,
        ("thing",),
    ]
    status = thread.status()
    assert (status.frames, status.dropped, status.failure) == (5, 0, None)
    assert status.notices == (
        "Another model: results of other are in files of their own.",
        "Another model: results of fake are in files of their own.",
    )


def test_a_model_that_returns_has_the_categories_of_the_ground_truth_again(tmp_path):
    first = replace(FAKE_SPEC, name="fake", class_names=("thing",))
    other = replace(FAKE_SPEC, name="other", class_names=("tram",))
    header = replace(HEADER, category_ids={0: 7})
    segment = SegmentOptions(("video", "coco"), header, limits=no_limits())
    given = RecorderOptions(stem="clip", segment=segment, lossless=True)
    thread = RecorderThread(tmp_path, info(), given, render=plain)
    truth = replace(ground_truth((1, 2, 30, 40), (5, 5)), image_id=3)
    thread.start()
    for index, spec in enumerate((first, other, first)):
        one = result(detections([(1, 2, 30, 40)]), index=index, time_s=index / 30, targets=truth)
        thread.accept(replace(one, spec=spec, thresholds=spec.thresholds))
    thread.stop()
    files = [json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in STEMS]
    ids = [[entry["category_id"] for entry in entries] for entries in files]
    assert ids == [[7], [1], [7]]


def test_newest_frame_is_dropped_and_counted_when_too_many_wait(tmp_path):
    gate = Gate()
    thread = recorder(tmp_path, render=gate, queue_size=2)
    thread.accept(result(index=0))
    assert gate.entered.wait(TIMEOUT_S)  # the first is at work, two may wait
    leases = [CountedLease() for _ in range(5)]
    for index, lease in enumerate(leases, 1):
        thread.accept(result(index=index, time_s=index, lease=lease))
    assert [lease.holders for lease in leases] == [1, 1, 0, 0, 0]
    assert thread.status().dropped == 3
    gate.open.set()
    thread.stop()
    assert thread.status().frames == 3
    assert [lease.holders for lease in leases] == [0] * 5


def test_lossless_recorder_makes_the_pipeline_wait(tmp_path):
    gate = Gate()
    thread = recorder(tmp_path, render=gate, lossless=True, queue_size=1)
    feeder = threading.Thread(
        target=lambda: [thread.accept(result(index=i, time_s=i / 30)) for i in range(20)]
    )
    feeder.start()
    assert gate.entered.wait(TIMEOUT_S)
    assert feeder.is_alive()
    gate.open.set()
    feeder.join(TIMEOUT_S)
    thread.stop()
    assert (thread.status().frames, thread.status().dropped) == (20, 0)


def test_disk_that_fails_ends_the_recording_and_not_the_pipeline(tmp_path):
    images = [np.full((48, 64, 3), 99, np.uint8), np.zeros((0, 0, 3), np.uint8)]
    thread = recorder(tmp_path, render=lambda one, _: images[one.frame.index], lossless=True)
    lease = CountedLease()
    thread.accept(result(index=0))
    thread.accept(result(index=1, time_s=1, lease=lease))
    thread.join(TIMEOUT_S)
    thread.accept(result(index=2, time_s=2, lease=lease))  # ignored, doesn't wait
    status = thread.status()
    assert status.state is RecorderState.FAILED
    assert status.failure is not None and "Recording stopped" in status.failure
    assert thread.stop() == tmp_path / "clip.mp4"
    assert len(read_video(tmp_path / "clip.mp4").times_s) == 1
    assert lease.holders == 0


def test_error_of_the_renderer_is_kept_for_the_user(tmp_path):
    def fail(*_: object) -> ImageArray:
        raise RuntimeError("no paint left")

    thread = recorder(tmp_path, render=fail)
    lease = CountedLease()
    thread.accept(result(lease=lease))
    thread.join(TIMEOUT_S)
    assert "no paint left" in (thread.status().failure or "")
    assert lease.holders == 0
    assert list(tmp_path.iterdir()) == []


def test_too_little_space_is_reported_at_the_start(tmp_path):
    thread = recorder(tmp_path, limits=no_limits(free_mb=10))
    thread.join(TIMEOUT_S)
    assert "needs 1024 MB of free space, got 10 MB" in (thread.status().failure or "")
    assert thread.status().state is RecorderState.FAILED
    assert thread.stop() is None
    assert list(tmp_path.iterdir()) == []


def test_stop_without_a_frame_leaves_no_file(tmp_path):
    thread = recorder(tmp_path)
    assert thread.stop() is None
    assert thread.status().state is RecorderState.FINISHED
    assert list(tmp_path.iterdir()) == []


def test_stop_twice_returns_the_same_path(tmp_path):
    thread = recorder(tmp_path)
    thread.accept(result())
    assert thread.stop() == thread.stop() == tmp_path / "clip.mp4"


def test_two_recorders_of_one_second_have_two_names(tmp_path):
    threads = [recorder(tmp_path), recorder(tmp_path)]
    for thread in threads:
        thread.accept(result())
    names = [thread.stop() for thread in threads]
    assert sorted(names) == [tmp_path / "clip.mp4", tmp_path / "clip_2.mp4"]


def test_pause_and_seek_back_while_recording_keep_time_running_forward(tmp_path):
    thread = recorder(tmp_path, live=False, lossless=True)
    for index, captured_s in ((50, 1.0), (51, 1.1), (10, 31.1), (11, 31.2)):  # sought after 30 s
        thread.accept(result(index=index, time_s=captured_s))
    path = thread.stop()
    assert path is not None
    assert read_video(path).times_s == pytest.approx([0, 0.1, 1.1, 1.2], abs=0.001)


def test_style_can_change_while_recording(tmp_path):
    seen: list[OverlayStyle] = []
    painted = threading.Event()

    def note(one: FrameResult, style: OverlayStyle) -> ImageArray:
        seen.append(style)
        painted.set()
        return plain(one, style)

    thread = recorder(tmp_path, render=note)
    thread.accept(result())
    assert painted.wait(TIMEOUT_S)
    thread.set_style(OverlayStyle(scores=False))
    thread.accept(result(index=1, time_s=1))
    thread.stop()
    assert [style.scores for style in seen] == [True, False]


@pytest.mark.usefixtures("qapp")
def test_boxes_are_painted_into_the_file(tmp_path):
    thread = RecorderThread(tmp_path, info(), options())
    thread.start()
    thread.accept(result(detections([(20, 20, 50, 40)]), size_hw=(64, 96)))
    path = thread.stop()
    assert path is not None
    pixels = read_video(path).pixels[0].astype(int)
    assert np.abs(pixels[30, 20] - GREY).max() > 40
    assert np.abs(pixels[30, 80] - GREY).max() < 8


def test_raw_video_has_no_overlay_and_both_have_the_same_frames(tmp_path, qapp):
    segment = SegmentOptions(("video", "raw"), HEADER, limits=no_limits())
    thread = RecorderThread(tmp_path, info(), options(segment=segment, lossless=True))
    thread.start()
    for index in range(5):
        box = detections([(20, 20, 50, 40)])
        thread.accept(result(box, index=index, time_s=index / 10, size_hw=(64, 96)))
    thread.stop()
    annotated, raw = thread.status().paths
    assert (annotated.name, raw.name) == ("clip.mp4", "clip_raw.mp4")
    assert read_video(annotated).times_s == read_video(raw).times_s
    assert np.abs(read_video(raw).pixels.astype(int) - GREY).max() < 8
    assert np.abs(read_video(annotated).pixels[0, 30, 20].astype(int) - GREY).max() > 40


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("kind", ["video", "raw", "voc", "yolo"])
def test_anonymised_boxes_are_hidden_in_every_output(tmp_path, kind):
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::2] = 255  # of one colour each, once their mean is taken
    segment = SegmentOptions((kind,), HEADER, limits=no_limits())
    style = OverlayStyle(anonymise=True, boxes=False, labels=False, scores=False)
    thread = RecorderThread(tmp_path, info(), options(segment=segment, style=style, lossless=True))
    thread.start()
    thread.accept(result(detections([(24, 24, 72, 72)]), bgr=stripes.copy()))
    thread.stop()
    (path,) = thread.status().paths
    if path.is_dir():
        path = next(path.rglob("*.jpg"))
    pixels = read_video(path).pixels[0].astype(int)
    assert np.ptp(pixels[28:68, 28:68]) < 40  # only the ramp of the compression is left
    assert np.ptp(pixels[28:68, :10]) > 150  # beside the box it is as it was


def test_no_buffer_is_held_by_what_is_written_without_an_overlay(tmp_path):
    thread = recorder(tmp_path, outputs=("raw", "yolo"), lossless=True)
    bgr = np.full((48, 64, 3), 200, np.uint8)
    held = CountedLease()

    class Overwriting(CountedLease):
        """A buffer that gets another frame as soon as it is free."""

        def release(self) -> None:
            super().release()
            bgr[:] = 0

    lease = Overwriting()
    thread.accept(result(bgr=bgr, lease=lease))
    thread.accept(result(index=1, time_s=1, lease=held))
    thread.stop()
    assert (lease.holders, held.holders) == (0, 0)
    raw = next(path for path in thread.status().paths if path.suffix == ".mp4")
    assert np.abs(read_video(raw).pixels[0].astype(int) - 200).max() < 8


def test_pause_leaves_frames_out_and_no_gap_in_time(tmp_path):
    thread = recorder(tmp_path, lossless=True)
    for index in range(3):
        thread.accept(result(index=index, time_s=index / 10))
    thread.pause()
    thread.accept(result(index=3, time_s=0.3))
    assert thread.status().is_paused
    thread.resume()
    for index in range(4, 6):
        thread.accept(result(index=index, time_s=60 + index / 10))
    path = thread.stop()
    assert path is not None
    # The source's nominal rate is 30 fps: the first frame after the pause follows by 1/30 s.
    expected = [0, 0.1, 0.2, 0.2 + 1 / 30, 0.3 + 1 / 30]
    assert read_video(path).times_s == pytest.approx(expected, abs=0.001)


def test_split_loses_no_frame_and_each_file_begins_at_zero(tmp_path):
    thread = recorder(tmp_path, outputs=("video", "jsonl"), lossless=True)
    for index in range(10):
        if index in (4, 7):
            thread.split()
        thread.accept(result(index=index, time_s=5 + index / 10))
    thread.stop()
    status = thread.status()
    assert (status.frames, status.failure) == (10, None)
    videos = [path for path in status.paths if path.suffix == ".mp4"]
    assert [path.name for path in videos] == ["clip.mp4", "clip_2.mp4", "clip_3.mp4"]
    lengths_s = [read_video(path).duration_s for path in videos]
    assert status.seconds == pytest.approx(sum(lengths_s), abs=0.001)
    # each to the end of its last frame, at the source's nominal 30 fps
    assert status.seconds == pytest.approx(0.3 + 0.2 + 0.2 + 3 / 30, abs=0.001)
    times = [read_video(path).times_s for path in videos]
    assert [len(each) for each in times] == [4, 3, 3]
    assert times[1] == pytest.approx([0, 0.1, 0.2], abs=0.001)
    lines = [path.with_suffix(".jsonl").read_text().splitlines() for path in videos]
    indices = [[json.loads(line)["index"] for line in each[1:]] for each in lines]
    assert indices == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_live_frames_that_come_while_a_split_opens_the_next_file_are_kept(tmp_path):
    gate = Gate()
    thread = recorder(tmp_path, render=gate, queue_size=1)
    thread.accept(result(index=0))
    assert gate.entered.wait(TIMEOUT_S)
    thread.split()
    leases = [CountedLease() for _ in range(20)]
    for index, lease in enumerate(leases, 1):
        thread.accept(result(index=index, time_s=index / 30, lease=lease))
    assert sum(lease.holders for lease in leases) == 1  # the others are copies
    gate.open.set()
    thread.stop()
    assert (thread.status().frames, thread.status().dropped) == (21, 0)
    assert len(read_video(tmp_path / "clip_2.mp4").times_s) == 20


def test_split_before_the_first_frame_and_at_the_end_makes_no_empty_file(tmp_path):
    thread = recorder(tmp_path, lossless=True)
    thread.split()
    thread.accept(result())
    thread.split()
    thread.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_disk_that_fills_at_a_split_ends_the_recording_with_what_there_is(tmp_path):
    free_mb = [5000]
    limits = SpaceLimits(measure=lambda _: free_mb[0] * 1024 * 1024)
    thread = recorder(tmp_path, lossless=True, limits=limits)
    eventually(lambda: thread.status().state is RecorderState.RECORDING)
    thread.accept(result())
    free_mb[0] = 10
    thread.split()
    thread.join(TIMEOUT_S)
    assert "10 MB" in (thread.status().failure or "")
    assert thread.stop() == tmp_path / "clip.mp4"


def test_names_of_a_recording_are_free_for_all_its_files(tmp_path):
    (tmp_path / "clip_raw.mp4").touch()
    (tmp_path / "clip_2_yolo").mkdir()
    thread = recorder(tmp_path, outputs=("video", "raw", "yolo"), lossless=True)
    thread.accept(result())
    thread.stop()
    names = [path.name for path in thread.status().paths]
    assert names == ["clip_3.mp4", "clip_3_raw.mp4", "clip_3_yolo"]


def test_entries_that_the_coco_files_leave_out_are_reported_at_the_end(tmp_path):
    segment = SegmentOptions(("coco",), replace(HEADER, category_ids={0: 90}), limits=no_limits())
    thread = recorder(tmp_path, segment=segment)
    thread.accept(result(detections([(1, 2, 3, 4)])))  # no ground truth has this frame
    thread.stop()
    (notice,) = thread.status().notices
    assert "images that the ground truth doesn't have: 1, the first is 0" in notice
