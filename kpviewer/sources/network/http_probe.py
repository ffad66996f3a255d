"""Probe of a web address, to name what it serves if it isn't video."""

import base64
import contextlib
import http.client
import urllib.request
from dataclasses import dataclass

from kpviewer.image_files import image_format
from kpviewer.sources.network.address import split_address

_HEAD_BYTES = 512
_HEADERS = {"User-Agent": "kpviewer", "Range": f"bytes=0-{_HEAD_BYTES - 1}"}


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Beginning of a server's response."""

    content_type: str
    head: bytes
    accepts_ranges: bool
    """Whether the server supports range requests."""

    @property
    def is_image_stream(self) -> bool:
        """Whether a camera's first image has begun to arrive."""
        return self.content_type.startswith("multipart/") and b"\xff\xd8\xff" in self.head

    @property
    def is_jpeg(self) -> bool:
        """Whether it is one JPEG, or a camera's JPEG images without the headers of parts."""
        return self.image_format == "JPEG" or self.content_type.startswith("multipart/")

    @property
    def image_format(self) -> str | None:
        """Format of a still image; None for anything else."""
        return image_format(self.head)

    @property
    def is_mp4(self) -> bool:
        """Whether it begins as an MP4."""
        return self.head[4:8] == b"ftyp"

    @property
    def is_web_page(self) -> bool:
        """Whether the response is HTML."""
        start = self.head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return start.startswith((b"<!doctype html", b"<html")) or "html" in self.content_type


def probe(url: str, timeout_s: float) -> HttpProbe | None:
    """Read the beginning of an http(s) response; return None if there is no response.

    Args:
        url: address; its user name and password are sent to its own host only.
        timeout_s: time limit for the connection, and again for the response.
    """
    try:
        with get(url, timeout_s, _HEADERS) as response:
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            head = b""
            with contextlib.suppress(OSError):  # the content type of a slow response is known
                head = response.read1(_HEAD_BYTES)
            return HttpProbe(kind, head, response.status == http.HTTPStatus.PARTIAL_CONTENT)
    except (OSError, ValueError, http.client.HTTPException):
        return None


def get(url: str, timeout_s: float, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Send a request to an http(s) address; its password is sent to its own host only.

    Raises:
        OSError, ValueError, http.client.HTTPException: if the request fails.
    """
    address = split_address(url)
    request = urllib.request.Request(address.without_credentials, headers=headers)
    if address.credentials is not None:
        secret = base64.b64encode(address.credentials.encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {secret}")
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout_s)
    return response
