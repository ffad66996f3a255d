"""Sound of a file in recordings of its frames, from any position in it.

The clip has a second of sound a tone: its pitch shows where in the file it comes from.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from fakes import eventually
from sample_results import info, read_video, result

from kpviewer.errors import RecordingError
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.results import ResultHeader
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.sound import open_sound
from kpviewer.recording.space import SpaceLimits

RATE, FPS, SECONDS = 16000, 30, 4
TONES_HZ = (400, 800, 1600, 3200)
"""Of each second."""
AAC_S = 1024 / RATE


def make_clip(
    path: Path,
    codec: str = "aac",
    *,
    from_s: float = 0.0,
    sound_s: int = SECONDS,
    layout: str = "mono",
) -> Path:
    """Write a clip of plain frames, with the tones; ``from_s`` is the time of its first frame."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=FPS)
        video.width, video.height = 64, 48
        sound = container.add_stream(codec, rate=RATE)
        sound.codec_context.layout, sound.bit_rate = layout, 64_000
        start = round(from_s * FPS)
        for number in range(FPS * SECONDS):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number + start, Fraction(1, FPS)
            container.mux(video.encode(frame))
        times = np.arange(RATE * sound_s) / RATE
        wave = np.sin(2 * np.pi * np.repeat(TONES_HZ[:sound_s], RATE) * times) * 20000
        tones = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
        tones.sample_rate, tones.pts = RATE, round(from_s * RATE)
        tones.time_base = Fraction(1, RATE)
        audio_format = sound.codec_context.format
        resampler = av.AudioResampler(audio_format, layout, RATE)
        for each in [*resampler.resample(tones), None]:
            container.mux(sound.encode(each))
        container.mux(video.encode(None))
    return path


def make_double(path: Path, others: Path, default: Path) -> Path:
    """Write the streams of two clips to one file; those of the second are the default ones."""
    with av.open(str(path), "w") as container:
        packets = []
        for clip, disposition in ((others, Disposition(0)), (default, Disposition.default)):
            with av.open(str(clip)) as source:
                outputs = [container.add_stream_from_template(each) for each in source.streams]
                for packet in source.demux():
                    if packet.size:
                        packet.stream = outputs[packet.stream_index]
                        packets.append(packet)
            for output in outputs:
                output.disposition = disposition
        container.start_encoding()
        for packet in packets:
            container.mux(packet)
    return path


def record(folder: Path, sound: Path, positions_s: list[float], **given: object) -> RecorderThread:
    """Record frames from these positions in a file."""
    segment = SegmentOptions(
        ("video",), ResultHeader("clip"), limits=SpaceLimits(to_start=0, to_continue=0), sound=sound
    )
    options = RecorderOptions("out", lossless=True, by_media_time=True, segment=segment, **given)

    def plain(one, _style: OverlayStyle):
        return one.frame.bgr

    thread = RecorderThread(folder, info(is_live=False, fps=float(FPS)), options, render=plain)
    thread.start()
    for position_s in positions_s:
        thread.accept(result(index=round(position_s * FPS), time_s=position_s))
    return thread


def span(start_s: float, end_s: float) -> list[float]:
    return [number / FPS for number in range(round(start_s * FPS), round(end_s * FPS))]


