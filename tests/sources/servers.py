"""Small servers on the loopback interface: MJPEG over HTTP, H.264 over RTSP, and a silent one.

Each serves connections from a thread, and stops at the end of its ``with`` block.
"""

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import av
import numpy as np

from kpviewer.sources.opencv import cv2

Serve = Callable[[socket.socket], None]
"""Function that serves a connection."""

BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=film\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n" + (
    "a=rtpmap:96 H264/90000\r\na=control:track1\r\n"
)


@contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run ``serve(connection)`` for each connection in turn; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                with suppress(OSError, ValueError), connection:
                    serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        for opened in (listener, *connections):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        thread.join(10)
        assert not thread.is_alive()


def say_nothing(connection: socket.socket) -> None:
    """Read without an answer until the client closes the connection."""
    while connection.recv(4096):
        pass


def mjpeg(images: list[np.ndarray], *, stalls: bool = False, part_head: bytes = BOUNDARY) -> Serve:
    """Serve images as MJPEG; at the end close the connection, or stay silent."""
    answer = [b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"]
    once = {id(image): image for image in images}
    jpegs = {key: cv2.imencode(".jpg", image)[1].tobytes() for key, image in once.items()}
    for data in (jpegs[id(image)] for image in images):
        answer.append(part_head % len(data) + data + b"\r\n")

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"".join(answer))  # at once, as clients are impatient
        if stalls:
            say_nothing(connection)

    return serve


def rtsp(images: list[np.ndarray], *, stalls: bool = False, by_udp: bool = False) -> Serve:
    """Serve images as H.264 in RTP; then close the connection, or stay silent.

    RTP goes inside the RTSP connection, or by UDP alone.
    """
    units = (unit for access_unit in _encode(images) for unit in access_unit)
    packets = [
        struct.pack("!BBHII", 128, 96 | (128 if is_last else 0), number, time_90k, 1) + payload
        for number, (payload, time_90k, is_last) in enumerate(units)
    ]

    def serve(connection: socket.socket) -> None:
        client_port = 0
        for request in _requests(connection):
            method = request.split(" ", 1)[0]
            sequence = re.search(r"CSeq: *(\d+)", request, re.IGNORECASE)
            udp = re.search(r"client_port=(\d+)", request)
            status = "461 Unsupported Transport" if "TCP;" in request and by_udp else "200 OK"
            head = f"RTSP/1.0 {status}\r\nCSeq: {sequence[1] if sequence else 0}\r\n"
            if method == "DESCRIBE":
                head += f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
            elif method == "SETUP" and udp is not None:
                client_port = int(udp[1])
                ports = f"client_port={client_port}-{client_port + 1}"
                head += f"Session: 1\r\nTransport: RTP/AVP;unicast;{ports}\r\n\r\n"
            elif method == "SETUP":
                head += "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
            else:
                head += "Session: 1\r\nPublic: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
            connection.sendall(head.encode())
            if method == "PLAY":
                if client_port:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                        for rtp in packets:
                            sender.sendto(rtp, ("127.0.0.1", client_port))
                else:
                    framed = (struct.pack("!cBH", b"$", 0, len(rtp)) + rtp for rtp in packets)
                    connection.sendall(b"".join(framed))
                if stalls:
                    say_nothing(connection)
                return

    return serve


def _requests(connection: socket.socket) -> Iterator[str]:
    text = ""
    while data := connection.recv(4096):
        text += data.decode("ascii", "replace")
        while "\r\n\r\n" in text:
            request, text = text.split("\r\n\r\n", 1)
            yield request


def _encode(images: list[np.ndarray]) -> Iterator[list[tuple[bytes, int, bool]]]:
    context = av.CodecContext.create("libx264", "w")
    context.height, context.width = images[0].shape[:2]
    context.pix_fmt = "yuv420p"
    context.options = {"tune": "zerolatency", "g": "10", "x264-params": "repeat-headers=1"}
    context.framerate = 25
    for number, image in enumerate([*images, None]):
        frame = None if image is None else av.VideoFrame.from_ndarray(image, format="bgr24")
        for packet in context.encode(frame):
            nals = [nal for nal in re.split(b"\x00\x00\x00?\x01", bytes(packet)) if nal]
            yield [(nal, number * 3600, nal is nals[-1]) for nal in nals]


def http_file(data: bytes, way: str, kind: str = "application/octet-stream") -> Serve:
    """Serve a file by ``way``: "ranges", "pieces", "length", "close" (no length) or "chunked".

    "pieces" are ranges in small pieces, after which the connection is closed unannounced.
    """

    def serve(connection: socket.socket) -> None:
        request = connection.recv(4096).decode("latin-1")
        asked = re.search(r"Range: bytes=(\d+)-(\d*)", request, re.IGNORECASE)
        head, part = "HTTP/1.1 200 OK", data
        has_ranges = way in ("ranges", "pieces")
        if has_ranges and asked:
            start, end = int(asked[1]), int(asked[2] or len(data) - 1)
            part = data[start : end + 1]
            head = "HTTP/1.1 206 Partial Content\r\n"
            head += f"Content-Range: bytes {start}-{start + len(part) - 1}/{len(data)}"
        head += "" if way == "pieces" else "\r\nConnection: close"
        head += f"\r\nContent-Type: {kind}"
        if way == "chunked":
            head += "\r\nTransfer-Encoding: chunked"
            pieces = [part[at : at + 5000] for at in range(0, len(part), 5000)]
            part = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))
        elif way != "close":
            head += f"\r\nContent-Length: {len(part)}"
        head += "\r\nAccept-Ranges: bytes" if has_ranges else ""
        whole, step = f"{head}\r\n\r\n".encode() + part, 700 if way == "pieces" else 2**30
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(whole), step):
            connection.sendall(whole[at : at + step])

    return serve


def http_files(files: dict[str, bytes]) -> Serve:
    """Serve whole files by path."""

    def serve(connection: socket.socket) -> None:
        path = connection.recv(4096).split(b" ")[1].decode()
        data = files.get(path.strip("/"))
        if data is None:
            connection.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)

    return serve


def first_then_silence(data: bytes) -> Serve:
    """Send ``data``, then stay silent without closing the connection."""

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)
        say_nothing(connection)

    return serve
