"""What the service refuses: with which status code, and that nothing else happens."""

import asyncio
import gzip
import io
import struct
import threading
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
from clients import image, served
from fakes import TIMEOUT_S, FakeEngine
from PIL import Image

from kpviewer.serving.images import decoded
from kpviewer.serving.limits import Limits
from kpviewer.structures import ImageArray

SMALL = Limits(max_bytes=2000, max_pixels=4000)


def png(size_wh: tuple[int, int], rows: bytes) -> bytes:
    """Return a PNG of 8-bit RGB that declares a size and holds some rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", *size_wh, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40)).save(file, kind, **options)
    return file.getvalue()


def many_scans() -> bytes:
    jpeg = saved("JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * 60 + jpeg[-2:]


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "no image"),
        (b"hello", 415, "no JPEG, PNG or WebP"),
        (saved("GIF"), 415, "no JPEG, PNG or WebP"),
        (
            saved("PNG", save_all=True, append_images=[Image.new("RGB", (60, 40), "red")]),
            415,
            "anim",
        ),
        (saved("JPEG")[:300], 422, "Send it again"),
        (saved("PNG")[:60], 422, "Send it again"),
        (b"\xff\xd8\xff" + bytes(500), 422, "Send it again"),
        (png((0, 0), b""), 422, "Send it again"),
        (png((100, 41), b""), 413, "100 x 41 px"),
        (png((9000, 1), b""), 413, "9000 x 1 px"),
        (png((60_000, 60_000), b""), 413, "far too large"),
        (many_scans(), 422, "too many scans"),
        (image() + bytes(2000), 413, "larger than"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_what_is_no_small_image_is_refused(data, status, words):
    engine, limits = FakeEngine(), SMALL if status == 413 else Limits()
    answer = served(lambda client: client.post("/detect", content=data), engine, limits)
    assert (answer.status_code, answer.json().keys()) == (status, {"error"})
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert engine.seen == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_that_curl_read_as_text_is_refused_with_its_cure(kind):
    text = saved(kind).translate(None, b"\r\n\0")  # what curl -d sends of a file
    answer = served(lambda client: client.post("/detect", content=text))
    assert answer.status_code in (415, 422)
    assert "curl --data-binary" in answer.json()["error"]


def test_data_behind_the_last_pixel_isnt_inflated(capfd):
    bgr = decoded(png((10, 10), bytes(31 * 10 + 20_000_000)), 100)
    assert bgr.shape == (10, 10, 3)
    assert capfd.readouterr().err == "", "libpng, which inflates all of it, has read the image"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("conf=0.1&conf=0.9", "conf must be given once, got it 2 times"),
        ("classes=face&classes=face", "Join classes by commas"),
        ("conf=3", "conf must be less than or equal to 1, got '3'"),
        ("conf=nan", "conf must be a finite number"),
        ("nms=best", "nms must be 'none', 'hard'"),
        ("confidence=0.5", "There is no parameter 'confidence'"),
        ("classes=cat", "'cat' is no class of fake (thing)"),
        ("classes=1", "1 is no class"),
        ("classes=", "classes is empty"),
        ("format=xml", "format must be 'json' or 'image'"),
    ],
)
def test_a_wrong_parameter_is_named_before_the_upload(query, words):
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the image was read")
        yield b""

    answer = served(lambda client: client.post(f"/detect?{query}", content=body()))
    assert answer.status_code == 422
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/detect", 405),
        ("GET", "/docs", 404),
        ("GET", "/health/", 404),
        ("GET", "/..", 404),
        ("GET", "/stream", 426),
    ],
)
def test_other_addresses_are_refused_in_one_line(method, path, status):
    answer = served(lambda client: client.request(method, path))
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert answer.headers.get("Allow") == ("POST" if status == 405 else None)


def test_a_compressed_body_is_refused_by_its_coding():
    headers = {"Content-Encoding": "gzip"}
    data = gzip.compress(image())
    answer = served(lambda client: client.post("/detect", content=data, headers=headers))
    assert answer.status_code == 415
    assert "compressed by gzip" in answer.json()["error"]


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"garbage",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n.\r\n' * 2
        + b"--x--",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\ncut',
    ],
    ids=["empty", "garbage", "a field", "two files", "cut off"],
)
def test_a_form_without_one_file_is_refused(form):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = served(lambda client: client.post("/detect", content=form, headers=headers))
    assert answer.status_code == 422
    assert "form" in answer.json()["error"]


def test_a_form_with_an_endless_boundary_is_refused():
    headers = {"content-type": "multipart/form-data; boundary=" + "x" * 1000}
    answer = served(lambda client: client.post("/detect", content=b"", headers=headers))
    assert (answer.status_code, "form" in answer.json()["error"]) == (422, True)


def test_a_body_without_a_length_is_cut_off_at_the_limit():
    sent = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield bytes(100)

    answer = served(lambda client: client.post("/detect", content=body()), limits=SMALL)
    assert answer.status_code == 413


def test_a_slow_upload_is_cut_off():
    async def body() -> AsyncIterator[bytes]:
        yield b"\xff"
        await asyncio.Event().wait()

    limits = Limits(timeout_s=0.05)
    answer = served(lambda client: client.post("/detect", content=body()), limits=limits)
    assert answer.status_code == 408


def test_an_answer_that_takes_too_long_is_given_up():
    engine = FakeEngine(blocks_at={1})

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        answer = await client.post("/detect", content=image(1))
        engine.go_on()
        return answer

    answer = served(ask, engine, Limits(timeout_s=0.05))
    assert (answer.status_code, "0.05 s" in answer.json()["error"]) == (504, True)


def test_images_of_requests_that_were_given_up_are_decoded_three_at_a_time(monkeypatch):
    may_go_on, begun = threading.Event(), []

    def slowly(data: bytes, max_pixels: int) -> ImageArray:
        begun.append(data)
        assert may_go_on.wait(TIMEOUT_S)
        return decoded(data, max_pixels)

    async def ask(client: httpx.AsyncClient) -> tuple[set[int], int]:
        codes = {(await client.post("/detect", content=image(1))).status_code for _ in range(6)}
        count = len(begun)
        may_go_on.set()
        return codes, count

    monkeypatch.setattr("kpviewer.serving.service.decoded", slowly)
    assert served(ask, limits=Limits(timeout_s=0.05)) == ({504}, 3)


def test_requests_beyond_the_queue_are_refused_at_once():
    engine = FakeEngine(blocks_at={1})

    async def ask(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response, str]:
        first = asyncio.ensure_future(client.post("/detect", content=image(1)))
        await asyncio.to_thread(engine.wait_for, 1)
        refused = await client.post("/detect", content=image(2))
        engine.go_on()
        return await first, refused, (await client.get("/metrics")).text

    first, refused, metrics = served(ask, engine, Limits(queue=1))
    assert (first.status_code, refused.status_code) == (200, 503)
    assert int(refused.headers["retry-after"]) >= 1
    assert engine.seen == [1]
    assert 'kpviewer_rejected_total{reason="busy"} 1.0' in metrics
