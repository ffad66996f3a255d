"""Duration of videos, positions of frames, and choice among several streams."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import HEIGHT, WIDTH, buffer, numbered_image, read_number, write_from_raw, write_video

from kpviewer.errors import SourceError
from kpviewer.sources.opencv import cv2
from kpviewer.sources.video.container import DecoderOptions
from kpviewer.sources.video.decoding import Decoder
from kpviewer.sources.video.file import VideoSource
from kpviewer.sources.video.frame_index import FrameIndex


def read_all(source: VideoSource) -> tuple[list[int], list[float]]:
    numbers, positions = [], []
    while (captured := source.read(buffer)) is not None:
        numbers.append(read_number(captured.bgr))
        positions.append(captured.position_s)
    return numbers, positions


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_a_video_of_uneven_frame_rate_is_as_long_as_its_timestamps(tmp_path, name):
    times_ms = [*range(0, 1000, 20), *range(1000, 20_000, 500)]  # 50 fps, then 2 fps
    path = tmp_path / name
    write_video(path, times_ms=times_ms, options={"bf": "0"})
    source = VideoSource(path)
    info = source.open()
    assert info.frame_count == len(times_ms)
    assert info.duration_s == pytest.approx(
        20.0, abs=0.5
    )  # the length of the last frame isn't stated
    assert info.nominal_fps == pytest.approx(len(times_ms) / 20.0, rel=0.1)
    assert read_all(source)[1][-1] == pytest.approx(19.5)
    source.close()


def test_a_video_of_even_frame_rate_lasts_to_the_end_of_its_last_frame(video):
    source = VideoSource(video)
    info = source.open()
    assert info.frame_count is not None
    assert info.duration_s == pytest.approx(info.frame_count / 25)
    assert info.nominal_fps == 25.0
    source.close()


def joined(folder: Path, *counts: int) -> Path:
    """Concatenate transport streams that each begin at time 0."""
    data = b""
    for count in counts:
        part = folder / "part.ts"
        write_video(part, frames=count, options={"g": "10", "bf": "2"})
        data += part.read_bytes()
    whole = folder / "joined.ts"
    whole.write_bytes(data)
    return whole


def test_joined_files_have_continuous_times_and_are_seekable(tmp_path):
    path = joined(tmp_path, 40, 25, 60)
    source = VideoSource(path)
    info = source.open()
    numbers, positions = read_all(source)
    expected = [*range(40), *range(25), *range(60)]
    assert numbers == expected
    assert positions == pytest.approx([index / 25 for index in range(125)])
    assert info.frame_count == 125
    assert info.duration_s == pytest.approx(5.0, abs=0.1)
    for index in (70, 41, 0, 124, 64):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(captured.bgr) == expected[index]
        assert captured.position_s == pytest.approx(index / 25)
    source.close()


def test_joined_files_whose_decoding_times_are_uneven_are_as_long_as_their_parts(tmp_path):
    path = tmp_path / "film.mkv"
    write_video(path, frames=60, options={"g": "12", "bf": "2"})
    path.write_bytes(path.read_bytes() * 2)
    source = VideoSource(path)
    info = source.open()
    assert (info.frame_count, info.duration_s) == (120, pytest.approx(4.8))
    assert read_all(source)[1] == pytest.approx([index / 25 for index in range(120)])
    source.close()


def test_sound_that_appears_in_mid_broadcast_ends_nothing(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (24, 480, 640, 3), np.uint8)
    parts = []
    for has_sound in (False, True):
        path = tmp_path / f"{has_sound}.ts"
        with av.open(str(path), "w") as container:
            video = container.add_stream("mpeg2video", rate=25, options={"qmin": "1", "g": "12"})
            video.width, video.height, video.bit_rate = 640, 480, 60_000_000
            sound = container.add_stream("mp2", rate=48000) if has_sound else None
            for number, image in enumerate(noise[: 12 if has_sound else 24]):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                container.mux(video.encode(frame))
                if sound is not None:
                    silence = av.AudioFrame.from_ndarray(np.zeros((1, 3840), np.int16), "s16")
                    silence.sample_rate, silence.pts = 48000, number * 1920
                    container.mux(sound.encode(silence))
            container.mux(video.encode(None))
        parts.append(path.read_bytes())
    assert len(parts[0]) > 5_000_000  # FFmpeg looks for streams in as many bytes
    path = tmp_path / "broadcast.ts"
    path.write_bytes(parts[0] + parts[1] + parts[0])
    source = VideoSource(path)
    assert source.open().frame_count == 60
    frames = 0
    while source.read(buffer) is not None:
        frames += 1
    assert frames == 60
    source.close()


def test_a_break_in_a_broadcast_has_no_length(tmp_path):
    path = tmp_path / "film.ts"
    times_ms = [40 * index + (15_000 if index > 30 else 0) for index in range(60)]
    write_video(path, times_ms=times_ms, options={"bf": "2"}, rate=Fraction(1, 10))
    source = VideoSource(path)
    info = source.open()
    assert (info.frame_count, info.nominal_fps) == (60, 25.0)
    assert info.duration_s == pytest.approx(2.4)
    assert read_all(source)[1] == pytest.approx([index / 25 for index in range(60)])
    source.close()


def test_frames_of_a_cut_file_without_an_index_are_found_again(tmp_path):
    path = tmp_path / "film.mxf"
    write_video(path, codec="mpeg2video", options={"g": "12"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    source = VideoSource(path)
    source.open()
    numbers, _ = read_all(source)
    assert len(numbers) > 30
    for index in (25, 13, 30, 1):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(captured.bgr) == numbers[index]
    source.close()


def test_a_file_that_grew_while_it_was_read_is_seekable_to_its_end(tmp_path):
    path = tmp_path / "film.ts"
    write_video(path, options={"g": "12", "bf": "0"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 376 * 188])
    source = VideoSource(path)
    assert (source.open().frame_count or 0) < 40
    with path.open("ab") as file:
        file.write(data[len(data) // 376 * 188 :])
    assert read_all(source)[0] == list(range(60))
    source.seek(55)
    captured = source.read(buffer)
    assert captured is not None
    assert read_number(captured.bgr) == 55
    source.close()


def test_a_cut_avi_says_how_many_frames_it_had(tmp_path):
    path = tmp_path / "film.avi"
    write_video(path, codec="mpeg4", options={"g": "1"})
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b"idx1") * 6 // 10])
    source = VideoSource(path)
    source.open()
    count = len(read_all(source)[0])
    assert 20 < count < 45
    assert source.warning == f"ended early: {count} of 60 frames could be read"
    source.close()


@pytest.mark.parametrize(
    "name", ["film.mp4", "film.mkv", "film.flv", "film.mov", "film.ts", "film.avi"]
)
@pytest.mark.parametrize("b_frames", [0, 1, 3])
def test_a_film_made_from_raw_h264_has_its_frames_at_their_times(tmp_path, name, b_frames):
    path = tmp_path / name
    hidden = 2 if name == "film.mov" and b_frames else 0  # as FFmpeg's command writes it
    write_from_raw(path, b_frames, hidden=hidden, group=59 if b_frames == 1 else 12)
    source = VideoSource(path)
    assert source.open().duration_s == pytest.approx(2.4)
    numbers, positions = read_all(source)
    assert numbers == list(range(60))
    assert positions == pytest.approx([index / 25 for index in range(60)])
    for index in (59, 41, 7, 58, 23):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(captured.bgr) == index
        assert captured.position_s == pytest.approx(index / 25)
    source.close()


@pytest.mark.parametrize(("name", "bf"), [("film.mkv", "2"), ("film.flv", "0")])
def test_frames_before_time_0_count(tmp_path, name, bf):
    path = tmp_path / name
    times_ms = range(-1000, 1400, 40)
    muxer = {"avoid_negative_ts": "disabled"}
    write_video(path, times_ms=times_ms, options={"g": "12", "bf": bf}, muxer=muxer)
    source = VideoSource(path)
    info = source.open()
    assert (info.frame_count, info.nominal_fps) == (60, 25.0)
    assert info.duration_s == pytest.approx(2.4)
    numbers, positions = read_all(source)
    assert numbers == list(range(60))
    assert positions == pytest.approx([index / 25 for index in range(60)], abs=0.002)
    source.seek(30)
    captured = source.read(buffer)
    assert captured is not None
    assert read_number(captured.bgr) == 30
    source.close()


@pytest.mark.parametrize(("name", "codec"), [("film.h264", "libx264"), ("film.hevc", "libx265")])
def test_frames_without_any_time_are_counted(tmp_path, name, codec):
    path = tmp_path / name
    write_video(path, codec=codec, options={"g": "12", "bf": "2"})
    source = VideoSource(path)
    info = source.open()
    assert (info.frame_count, info.duration_s) == (60, pytest.approx(2.4))
    assert read_all(source)[0] == list(range(60))
    source.close()


@pytest.mark.parametrize("codec", ["h261", "h263"])
def test_a_seek_does_not_begin_at_a_frame_that_depends_on_others(tmp_path, codec):
    path = tmp_path / f"film.{codec}"  # whose packets all count as keyframes
    write_video(path, codec=codec, options={"g": "12"}, size_wh=(176, 144))
    source = VideoSource(path)
    source.open()
    for index in (59, 8, 31):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(cv2.resize(captured.bgr, (WIDTH, HEIGHT))) == index
    source.close()


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize(("codec", "bf"), [("mpeg4", "2"), ("libx264", "3")])
def test_each_frame_of_a_video_shorter_than_the_decoders_delay_is_found(
    tmp_path, codec, bf, frames
):
    path = tmp_path / "film.avi"
    write_video(path, frames=frames, codec=codec, options={"bf": bf})
    source = VideoSource(path)
    assert source.open().frame_count == frames
    assert read_all(source) == (list(range(frames)), pytest.approx([i / 25 for i in range(frames)]))
    for index in reversed(range(frames)):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(captured.bgr) == index
    source.close()


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_frames_behind_lost_packets_keep_their_times(tmp_path, name):
    whole, path = tmp_path / "whole.mp4", tmp_path / name
    write_video(whole, options={"bf": "3", "b-adapt": "0", "g": "10"})
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size and not 12 <= number < 22:
                packet.stream = stream
                target.mux(packet)
    video = VideoSource(path)
    video.open()
    numbers, positions = read_all(video)
    video.close()
    assert numbers[-20:] == list(range(40, 60))
    assert positions[-20:] == pytest.approx([number / 25 for number in range(40, 60)])


@pytest.mark.parametrize(("name", "codec"), [("film.wmv", "wmv2"), ("film.nut", "ffv1")])
def test_a_video_that_begins_late_did_not_end_early(tmp_path, name, codec):
    path = tmp_path / name
    write_video(path, codec=codec, times_ms=range(3000, 5400, 40))
    source = VideoSource(path)
    source.open()
    assert read_all(source)[0] == list(range(60))
    assert source.warning is None
    source.close()


@pytest.mark.parametrize("name", ["film.ts", "film.mkv"])
def test_a_video_of_a_frame_in_five_seconds_is_whole(tmp_path, name):
    path = tmp_path / name
    write_video(path, times_ms=[5000 * i for i in range(12)], options={"bf": "0"})
    source = VideoSource(path)
    info = source.open()
    assert info.nominal_fps is None  # the header of one says 25
    assert info.duration_s == pytest.approx(60.0)
    assert read_all(source)[0] == list(range(12))
    assert source.warning is None
    source.close()


def test_a_guessed_length_of_the_last_frame_is_not_believed():
    times = np.arange(0, 1500, 40)
    assert FrameIndex(times, times[:1], last_length=1).length == 1520
    assert FrameIndex(times, times[:1], last_length=20).length == 1500


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({}, [40, 60, 80]),
        ({"is_by_decoding": True}, [40, 60, 80, 100, 120]),  # they run ahead
        ({"is_joined": True}, [0, 20, 40, 60, 80]),
    ],
)
def test_frames_before_the_first_decodable_one_are_not_counted(kind, expected):
    times = np.arange(0, 100, 20)
    assert FrameIndex(times, times[:1], **kind).from_first(40).pts.tolist() == expected


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_a_wrong_time_scale_hides_no_frame(tmp_path, scale):
    path = tmp_path / "film.mp4"
    write_video(path, frames=20, options={"bf": "2"})
    data = bytearray(path.read_bytes())
    at = data.find(b"mdhd") + 16  # behind version, flags and two times
    data[at : at + 4] = scale.to_bytes(4, "big")
    path.write_bytes(data)
    source = VideoSource(path)
    assert source.open().frame_count == 20
    assert read_all(source)[0] == list(range(20))
    source.close()


def test_an_unknown_codec_is_an_error_in_one_line(tmp_path):
    path = tmp_path / "film.mkv"
    write_video(path, frames=5)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/XYZ"))
    with pytest.raises(SourceError, match="format that can't be decoded here"):
        VideoSource(path).open()


def write_streams(path: Path, sizes: list[tuple[int, int]]) -> None:
    """Write a video of several streams, each with a grey level by its number."""
    with av.open(str(path), "w") as container:
        streams = []
        for width, height in sizes:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for pts in range(5):
            for stream in streams:
                grey = np.full((stream.height, stream.width, 3), 60 * stream.index, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="bgr24")
                frame.pts, frame.time_base = pts, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))


def test_the_largest_of_several_streams_is_the_video(tmp_path):
    path = tmp_path / "two.ts"
    write_streams(path, [(64, 48), (320, 240), (160, 120)])
    source = VideoSource(path)
    info = source.open()
    captured = source.read(buffer)
    assert (info.width, info.height) == (320, 240)
    assert captured is not None
    assert captured.bgr.mean() == pytest.approx(60, abs=3)
    source.close()


def without_first_keyframe(folder: Path) -> Path:
    """Write a raw stream that begins in mid-group, as cameras do."""
    path = folder / "late.h264"
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
    context.options = {"tune": "zerolatency", "g": "20", "x264-params": "scenecut=0"}
    data = b""
    for number in range(40):
        frame = av.VideoFrame.from_ndarray(numbered_image(number), format="bgr24")
        packets = b"".join(bytes(packet) for packet in context.encode(frame))
        data += packets if number not in range(5) else b""
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("waits", [True, False])
def test_a_live_stream_is_given_time_until_its_next_keyframe(tmp_path, monkeypatch, waits):
    if not waits:
        monkeypatch.setattr("kpviewer.sources.video.decoding.KEYFRAME_WAIT_S", -1.0)
    path = without_first_keyframe(tmp_path)
    decoder = Decoder(str(path), "camera", DecoderOptions(read_timeout_s=-1.0, format="h264"))
    decoder.set_live()
    frame = decoder.next_frame()
    decoder.close()
    if waits:
        assert frame is not None
        assert read_number(frame.to_ndarray(format="bgr24")) == 20
    else:
        assert frame is None
        assert "keyframe" in str(decoder.failure)


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_a_film_of_a_frame_in_ten_seconds_does_not_end_early(tmp_path, name):
    path = tmp_path / name
    times_ms = [10_000 * number for number in range(20)]
    write_video(path, times_ms=times_ms, options={"bf": "2"}, rate=Fraction(1, 10))
    source = VideoSource(path)
    source.open()
    assert read_all(source) == (list(range(20)), pytest.approx([ms / 1000 for ms in times_ms]))
    assert source.warning is None
    source.close()


@pytest.mark.parametrize(
    ("name", "video", "sound"), [("a.wmv", "wmv2", "wmav2"), ("a.mp4", "mpeg4", "aac")]
)
def test_a_film_whose_sound_is_longer_does_not_end_early(tmp_path, name, video, sound):
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        film, tone = container.add_stream(video, rate=25), container.add_stream(sound, rate=16000)
        film.width, film.height, tone.bit_rate = WIDTH, HEIGHT, 64_000
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(numbered_image(number), format="bgr24")
            container.mux(film.encode(frame))
        noise = np.random.default_rng(0).uniform(-1, 1, (1, 5 * 16000)).astype(np.float32)
        heard = av.AudioFrame.from_ndarray(noise, "fltp", "mono")
        heard.sample_rate, heard.time_base, heard.pts = 16000, Fraction(1, 16000), 0
        for packets in (tone.encode(heard), film.encode(None), tone.encode(None)):
            container.mux(packets)
    source = VideoSource(path)
    assert source.open().frame_count == 25
    assert read_all(source)[0] == list(range(25))
    assert source.warning is None
    source.close()
