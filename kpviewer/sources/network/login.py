"""Login that a server asks for and FFmpeg can't give."""

import contextlib
import http.client
import re
import socket
import ssl
from urllib.parse import urlsplit

from kpviewer.sources.network.address import split_address

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_LINE_BYTES = 1000
_ALGORITHM = re.compile(r'\balgorithm\s*=\s*"?([\w-]+)', re.IGNORECASE)


def unknown_login(url: str, timeout_s: float) -> str | None:
    """Return the Digest algorithm that FFmpeg would need to log in, such as SHA-256.

    It knows MD5 alone, and of several Digest challenges it reads only the last. No password is
    sent.

    Returns:
        None if FFmpeg can log in, the address has no user, or there is no answer.
    """
    if split_address(url).credentials is None:
        return None
    challenges: list[str] = []
    with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
        challenges = _challenges(split_address(url).without_credentials, timeout_s)
    digests = [each for each in challenges if each.lower().startswith("digest ")]
    found = _ALGORITHM.search(digests[-1]) if digests else None
    return None if found is None or found[1].upper() in ("MD5", "MD5-SESS") else found[1]


def _challenges(url: str, timeout_s: float) -> list[str]:
    """Return the ``WWW-Authenticate`` headers of an address."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    request = f"GET {parts.path}?{parts.query} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    if parts.scheme.startswith("rtsp"):
        request = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection((host, port), timeout_s))
        if parts.scheme.endswith("s"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as FFmpeg
            connection = stack.enter_context(context.wrap_socket(connection))
        connection.sendall(request.encode())
        answer = stack.enter_context(connection.makefile("rb"))
        answer.readline(_LINE_BYTES)
        return http.client.parse_headers(answer).get_all("WWW-Authenticate") or []
