"""``WS /stream`` on a real socket: frames up, detections down."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from clients import image, server
from fakes import TIMEOUT_S, FakeEngine
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from kpviewer.serving.limits import Limits


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Port of a server that several tests use."""
    with server() as (_, port):
        yield port


def opened(port: int, query: str = "", **options: Any) -> connect:
    return connect(f"ws://127.0.0.1:{port}/stream{query}", **options)


@contextmanager
def stream(
    engine: FakeEngine | None = None, limits: Limits | None = None
) -> Iterator[ClientConnection]:
    """Open a stream to a server of its own."""
    with server(engine, limits) as (_, port), opened(port) as client:
        yield client


def answer(client: ClientConnection) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(client.recv(TIMEOUT_S))
    return value


def test_frames_are_answered_with_lines_of_result_files(port):
    with opened(port) as client:
        client.send(image(3))
        first = answer(client)
        client.send(image(4))
        second = answer(client)
    assert [first["index"], second["index"]] == [0, 1]
    assert [each["detections"][0]["xyxy"][0] for each in (first, second)] == [3, 4]


def test_the_newest_frame_wins():
    engine = FakeEngine(blocks_at={1})
    with server(engine) as (_, port), opened(port) as client:
        for number in range(1, 9):
            client.send(image(number))
            engine.wait_for(1)
        client.send(json.dumps({"conf": 7}))  # answered at once: all frames have arrived
        assert "conf" in answer(client)["error"]
        engine.go_on()
        found = [answer(client)["index"], answer(client)["index"]]
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'kpviewer_rejected_total{reason="replaced frame"} 6.0' in metrics
    assert found == [0, 7]
    assert engine.seen == [1, 8]


def test_a_text_message_changes_the_thresholds(port):
    with opened(port, "?conf=0.5") as client:
        counts = []
        for text in ("", '{"conf": 1}', '{"conf": 0.1, "classes": "thing"}'):
            if text:
                client.send(text)
            client.send(image())
            counts.append(len(answer(client)["detections"]))
    assert counts == [1, 0, 1]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"", "no image"),
        (b"garbage", "no JPEG"),
        ("garbage", "must be a JSON object"),
        ("[1]", "must be a JSON object"),
        ('{"conf": "high"}', "conf must be a valid number"),
        ('{"classes": "cat"}', "'cat' is no class"),
    ],
)
def test_a_wrong_message_is_answered_and_the_stream_goes_on(port, message, words):
    with opened(port) as client:
        client.send(message)
        assert words in answer(client)["error"]
        client.send(image())
        assert len(answer(client)["detections"]) == 1


def test_a_model_that_fails_at_a_frame_is_reported_with_its_index():
    with stream(FakeEngine(fails_at={1: RuntimeError("broken")})) as client:
        client.send(image(1))
        failed = answer(client)
        client.send(image(2))
        assert answer(client)["index"] == 1
    assert failed == {"index": 0, "error": "The model failed: RuntimeError: broken"}


def test_a_stream_without_frames_is_closed():
    with stream(limits=Limits(idle_s=0.05)) as client, pytest.raises(ConnectionClosed) as closed:
        client.recv(TIMEOUT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert "No frame" in closed.value.rcvd.reason


def test_a_stream_that_waits_for_an_answer_is_not_idle():
    engine = FakeEngine(blocks_at={1})
    with stream(engine, Limits(idle_s=0.05)) as client:
        client.send(image(1))
        engine.wait_for(1)
        with pytest.raises(TimeoutError):
            client.recv(0.2)
        engine.go_on()
        assert len(answer(client)["detections"]) == 1


def test_a_frame_without_an_answer_in_time_is_reported_with_its_index():
    engine = FakeEngine(blocks_at={1})
    with stream(engine, Limits(timeout_s=0.05)) as client:
        client.send(image(1))
        late = answer(client)
        engine.go_on()
    assert late == {"index": 0, "error": "There was no answer within 0.05 s. Try again."}


def test_a_frame_has_the_thresholds_of_its_arrival():
    engine = FakeEngine(blocks_at={1})
    with stream(engine) as client:
        client.send(image(1))
        engine.wait_for(1)
        client.send(image(2))
        client.send('{"conf": 1}')
        client.send('{"conf": 7}')  # answered at once: all messages have arrived
        assert "conf" in answer(client)["error"]
        engine.go_on()
        assert [len(answer(client)["detections"]) for _ in range(2)] == [1, 1]
        client.send(image(3))
        assert answer(client)["detections"] == []


def test_a_message_that_is_too_large_closes_the_stream():
    limits = Limits(max_bytes=1000)
    with stream(limits=limits) as client, pytest.raises(ConnectionClosed) as closed:
        client.send(bytes(1001))
        client.recv(TIMEOUT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("query", "origin", "status"),
    [
        ("?conf=7", None, 422),
        ("?conf=0.1&conf=0.9", None, 422),
        ("?classes=cat", None, 422),
        ("", "http://example.org", 403),
    ],
)
def test_a_stream_is_refused_before_it_opens(port, query, origin, status):
    with pytest.raises(InvalidStatus) as refused, opened(port, query, origin=origin):
        pass
    assert refused.value.response.status_code == status
    assert b'{"error":' in refused.value.response.body


def test_a_stream_at_another_address_is_refused_by_its_reason(port):
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{port}/streams"):
        pass
    assert refused.value.response.status_code == 404
    assert b"There is no such address" in refused.value.response.body


def test_streams_beyond_the_limit_are_refused():
    with server(limits=Limits(streams=1)) as (_, port):
        with opened(port), pytest.raises(InvalidStatus) as refused, opened(port):
            pass
        assert refused.value.response.status_code == 503