def heard(path: Path) -> tuple[float, float, list[int]]:
    """Return when the sound begins and ends, s, and the tone at the centre of each second."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        frames = [each for frame in container.decode(audio=0) for each in resampler.resample(frame)]
    start_s = float(frames[0].pts * frames[0].time_base)
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    end_s = float(frames[-1].pts * frames[-1].time_base) + frames[-1].samples / RATE
    tones = []
    for second in range(round(end_s)):
        centre = samples[round((second + 0.3 - start_s) * RATE) : round((second + 0.7) * RATE)]
        spectrum = np.abs(np.fft.rfft(centre * np.hanning(len(centre))))
        tones.append(round(int(spectrum.argmax()) * RATE / len(centre) / 100) * 100)
    return start_s, end_s, tones


def test_whole_file_keeps_its_whole_sound(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    path = record(tmp_path, clip, span(0, SECONDS)).stop()
    assert path is not None
    start_s, end_s, tones = heard(path)
    assert read_video(path).duration_s == pytest.approx(SECONDS, abs=2 * AAC_S)
    assert start_s == pytest.approx(0, abs=AAC_S)
    assert end_s == pytest.approx(SECONDS, abs=2 * AAC_S)
    assert tones == list(TONES_HZ)


@pytest.mark.parametrize(
    ("spans", "tones"),
    [
        ([(1, 3)], [800, 1600]),  # started later
        ([(0, 1), (3, 4)], [400, 3200]),  # sought forward
        ([(2, 3), (0, 1)], [1600, 400]),  # sought back
    ],
)
def test_sound_is_that_of_the_frames_that_were_recorded(tmp_path, spans, tones):
    clip = make_clip(tmp_path / "clip.mp4")
    positions = [position for start_s, end_s in spans for position in span(start_s, end_s)]
    thread = record(tmp_path, clip, positions)
    path = thread.stop()
    assert path is not None
    start_s, end_s, found = heard(path)
    assert start_s == pytest.approx(0, abs=2 * AAC_S)
    assert end_s == pytest.approx(read_video(path).duration_s, abs=2 * AAC_S)
    assert found == tones
    assert thread.status().notices == ()


def test_pause_leaves_its_sound_out_and_a_split_continues(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    thread = record(tmp_path, clip, span(0, 1))
    thread.pause()
    for position_s in span(1, 2):
        thread.accept(result(index=round(position_s * FPS), time_s=position_s))
    thread.resume()
    for position_s in span(2, 3):
        thread.accept(result(index=round(position_s * FPS), time_s=position_s))
    thread.split()
    for position_s in span(3, 4):
        thread.accept(result(index=round(position_s * FPS), time_s=position_s))
    thread.stop()
    first, second = thread.status().paths
    assert heard(first)[2] == [400, 1600]
    assert heard(second)[2] == [3200]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("clip.mkv", "libopus"), ("clip.mkv", "pcm_s16le"), ("clip.ts", "aac"), ("clip.mov", "alac")],
)
def test_sound_of_other_containers_and_codecs_is_copied(tmp_path, name, codec):
    clip = make_clip(tmp_path / name, codec)
    path = record(tmp_path, clip, span(0, SECONDS)).stop()
    assert path is not None
    start_s, end_s, tones = heard(path)
    assert (start_s, end_s) == pytest.approx((0, SECONDS), abs=0.1)
    assert tones == list(TONES_HZ)


@pytest.mark.parametrize("layout", ["stereo", "5.1"])
@pytest.mark.parametrize("name", ["clip.avi", "clip.mkv"])
def test_uncompressed_sound_is_copied_although_its_file_does_not_place_the_channels(
    tmp_path, name, layout
):
    clip = make_clip(tmp_path / name, "pcm_s16le", layout=layout)
    path = record(tmp_path, clip, span(0, SECONDS)).stop()
    assert path is not None
    assert read_video(path).duration_s == pytest.approx(SECONDS, abs=0.1)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.layout.name == layout
    assert heard(path)[2] == list(TONES_HZ)


@pytest.mark.parametrize("start_s", [0, 2])
def test_sound_of_a_playlist_is_copied(tmp_path, start_s):
    clip = make_clip(tmp_path / "clip.m3u8")
    path = record(tmp_path, clip, span(start_s, SECONDS)).stop()
    assert path is not None
    assert heard(path)[2] == list(TONES_HZ)[start_s:]


def test_sound_of_a_file_cut_in_the_index_of_a_fragment_is_that_of_those_before(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    cut = tmp_path / "cut.mp4"
    with (
        av.open(str(clip)) as source,
        av.open(
            str(cut),
            "w",
            options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "1000000"},
        ) as copy,
    ):
        streams = [copy.add_stream_from_template(each) for each in source.streams]
        packets = [each for each in source.demux() if each.size]
        for packet in sorted(packets, key=lambda each: float(each.dts * each.time_base)):
            packet.stream = streams[packet.stream_index]
            copy.mux(packet)
    data = cut.read_bytes()
    cut.write_bytes(data[: data.rfind(b"mdat") - 5])
    path = record(tmp_path, cut, span(0, SECONDS - 1)).stop()
    assert path is not None
    assert heard(path)[2] == list(TONES_HZ)[:-1]


def test_sound_keeps_step_with_a_file_whose_first_frame_is_late(tmp_path):
    clip = make_clip(tmp_path / "clip.mkv", from_s=3.0)
    path = record(tmp_path, clip, span(0, SECONDS)).stop()
    assert path is not None
    assert heard(path)[2] == list(TONES_HZ)


def test_of_several_sounds_the_default_one_is_copied_in_step_with_the_frames_shown(tmp_path):
    others = make_clip(tmp_path / "others.mkv", sound_s=1)
    default = make_clip(tmp_path / "default.mkv", from_s=1.0)
    double = make_double(tmp_path / "double.mkv", others, default)
    path = record(tmp_path, double, span(0, SECONDS)).stop()
    assert path is not None
    assert heard(path)[2] == list(TONES_HZ)


def test_sound_of_a_second_file_joined_to_the_first_is_said_to_be_missing(tmp_path):
    clip = make_clip(tmp_path / "clip.ts")
    clip.write_bytes(clip.read_bytes() * 2)
    thread = record(tmp_path, clip, span(0, 2 * SECONDS))
    path = thread.stop()
    assert path is not None and thread.status().failure is None
    assert heard(path)[2][:SECONDS] == list(TONES_HZ)
    (notice,) = thread.status().notices
    assert notice.endswith("The sound ends early: its times begin anew in the file.")


def test_sound_that_no_mp4_can_hold_is_left_out_and_reported(tmp_path):
    clip = make_clip(tmp_path / "clip.wmv", "wmav2")
    thread = record(tmp_path, clip, span(0, 1))
    path = thread.stop()
    assert path is not None
    assert thread.status().notices == ("The sound is left out: MP4 can't hold wmav2.",)
    with av.open(str(path)) as container:
        assert not container.streams.audio
    with pytest.raises(RecordingError, match="wmav2"):
        open_sound(clip)


def test_frames_alone_are_recorded_where_there_is_no_sound(tmp_path):
    assert open_sound(None) is None
    assert open_sound(tmp_path) is None
    (tmp_path / "text.mp4").write_text("no video")
    assert open_sound(tmp_path / "text.mp4") is None


@pytest.mark.parametrize("sound_s", [4, 1])
def test_growing_file_with_sound_can_be_played_but_for_its_last_moments(tmp_path, sound_s):
    clip = make_clip(tmp_path / "clip.mp4", sound_s=sound_s)
    thread = record(tmp_path, clip, span(0, 3))
    thread.accept(result(index=3 * FPS, time_s=3.0))
    eventually(lambda: thread.status().frames == 3 * FPS + 1)
    data = (tmp_path / "out.mp4.part").read_bytes()  # as after a crash
    thread.stop()
    (tmp_path / "killed.mp4").write_bytes(data)
    assert read_video(tmp_path / "killed.mp4").times_s[-1] > 2.4


@pytest.mark.parametrize(("name", "is_left_out"), [("clip.mp4", False), ("clip.ts", True)])
def test_growing_file_can_be_played_although_its_sound_has_not_begun(tmp_path, name, is_left_out):
    clip = make_clip(tmp_path / name, sound_s=1)
    thread = record(tmp_path, clip, span(2, 4))
    eventually(lambda: thread.status().frames == 2 * FPS)
    data = (tmp_path / "out.mp4.part").read_bytes()  # as after a crash
    path = thread.stop()
    (tmp_path / "killed.mp4").write_bytes(data)
    assert read_video(tmp_path / "killed.mp4").times_s[-1] > 1.4
    assert path is not None
    assert len(read_video(path).times_s) == 2 * FPS
    said = "The sound is left out: it begins more than 1 s after the first frame."
    assert [notice.endswith(said) for notice in thread.status().notices] == [True] * is_left_out


def test_sound_that_begins_late_is_in_step(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    late = tmp_path / "late.mkv"
    with av.open(str(clip)) as found, av.open(str(late), "w") as made:
        outputs = [made.add_stream_from_template(stream) for stream in found.streams]
        for packet in found.demux():
            is_early = packet.stream.type == "audio" and packet.pts is not None
            if packet.size and not (is_early and packet.pts * packet.time_base < 2):
                packet.stream = outputs[packet.stream_index]
                made.mux(packet)
    path = record(tmp_path, late, span(0, SECONDS)).stop()
    assert path is not None
    with av.open(str(path)) as container:
        times_s = [
            float(packet.pts * packet.time_base)
            for packet in container.demux(audio=0)
            if packet.size
        ]
    # FFmpeg plays the first packet, of a sixteenth of a second, at 0.
    assert (times_s[1], times_s[-1]) == pytest.approx((2, SECONDS), abs=2 * AAC_S)
