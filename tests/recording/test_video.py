import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from sample_results import read_video

from kpviewer.errors import RecordingError
from kpviewer.recording import parts
from kpviewer.recording.parts import reserve
from kpviewer.recording.reasons import reason_of
from kpviewer.recording.video import VideoOptions, VideoWriter
from kpviewer.structures import ImageArray


def image(number: int, size_hw: tuple[int, int] = (48, 64)) -> ImageArray:
    """Grey steps that survive the encoder."""
    return np.full((*size_hw, 3), 20 + 10 * (number % 20), np.uint8)


def writer(folder: Path, **options: object) -> VideoWriter:
    return VideoWriter(reserve(folder, "clip", ".mp4"), 30.0, VideoOptions(**options))


def finished(video: VideoWriter) -> Path:
    video.close()
    assert video.path is not None
    return video.path


def test_ten_seconds_of_stamps_make_a_file_of_ten_seconds(tmp_path):
    video = writer(tmp_path)
    for number in range(300):
        video.write(image(number), number / 30)
    facts = read_video(finished(video))
    assert len(facts.times_s) == 300
    assert facts.duration_s == pytest.approx(10.0, abs=0.001)


def test_uneven_stamps_are_kept_to_the_millisecond(tmp_path):
    stamps = [0.0, 0.033, 0.5, 0.512, 2.0, 4.25]
    video = writer(tmp_path)
    for number, time_s in enumerate(stamps):
        video.write(image(number), time_s)
    assert read_video(finished(video)).times_s == pytest.approx(stamps, abs=1e-4)


def test_stamps_that_stand_still_or_go_back_still_increase(tmp_path):
    video = writer(tmp_path)
    for number, time_s in enumerate([0.0, 0.1, 0.1, 0.05, 0.2]):
        video.write(image(number), time_s)
    times_s = read_video(finished(video)).times_s
    assert len(times_s) == 5 and (np.diff(times_s) > 0).all()


def test_there_is_a_key_frame_each_second_at_any_rate(tmp_path):
    video = writer(tmp_path)
    for number in range(40):  # 8 fps from a camera that promises 30
        video.write(image(number), number / 8)
    assert read_video(finished(video)).key_times_s == pytest.approx([0, 1, 2, 3, 4])


def test_odd_sizes_are_padded_with_their_last_row_and_column(tmp_path):
    bgr = image(0, (47, 63))
    bgr[:, 40:] = 200
    video = writer(tmp_path)
    video.write(bgr, 0.0)
    facts = read_video(finished(video))
    assert facts.size_wh == (64, 48)
    assert abs(int(facts.pixels[0, -1, -1, 1]) - 200) < 6


@pytest.mark.parametrize("size_hw", [(2, 2), (17, 33), (50, 62), (51, 61), (720, 1280)])
def test_every_size_comes_back_whole(tmp_path, size_hw):
    bgr = np.full((*size_hw, 3), (40, 60, 200), np.uint8)
    video = writer(tmp_path)
    video.write(bgr, 0.0)
    (pixels,) = read_video(finished(video)).pixels
    assert pixels.shape[:2] == tuple(side + side % 2 for side in size_hw)
    assert np.abs(pixels.astype(int) - (40, 60, 200)).max() <= 6


def test_image_of_another_size_is_fitted_between_black_borders(tmp_path):
    video = writer(tmp_path)
    video.write(np.full((48, 64, 3), 200, np.uint8), 0.0)
    video.write(np.full((96, 64, 3), 200, np.uint8), 1.0)  # 24 wide when 48 high
    second = read_video(finished(video)).pixels[1]
    assert abs(int(second[24, 32, 1]) - 200) < 6
    assert second[24, 5].max() < 12 and second[24, 58].max() < 12


@pytest.mark.parametrize("color", [(40, 60, 200), (200, 120, 30), (30, 200, 60)])
@pytest.mark.parametrize("fourth", [(), (7,)], ids=["BGR", "BGRA"])
def test_colours_come_back(tmp_path, color, fourth):
    video = writer(tmp_path)
    video.write(np.full((64, 64, 3 + len(fourth)), (*color, *fourth), np.uint8), 0.0)
    pixel = read_video(finished(video)).pixels[0, 32, 32]
    assert np.abs(pixel.astype(int) - color).max() <= 6  # limited range and 4:2:0 cost that much


def test_file_is_an_ordinary_h264_mp4(tmp_path):
    video = writer(tmp_path)
    video.write(image(0), 0.0)
    with av.open(str(finished(video))) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.frames == 1  # written by the index at the end, not by fragments


def test_mpeg4_stands_in_for_h264(tmp_path):
    video = writer(tmp_path, codec="mpeg4")
    for number in range(30):
        video.write(image(number), number / 30)
    facts = read_video(finished(video))
    assert len(facts.times_s) == 30
    assert facts.duration_s == pytest.approx(1.0, abs=0.001)


