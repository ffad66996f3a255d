"""Finite videos at network addresses: every frame from the first to the end."""

import socket

import av
import pytest
from servers import first_then_silence, http_file, http_files, mjpeg, serving
from videos import buffer, numbered_image, read_number, write_from_raw, write_video

from kpviewer.errors import SourceError
from kpviewer.sources.base import frame_times_s
from kpviewer.sources.network.stream import StreamSource
from kpviewer.sources.opencv import cv2
from kpviewer.sources.video.file import VideoSource

WAYS = ["ranges", "pieces", "length", "close", "chunked"]


def read_all(source: StreamSource | VideoSource) -> tuple[list[int], list[float | None]]:
    numbers, positions = [], []
    while (captured := source.read(buffer)) is not None:
        numbers.append(read_number(captured.bgr))
        positions.append(captured.position_s)
    return numbers, positions


def number_at(source: StreamSource, index: int) -> int:
    source.seek(index)
    captured = source.read(buffer)
    assert captured is not None
    return read_number(captured.bgr)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("one_keyframe.mp4", "libx264", {"g": "250", "bf": "2"}),
        ("film.mkv", "libx264", {"g": "15"}),
        ("film.webm", "libvpx", {"g": "15"}),
        ("film.ts", "libx264", {"g": "15", "bf": "2"}),
        ("film.flv", "libx264", {"g": "15"}),
        ("film.avi", "libx264", {"g": "15", "bf": "2"}),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_no_frame_of_a_video_behind_http_is_lost(tmp_path, name, codec, options, way):
    path = tmp_path / name
    write_video(path, codec=codec, options=options)
    local = VideoSource(path)
    local.open()
    expected = read_all(local)
    local.close()
    with serving(http_file(path.read_bytes(), way)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/{name}")
        info = source.open()
        if info.is_seekable:
            assert frame_times_s(source) == pytest.approx(expected[1])
        found = read_all(source)
        sought = [number_at(source, index) for index in (31, 7, 59)] if info.is_seekable else []
        source.close()
    assert found == expected
    assert found[0] == list(range(60))
    assert not info.is_live
    assert source.warning is None
    assert sought == [31, 7, 59]


def test_a_film_made_from_raw_h264_has_its_times_behind_http(tmp_path):
    path = tmp_path / "film.mp4"
    write_from_raw(path, 2)
    with serving(http_file(path.read_bytes(), "ranges")) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/film.mp4")
        source.open()
        found = read_all(source)
        source.close()
    assert found == (list(range(60)), pytest.approx([index / 25 for index in range(60)]))


def test_a_live_playlist_and_a_finished_one_are_distinguished(tmp_path):
    playlist = tmp_path / "film.m3u8"
    whole = tmp_path / "film.ts"
    write_video(whole, options={"g": "10"})
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.4,\nfilm.ts\n"
    playlist.write_text(f"{text}#EXT-X-ENDLIST\n")
    files = {"film.ts": whole.read_bytes(), "film.m3u8": playlist.read_bytes()}
    with serving(http_files(files | {"live.m3u8": text.encode()})) as port:
        finished = StreamSource(f"http://127.0.0.1:{port}/film.m3u8")
        assert not finished.open().is_live
        numbers, _ = read_all(finished)
        finished.close()
        live = StreamSource(f"http://127.0.0.1:{port}/live.m3u8")
        assert live.open().is_live
        live.close()
    assert numbers == list(range(60))


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_segment_of_a_playlist_is_reported(tmp_path, missing):
    write_video(
        tmp_path / "film.m3u8",
        options={"x264-params": "scenecut=0:keyint=50:min-keyint=50"},
        times_ms=[100_000 + 40 * number for number in range(150)],
        muxer={"hls_time": "2", "hls_list_size": "0"},
    )
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    del files[f"film{missing}.ts"]
    with serving(http_files(files)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/film.m3u8")
        source.open()
        numbers, _ = read_all(source)
        warning = source.warning
        source.seek(0)
        read_all(source)
        again = source.warning
        source.close()
    gone = range(50 * missing, 50 * missing + 50)
    assert numbers == [number for number in range(150) if number not in gone]
    assert warning is not None
    assert "2.0 s are missing" in warning
    assert again == warning


def test_an_mp4_with_its_index_at_the_end_plays_from_a_server_without_ranges(tmp_path, monkeypatch):
    path = tmp_path / "film.mp4"
    write_video(path, frames=200, options={"g": "1", "qp": "0"})
    assert path.stat().st_size > 40_000  # FFmpeg goes back over less by itself
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with serving(http_file(path.read_bytes(), "length")) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/film.mp4")
        assert source.open().frame_count == 200
        numbers, _ = read_all(source)
        source.close()
    assert numbers == list(range(200))
    assert [item.name for item in tmp_path.iterdir()] == ["film.mp4"]


def test_an_mp4_whose_index_comes_after_the_time_limit_is_copied(tmp_path, monkeypatch):
    path = tmp_path / "film.mp4"
    write_video(path, frames=20)
    data = path.read_bytes()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data)
    whole = http_file(data, "length")
    limits_s: list[float] = []
    said: list[str | None] = []

    def copied(connection: socket.socket) -> None:
        limits_s.append(source.open_timeout_s)
        said.append(source.warning)
        whole(connection)

    ways = [first_then_silence(head + data[:99])] * 2 + [copied]  # tried, asked, copied

    def serve(connection: socket.socket) -> None:
        ways.pop(0)(connection)

    with serving(serve) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/film.mp4", open_timeout_s=0.3)
        monkeypatch.setattr("kpviewer.sources.network.stream.OPEN_TIMEOUT_S", 0.0)
        source.open()
        assert source.warning is None
        numbers, _ = read_all(source)
        source.close()
    assert numbers == list(range(20))
    assert limits_s[0] > 3.0  # from now on, as data arrives
    assert "film.mp4 is copied first" in (said[0] or "")
    assert [item.name for item in tmp_path.iterdir()] == ["film.mp4"]


def test_a_connection_that_breaks_in_mid_video_is_an_error(tmp_path):
    path = tmp_path / "film.ts"
    write_video(path, options={"g": "15"})
    data = path.read_bytes()

    def serve(connection) -> None:
        connection.recv(4096)
        head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data[: len(data) // 2])

    with serving(serve) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/film.ts")
        source.open()
        with pytest.raises(SourceError, match="is lost"):
            read_all(source)
        source.close()


def still(suffix: str) -> bytes:
    return cv2.imencode(suffix, numbered_image(5))[1].tobytes()


@pytest.mark.parametrize(
    ("path", "data", "kind", "said"),
    [
        ("snapshot.jpg", still(".jpg"), "image/jpeg", r"still image \(JPEG\)"),
        ("snapshot.cgi", still(".jpg"), "text/plain", r"still image \(JPEG\)"),
        ("photo.png", still(".png"), "image/png", r"still image \(PNG\)"),
        ("photo", still(".webp"), "image/webp", r"still image \(WebP\)"),
        ("", b"\n<!DOCTYPE html><title>Log in</title>", "text/plain", "is a web page"),
        ("video.ts", b"<p>Log in</p>" * 400, "text/html", "is a web page"),
        ("data", b'{"error": 5}', "application/json", "answers with application/json"),
    ],
)
def test_an_answer_that_is_not_video_is_named(path, data, kind, said):
    with serving(http_file(data, "length", kind)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/{path}")
        with pytest.raises(SourceError, match=said) as caught:
            source.open()
    assert len(str(caught.value).splitlines()) <= 2


def test_a_multipart_stream_whose_parts_have_no_type_is_read():
    images = [numbered_image(number) for number in range(40)]
    with serving(mjpeg(images, part_head=b"--frame\r\nContent-Length: %d\r\n\r\n")) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/")
        assert source.open().is_live
        captured = source.read(buffer)
        source.close()
    assert captured is not None
    assert read_number(captured.bgr) == 0


def test_videos_are_known_by_suffix_if_their_content_is_ambiguous(tmp_path):
    made, path = tmp_path / "film.h264", tmp_path / "film.jsv"
    write_video(made, options={"g": "15", "bf": "0"})
    path.write_bytes(b"\0\0\1\x80" * 50 + made.read_bytes())  # the head of a recorder's own format
    source = VideoSource(path)
    source.open()
    numbers, _ = read_all(source)
    source.close()
    assert numbers == list(range(60))
    with pytest.raises(av.error.InvalidDataError):
        av.open(str(path)).close()
