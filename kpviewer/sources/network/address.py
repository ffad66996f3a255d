"""Parser of network addresses that agrees with FFmpeg: a password may hold brackets."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

SCHEMES = ("rtsp", "rtsps", "http", "https")
"""Schemes of addresses that can be opened."""

_PARTS = re.compile(
    r"(?P<scheme>[^:/]*)://(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#@]*)(?P<path>[^?#]*)(?P<query>[^#]*)"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Parts of ``scheme://user:password@host:port/path?query``."""

    scheme: str
    credentials: str | None
    """User name and, behind a colon, the password; both decoded."""
    host_port: str
    path: str
    query: str
    """Query with its question mark; empty if there is none."""

    @property
    def host(self) -> str:
        """Host name or IP address, without brackets and port."""
        if self.host_port.startswith("["):
            return self.host_port[1:].partition("]")[0]
        return self.host_port.partition(":")[0]

    @property
    def is_http(self) -> bool:
        """Whether the scheme is http or https."""
        return self.scheme in ("http", "https")

    @property
    def suffix(self) -> str:
        """Suffix of the file name."""
        return PurePosixPath(self.path).suffix

    @property
    def without_credentials(self) -> str:
        """Address for a request that sends the credentials in a header."""
        return f"{self.scheme}://{self.host_port}{self.path or '/'}{self.query}"


def split_address(url: str) -> Address:
    """Split an address; the parts are empty if the text isn't an address."""
    parts = _PARTS.match(url)
    if parts is None:
        return Address("", None, "", "", "")
    user = parts["user"]
    credentials = None if user is None else unquote(user)
    return Address(
        parts["scheme"].lower(), credentials, parts["host"], parts["path"], parts["query"]
    )