@pytest.mark.skipif("libx265" not in av.codecs_available, reason="FFmpeg lacks x265")
def test_size_that_the_encoder_refuses_is_reported_and_leaves_no_file(tmp_path):
    video = writer(tmp_path, codec="libx265")
    with pytest.raises(RecordingError, match=r"H.265 can't encode 6x4 px .* another encoder"):
        video.write(image(0, (4, 5)), 0.0)
    video.close()
    assert list(tmp_path.iterdir()) == []


def test_without_an_image_no_file_is_left(tmp_path):
    video = writer(tmp_path)
    video.close()
    assert video.path is None
    assert list(tmp_path.iterdir()) == []


def test_close_twice_is_close_once(tmp_path):
    video = writer(tmp_path)
    video.write(image(0), 0.0)
    path = finished(video)
    assert finished(video) == path
    assert [each.name for each in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.skipif(os.name == "nt", reason="open files can't be removed there")
def test_folder_that_vanished_comes_back_with_all_that_was_written(tmp_path):
    folder = tmp_path / "gone"
    video = writer(folder)
    video.write(image(0), 0.0)
    next(folder.iterdir()).unlink()
    folder.rmdir()
    video.write(image(1), 0.1)
    assert len(read_video(finished(video)).times_s) == 2
    assert [path.name for path in folder.iterdir()] == ["clip.mp4"]


def test_full_disk_is_reported_in_words():
    assert "disk is full" in reason_of(OSError(28, "No space left on device"))
    assert "Permission denied" in reason_of(PermissionError(13, "Permission denied"))


WRITE = """
import signal, sys, resource
import numpy as np
from pathlib import Path
from kpviewer.errors import RecordingError
from kpviewer.errors import RecordingError
from kpviewer.recording import parts
from kpviewer.recording.parts import reserve
from kpviewer.recording.video import VideoOptions, VideoWriter

folder, task = Path(sys.argv[1]), sys.argv[2]
video = VideoWriter(reserve(folder, "clip", ".mp4"), 30.0, VideoOptions())
noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
if task == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    for number in range(200):
        video.write(np.roll(noise, number, 1), number / 30)
except RecordingError as error:
    print(video.frames, error, flush=True)
if task == "kill":
    print("written", flush=True)
    sys.stdin.read()
try:
    video.close()
except RecordingError as error:
    print(error, flush=True)
"""


def test_killed_after_200_frames_at_least_190_can_be_played(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(tmp_path), "kill"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    assert [each.name for each in tmp_path.iterdir()] == ["clip.mp4.part"]
    assert len(read_video(tmp_path / "clip.mp4.part").times_s) >= 190


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on file sizes")
def test_full_disk_is_reported_and_leaves_a_file_that_can_be_played(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path), "full"],
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
        env={**os.environ},
    )
    count, message = done.stdout.splitlines()[0].split(" ", 1)
    assert "the disk is full. Free space or choose another folder." in message
    assert 10 < int(count) < 200
    # The encoder's last fragment, 0.2 s, may be cut.
    assert len(read_video(tmp_path / "clip.mp4").times_s) >= int(count) - 6


def test_a_disk_that_fills_in_the_index_of_a_fragment_leaves_those_before(tmp_path, monkeypatch):
    part = reserve(tmp_path, "whole", ".mp4")
    whole = VideoWriter(part, 30.0, VideoOptions())
    for number in range(30):
        whole.write(image(number), number / 30)
    room = part.path.read_bytes().rfind(b"mdat") - 9
    whole.close()
    written_by_system = os.write

    def write(descriptor: int, data: bytes) -> int:
        left = room - os.lseek(descriptor, 0, os.SEEK_CUR)
        if left <= 0:
            raise OSError(28, "No space left on device")
        return written_by_system(descriptor, bytes(data)[:left])

    video = VideoWriter(reserve(tmp_path, "clip", ".mp4"), 30.0, VideoOptions())
    monkeypatch.setattr(parts.os, "write", write)
    with pytest.raises(RecordingError, match="the disk is full"):
        for number in range(60):
            video.write(image(number), number / 30)
    with pytest.raises(RecordingError, match="The end of"):
        video.close()
    assert len(read_video(tmp_path / "clip.mp4").times_s) >= 18


def test_frames_after_a_night_without_signal_keep_their_times(tmp_path):
    video = writer(tmp_path)
    night_s = 30 * 3600.0
    for number, time_s in enumerate((0.0, 0.04, night_s, night_s + 0.04)):
        video.write(image(number), time_s)
    assert video.frames == 4
    times_s = read_video(finished(video)).times_s
    assert times_s[:2] == pytest.approx([0, 0.04])
    assert times_s[-2:] == pytest.approx([night_s, night_s + 0.04])
    assert len(times_s) == 4 + 3  # the last image before is written again every 8 h
