"""The server on a real socket: its address, hostile clients, its end."""

import json
import socket
import threading

import httpx
import pytest
from clients import image, server
from fakes import TIMEOUT_S, FakeEngine, eventually

from kpviewer.errors import KpviewerError
from kpviewer.serving import connections
from kpviewer.serving.limits import Limits
from kpviewer.serving.server import is_loopback, listen, url_of


def client_of(port: int, text: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    client.sendall(text)
    return client


def all_of(client: socket.socket) -> bytes:
    """Return what is sent until the connection is closed."""
    received = b""
    with client:
        try:
            while chunk := client.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
    return received


def test_an_image_is_answered_over_a_socket():
    with server() as (_, port):
        answer = httpx.post(f"http://localhost:{port}/detect", content=image(7))
    assert answer.json()["detections"][0]["xyxy"] == [7, 0, 17, 10]
    assert "server" not in answer.headers


@pytest.mark.parametrize("text", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_doesnt_arrive_is_not_waited_for(monkeypatch, text):
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    with server() as (_, port):
        assert all_of(client_of(port, text)) == b""


def test_a_second_head_isnt_waited_for_either(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    with server() as (_, port):
        one = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        received = all_of(client_of(port, one + one[:20]))
    assert received.count(b"HTTP/1.1 200") == 1


def test_an_answer_that_nobody_reads_ends_the_connection(monkeypatch):
    monkeypatch.setattr(connections, "READ_S", 0.05)
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server() as (running, port), client_of(port) as client:
        client.settimeout(None)
        asking = threading.Thread(target=lambda: _send_until_closed(client, asked * 100))
        asking.start()  # the answers fill all buffers between
        asking.join(TIMEOUT_S)
        assert not asking.is_alive()
        eventually(lambda: not running.server_state.connections)


def _send_until_closed(client: socket.socket, text: bytes) -> None:
    try:
        while True:
            client.sendall(text)
    except OSError:
        pass


def test_a_name_of_a_class_that_isnt_encoded_is_refused_by_its_reason():
    with server() as (_, port):
        asked = "POST /detect?classes=顔 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        head, _, body = all_of(client_of(port, asked.encode())).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert "must be encoded" in json.loads(body)["error"]


def test_the_work_of_a_client_that_has_gone_is_given_up():
    engine = FakeEngine(blocks_at={1})
    head = b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    with server(engine, Limits(queue=2)) as (_, port):
        running = client_of(port, head % len(image(1)) + image(1))
        engine.wait_for(1)
        waiting = client_of(port, head % len(image(2)) + image(2))
        waiting.close()
        running.close()
        url = f"http://localhost:{port}"
        eventually(lambda: "kpviewer_queue_depth 0.0" in httpx.get(f"{url}/metrics").text)
        engine.go_on()
        assert httpx.post(f"{url}/detect", content=image(3)).status_code == 200
    assert engine.seen == [1, 3]


def test_the_body_of_an_answer_doesnt_wait_for_the_receipt_of_its_head():
    with server() as (running, port), client_of(port):
        eventually(lambda: len(running.server_state.connections) == 1)
        (connection,) = running.server_state.connections
        used = connection.transport.get_extra_info("socket")
        assert used.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_connections_beyond_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 1)
    with server() as (running, port), client_of(port):
        eventually(lambda: len(running.server_state.connections) == 1)
        answer = httpx.get(f"http://localhost:{port}/health")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_the_end_refuses_what_waits_and_closes_what_is_open():
    engine = FakeEngine(blocks_at={1})
    head = b"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    with server(engine) as (running, port):
        silent = client_of(port)
        uploading = client_of(port, head % 100)
        detecting = client_of(port, head % len(image(1)) + image(1))
        engine.wait_for(1)
        waiting = client_of(port, head % len(image(2)) + image(2))
        metrics = f"http://localhost:{port}/metrics"
        eventually(lambda: "kpviewer_queue_depth 3.0" in httpx.get(metrics).text)
        running.should_exit = True
        received = [all_of(each)[:12] for each in (silent, uploading, detecting, waiting)]
        engine.go_on()
    assert received == [b"", *[b"HTTP/1.1 503"] * 3]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_every_interface_of_ipv6_is_every_one_of_ipv4_too():
    with listen("::", 0) as sock:
        client_of(sock.getsockname()[1]).close()


def test_a_taken_port_is_reported_in_one_line():
    with listen("127.0.0.1", 0) as sock, pytest.raises(KpviewerError, match="is in use") as found:
        listen("127.0.0.1", sock.getsockname()[1])
    assert "\n" not in str(found.value)


def test_another_machines_address_is_reported():
    with pytest.raises(KpviewerError, match="no address of this machine"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.7", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host, expected):
    assert is_loopback(host) is expected


def test_the_address_is_one_for_a_browser():
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        assert url_of(*sock.getsockname()[:2], tls=False) == f"http://127.0.0.1:{port}"
        assert url_of(*sock.getsockname()[:2], tls=True) == f"https://127.0.0.1:{port}"
