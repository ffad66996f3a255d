"""Splits a network address as FFmpeg does: a password may hold brackets. Imports nothing heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

_PARTS = re.compile(
    r"(?P<scheme>[^:/]*)://(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#@]*)(?P<path>[^?#]*)(?P<query>[^#]*)"
)


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of ``scheme://user:password@host:port/path?query``."""

    scheme: str
    credentials: str | None
    """User name, and behind a colon the password, both decoded."""
    host_port: str
    path: str
    query: str
    """With its question mark; empty where there is none."""

    @property
    def host(self) -> str:
        """Name or number of the host, without brackets and port."""
        if self.host_port.startswith("["):
            return self.host_port[1:].partition("]")[0]
        return self.host_port.partition(":")[0]

    @property
    def is_http(self) -> bool:
        """Whether it is http or https."""
        return self.scheme in ("http", "https")

    @property
    def suffix(self) -> str:
        """Ending of the file name."""
        return PurePosixPath(self.path).suffix

    @property
    def without_credentials(self) -> str:
        """The address for a request that carries them in its head."""
        return f"{self.scheme}://{self.host_port}{self.path or '/'}{self.query}"


def split_address(url: str) -> Address:
    """Split an address; what isn't one has empty parts."""
    parts = _PARTS.match(url)
    if parts is None:
        return Address("", None, "", "", "")
    user = parts["user"]
    credentials = None if user is None else unquote(user)
    return Address(
        parts["scheme"].lower(), credentials, parts["host"], parts["path"], parts["query"]
    )
