"""The server: a socket, uvicorn with its limits, and a prompt end."""

import errno
import ipaddress
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from kpviewer.errors import KpviewerError
from kpviewer.runtime.process.threads import is_main_thread
from kpviewer.serving.connections import HttpConnection, StreamConnection
from kpviewer.serving.service import Service
from kpviewer.serving.tls import Certificate
from kpviewer.system.interrupts import Interrupted, ending_signals

_LONGEST_HEAD = 16 * 2**10
"""Bytes of a request's head."""
_GRACE_S = 0.3
"""Time for running requests to end."""


class Server(uvicorn.Server):
    """uvicorn for one service."""

    def __init__(self, app: FastAPI, service: Service, tls: Certificate | None = None) -> None:
        # They log requests, with their addresses, and errors that are answers here.
        for name in ("uvicorn", "python_multipart"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        config = uvicorn.Config(
            app,
            http=HttpConnection,
            ws=StreamConnection,
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
            ws_max_size=service.limits.max_bytes,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=cast("int", _GRACE_S),  # asyncio takes fractions
            ssl_certfile=tls.path if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        super().__init__(config)
        self.service = service
        self.ended_by: list[int] = []
        """Numbers of the signals that ended the server."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the service, then the connections."""
        self.service.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End the server at every signal that ends a program, for the duration of the block."""
        if not is_main_thread():
            yield
            return
        before = {each: signal.signal(each, self._on_signal) for each in ending_signals()}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self.ended_by.append(number)


def run_server(server: Server, sock: socket.socket) -> None:
    """Serve until a signal ends the program.

    Raises:
        Interrupted: afterwards, with everything closed.
    """
    server.run([sock])
    if server.ended_by:
        raise Interrupted(server.ended_by[0])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one.

    Raises:
        KpviewerError: if the port is taken, or there is no such interface.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        is_every = address[0] == "::" and socket.has_dualstack_ipv6()  # that is IPv4, too
        return socket.create_server(
            address[:2], family=family, backlog=128, dualstack_ipv6=is_every
        )
    except OSError as error:
        raise KpviewerError(_reason(error, host, port)) from error


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def url_of(host: str, port: int, *, tls: bool) -> str:
    """Return the address of a server for a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use. Choose another with --port; 0 finds a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs administrator rights. Choose one above 1023 with --port."
    return f"{host} is no address of this machine. Choose another --host."
