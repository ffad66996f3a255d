"""Network streams from small servers on the loopback interface."""

import re
import socket
import threading

import numpy as np
import pytest
from servers import BOUNDARY, first_then_silence, mjpeg, rtsp, say_nothing, serving
from videos import buffer, numbered_image, read_number

from kpviewer.errors import SourceError
from kpviewer.sources.base import OPEN_TIMEOUT_S
from kpviewer.sources.network.stream import StreamSource
from kpviewer.sources.opencv import cv2

IMAGES = [numbered_image(number) for number in range(60)]
SHORT_S = 0.3


def read_until_lost(source: StreamSource) -> tuple[list[int], str]:
    numbers: list[int] = []
    with pytest.raises(SourceError) as caught:
        while (captured := source.read(buffer)) is not None:
            numbers.append(read_number(captured.bgr))
    return numbers, str(caught.value)


@pytest.mark.parametrize(("scheme", "serve"), [("http", mjpeg(IMAGES)), ("rtsp", rtsp(IMAGES))])
def test_a_stream_returns_frames_in_order_until_the_camera_hangs_up(scheme, serve):
    with serving(serve) as port:
        source = StreamSource(f"{scheme}://me:secret@127.0.0.1:{port}/live")
        info = source.open()
        numbers, said = read_until_lost(source)
        source.close()
    assert (info.width, info.height, info.is_live, info.is_seekable) == (96, 64, True, False)
    assert numbers == list(range(60))
    assert source.next_index == len(numbers)
    assert "lost" in said
    assert "secret" not in said + info.name


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("file:///home/me/my%20clip.mp4", "Write /home/me/my clip.mp4."),
        ("FILE://me:secret@host/clip.mp4", "Write ***@host/clip.mp4."),
    ],
)
def test_the_address_of_a_file_is_refused_with_its_path(address, said):
    with pytest.raises(SourceError, match=re.escape(said)):
        StreamSource(address)


def test_a_silent_stream_is_lost_after_the_read_timeout():
    with serving(mjpeg(IMAGES[:20], stalls=True)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/", read_timeout_s=SHORT_S)
        source.open()
        numbers, said = read_until_lost(source)
        source.close()
    assert numbers[-1] == 19
    assert "no image for 0.3 s" in said


def test_a_lost_stream_may_be_opened_again():
    with serving(mjpeg(IMAGES)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/")
        source.open()
        first, _ = read_until_lost(source)
        source.close()
        source.open()
        again, _ = read_until_lost(source)
        source.close()
    assert first == again


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_says_nothing_fails_to_open_in_time(scheme):
    with serving(say_nothing) as port:
        source = StreamSource(f"{scheme}://me:secret@127.0.0.1:{port}/", open_timeout_s=SHORT_S)
        with pytest.raises(SourceError, match=r"doesn't answer within 0\.3 s") as caught:
            source.open()
    assert "secret" not in str(caught.value)


def test_a_refused_connection_names_the_reason_and_no_password():
    with serving(say_nothing) as port:
        pass  # the port is closed again
    with pytest.raises(SourceError, match="refused") as caught:
        StreamSource(f"http://127.0.0.1:{port}/x?password=secret").open()
    assert "Is the camera or server on" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "cure"),
    [
        ("503 Service Unavailable", "restart it, or try again later."),
        ("404 Not Found", "Check the address behind the host"),
        ("403 Forbidden", "Check the address, its user name and password."),
    ],
)
def test_a_status_that_is_an_error_brings_its_cure(status, cure):
    def serve(connection) -> None:
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    with serving(serve) as port, pytest.raises(SourceError, match=cure):
        StreamSource(f"http://127.0.0.1:{port}/").open()


def test_an_answer_that_is_no_video_is_refused():
    def serve(connection) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Log in</p>")

    with serving(serve) as port, pytest.raises(SourceError, match="is a web page"):
        StreamSource(f"http://127.0.0.1:{port}/").open()


DIGEST = 'Digest realm="cam", nonce="1", qop="auth", algorithm='


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize(
    ("challenges", "said"),
    [
        ([DIGEST + "SHA-256"], "login with SHA-256, which FFmpeg can't give"),
        (["Basic realm=cam", DIGEST + '"SHA-256"'], "login with SHA-256, which FFmpeg can't give"),
        ([DIGEST + "SHA-256", DIGEST + "MD5"], "Check the address, its user name and password"),
        (["Basic realm=cam"], "Check the address, its user name and password"),
    ],
)
def test_a_login_that_ffmpeg_can_not_give_is_named(scheme, challenges, said):
    def serve(connection) -> None:
        lines = "".join(f"WWW-Authenticate: {each}\r\n" for each in challenges)
        protocol = "RTSP/1.0" if scheme == "rtsp" else "HTTP/1.1"
        while request := connection.recv(4096).decode():
            assert "secret" not in request
            number = re.search("CSeq: .*\r\n", request)
            line = "200 OK" if request.startswith("OPTIONS") else "401 Unauthorized"
            head = f"{protocol} {line}\r\n{number[0] if number else ''}"
            connection.sendall(f"{head}Content-Length: 0\r\n{lines}\r\n".encode())

    with serving(serve) as port, pytest.raises(SourceError, match=said):
        StreamSource(f"{scheme}://me:secret@127.0.0.1:{port}/").open()


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:9", "concat://a|b", "ftp://me:secret@h/x"])
def test_other_protocols_are_refused(url):
    with pytest.raises(SourceError, match="must start with") as caught:
        StreamSource(url)
    assert "secret" not in str(caught.value)


