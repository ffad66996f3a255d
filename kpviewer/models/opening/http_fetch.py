"""A file from an HTTP server, from any of its bytes on."""

import http
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

TIMEOUT_S = 15.0
"""Time limit of one answer of the server, s."""
HTTP_ERRORS = (OSError, http.client.HTTPException)
"""Errors of a connection."""


@contextmanager
def fetched(url: str, begin: int = 0) -> Iterator[tuple[IO[bytes], bool]]:
    """Open an address.

    Yields:
        The answer, and whether it begins at ``begin``; otherwise it is the whole file.

    Raises:
        OSError, http.client.HTTPException: if it can't be fetched.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "kpviewer"})
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    opener = urllib.request.build_opener(_SameScheme)
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        yield answer, answer.status == http.HTTPStatus.PARTIAL_CONTENT


def reason_of(error: Exception) -> str:
    """Return why a file can't be fetched or stored, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    if isinstance(error, urllib.error.URLError):
        error = error.reason if isinstance(error.reason, Exception) else OSError(error.reason)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Handler of redirects that never leave https."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Follow a redirect of the same scheme."""
        if newurl.partition(":")[0].lower() != req.type:
            raise urllib.error.URLError("it redirects to another protocol")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
