"""Network streams, from small cameras on the loopback interface."""

import numpy as np
import pytest
from films import numbered_picture, read_number
from servers import mjpeg, rtsp, say_nothing, serving

from kpviewer.errors import SourceError
from kpviewer.sources.stream import StreamSource
from kpviewer.structures import ImageArray

PICTURES = [numbered_picture(number) for number in range(60)]
SHORT_S = 0.3


def buffer(height: int, width: int) -> ImageArray:
    return np.zeros((height, width, 3), np.uint8)


def read_until_lost(source: StreamSource) -> tuple[list[int], str]:
    numbers: list[int] = []
    with pytest.raises(SourceError) as caught:
        while (captured := source.read(buffer)) is not None:
            numbers.append(read_number(captured.bgr))
    return numbers, str(caught.value)


@pytest.mark.parametrize(("scheme", "serve"), [("http", mjpeg(PICTURES)), ("rtsp", rtsp(PICTURES))])
def test_a_stream_gives_frames_in_order_until_the_camera_hangs_up(scheme, serve) -> None:
    with serving(serve) as port:
        source = StreamSource(f"{scheme}://me:secret@127.0.0.1:{port}/live")
        info = source.open()
        numbers, said = read_until_lost(source)
        source.close()
    assert (info.width, info.height, info.is_live, info.is_seekable) == (96, 64, True, False)
    assert len(numbers) >= 20
    assert numbers == list(range(numbers[0], 60))  # FFmpeg may use up the first to find the format
    assert source.next_index == len(numbers)
    assert "lost" in said
    assert "secret" not in said + info.name


def test_a_silent_stream_is_lost_after_the_read_timeout() -> None:
    with serving(mjpeg(PICTURES[:20], stalls=True)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/", read_timeout_s=SHORT_S)
        source.open()
        numbers, said = read_until_lost(source)
        source.close()
    assert numbers[-1] == 19
    assert "no picture for 0.3 s" in said


def test_a_lost_stream_may_be_opened_again() -> None:
    with serving(mjpeg(PICTURES)) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/")
        source.open()
        first, _ = read_until_lost(source)
        source.close()
        source.open()
        again, _ = read_until_lost(source)
        source.close()
    assert first == again


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_says_nothing_fails_to_open_in_time(scheme: str) -> None:
    with serving(say_nothing) as port:
        source = StreamSource(f"{scheme}://me:secret@127.0.0.1:{port}/", open_timeout_s=SHORT_S)
        with pytest.raises(SourceError, match=r"doesn't answer within 0\.3 s") as caught:
            source.open()
    assert "secret" not in str(caught.value)


def test_a_refused_connection_names_the_reason_and_no_password() -> None:
    with serving(say_nothing) as port:
        pass  # nobody listens there any more
    with pytest.raises(SourceError, match="refused") as caught:
        StreamSource(f"http://127.0.0.1:{port}/x?password=secret").open()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_answer_that_is_no_video_is_refused() -> None:
    def serve(connection) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Log in</p>")

    with serving(serve) as port, pytest.raises(SourceError, match="can't be opened"):
        StreamSource(f"http://127.0.0.1:{port}/").open()


@pytest.mark.parametrize(
    "url", ["tcp://127.0.0.1:9", "concat://a|b", "ftp://me:secret@h/x", "file:///etc/passwd"]
)
def test_other_protocols_are_refused(url: str) -> None:
    with pytest.raises(SourceError, match="must start with") as caught:
        StreamSource(url)
    assert "secret" not in str(caught.value)


def test_an_address_with_spaces_is_refused_without_being_repeated() -> None:
    with pytest.raises(SourceError, match="no spaces") as caught:
        StreamSource("rtsp://me:my secret@127.0.0.1/")
    assert "secret" not in str(caught.value)