def test_an_address_with_spaces_is_refused_without_being_repeated():
    with pytest.raises(SourceError, match="no spaces") as caught:
        StreamSource("rtsp://me:my secret@127.0.0.1/")
    assert "secret" not in str(caught.value)


def test_a_scheme_in_capitals_is_the_same():
    with serving(rtsp(IMAGES[:30])) as port:
        source = StreamSource(f"RTSP://127.0.0.1:{port}/live")
        source.open()
        numbers, _ = read_until_lost(source)
        source.close()
    assert numbers == list(range(30))


def test_a_camera_that_sends_by_udp_alone_plays():
    with serving(rtsp(IMAGES[:20], stalls=True, by_udp=True)) as port:
        source = StreamSource(f"rtsp://127.0.0.1:{port}/", read_timeout_s=SHORT_S)
        source.open()
        numbers, _ = read_until_lost(source)
        source.close()
    assert numbers == list(range(19))


def test_a_frozen_stream_gives_no_frame_when_it_is_given_up():
    """FFmpeg holds the last image back until the next one begins, or reading fails."""
    with serving(rtsp(IMAGES[:40], stalls=True)) as port:
        source = StreamSource(f"rtsp://127.0.0.1:{port}/", read_timeout_s=SHORT_S)
        source.open()
        numbers, said = read_until_lost(source)
        source.close()
    assert numbers == list(range(39))
    assert "no image for 0.3 s" in said


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_opening_can_be_interrupted(scheme):
    source: StreamSource

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        source.interrupt()
        say_nothing(connection)

    with serving(serve) as port:
        source = StreamSource(f"{scheme}://127.0.0.1:{port}/", open_timeout_s=60)
        with pytest.raises(SourceError, match="was interrupted"):
            source.open()
        source.close()


def test_reading_can_be_interrupted_and_the_stream_opened_again():
    source: StreamSource
    camera = mjpeg(IMAGES[:10])

    def serve(connection: socket.socket) -> None:
        camera(connection)
        if not was_interrupted:
            was_opened.wait(10)
            source.interrupt()
            was_interrupted.append(True)
            say_nothing(connection)

    was_opened = threading.Event()
    was_interrupted: list[bool] = []
    with serving(serve) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/", read_timeout_s=60)
        source.open()
        was_opened.set()
        _, said = read_until_lost(source)
        source.open()
        captured = source.read(buffer)
        source.close()
    assert "was interrupted" in said
    assert captured is not None


def test_a_silent_name_server_fails_to_open_in_time(monkeypatch):
    answer = threading.Event()
    asking: list[threading.Thread] = []

    def look_up(*_: object, **__: object) -> None:
        asking.append(threading.current_thread())
        answer.wait()

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    source = StreamSource("rtsp://me:secret@camera.example/x", open_timeout_s=SHORT_S)
    with pytest.raises(SourceError, match=r"doesn't answer within 0\.3 s"):
        source.open()
    answer.set()
    asking[0].join(10)
    assert not asking[0].is_alive()


def test_an_unknown_host_is_an_error(monkeypatch):
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(SourceError, match="no such host"):
        StreamSource("http://camera.example/x").open()


def test_an_image_that_becomes_too_large_is_an_error():
    wide = np.zeros((8, 8200, 3), np.uint8)
    with serving(mjpeg([*IMAGES[:5], wide])) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/")
        source.open()
        numbers, said = read_until_lost(source)
        source.close()
    assert numbers == list(range(5))
    assert "8192 px" in said


MULTIPART = b"multipart/x-mixed-replace; boundary=frame"
TEXT = b"--frame\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
PARTS = {
    "text between": (MULTIPART, b"", BOUNDARY, TEXT),
    "longer than stated": (MULTIPART, b"", BOUNDARY, b"more\r\n"),
    "images alone": (b"video/x-motion-jpeg", b"", b"", b""),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_camera_whose_parts_cannot_be_read_shows_its_images(name):
    kind, before, head, behind = PARTS[name]

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n" + before)
        for image in IMAGES:
            data = cv2.imencode(".jpg", image)[1].tobytes()
            connection.sendall((head % len(data) if head else b"") + data + b"\r\n" + behind)

    with serving(serve) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/")
        source.open()
        numbers = [read_number(source.read(buffer).bgr) for _ in range(4)]
        count = source.next_index
        source.close()
    assert numbers in ([0, 1, 2, 3], [0, 0, 1, 2])  # the second: connected again after the first
    assert count == 4


def test_a_server_without_video_differs_from_a_silent_one():
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
    with serving(first_then_silence(head)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/", open_timeout_s=SHORT_S)
        with pytest.raises(SourceError, match="answers, but sends no video"):
            source.open()


def test_a_camera_whose_first_image_is_on_its_way_is_waited_for():
    begun = BOUNDARY % 9000 + b"\xff\xd8\xff\xe0"
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
    ways = [first_then_silence(head + begun)] * 2 + [mjpeg(IMAGES[:3])]  # tried, asked, tried
    limits_s: list[float] = []

    def serve(connection: socket.socket) -> None:
        limits_s.append(source.open_timeout_s)
        ways.pop(0)(connection)

    with serving(serve) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/", open_timeout_s=SHORT_S)
        source.open()
        assert source.open_timeout_s == OPEN_TIMEOUT_S
        captured = source.read(buffer)
        source.close()
    assert captured is not None
    assert read_number(captured.bgr) == 0
    assert limits_s[:2] == [OPEN_TIMEOUT_S] * 2
    assert limits_s[2] > 20.0  # else its pipeline would give it up
