"""The files of the live page, and the headers under which a browser runs them.

Plain HTML, CSS and JavaScript, which load nothing from elsewhere. Every file needs the token of
the service, so the page's own address, with its token, is the one to open.
"""

from importlib.resources import files
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import Response

_KINDS = {"css": "text/css", "js": "text/javascript", "html": "text/html"}
NAMES = ("page.css", "page.js", "camera.js", "channel.js", "controls.js", "video.js")
"""Files that ``index.html`` and its scripts ask for."""
_QUERY = "{query}"
"""Place for the token in ``index.html``."""

HEADERS = {
    "Content-Security-Policy": "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}  # fmt: skip


class PageFile(NamedTuple):
    """A file of the page."""

    text: str
    kind: str

    def response(self) -> Response:
        """Return the file with its headers."""
        return Response(self.text, media_type=f"{self.kind}; charset=utf-8", headers=HEADERS)


def page_file(name: str) -> PageFile:
    """Read a file of the page."""
    kind = _KINDS[name.rpartition(".")[2]]
    return PageFile(files("kpviewer.serving").joinpath("page", name).read_text("utf-8"), kind)


def index(token: str | None) -> PageFile:
    """Return the page, whose files are asked for with the token."""
    page = page_file("index.html")
    query = f"?{urlencode({'token': token})}" if token else ""
    return page._replace(text=page.text.replace(_QUERY, query))


def icon() -> Response:
    """Return the icon of kpviewer."""
    svg = files("kpviewer.desktop").joinpath("kpviewer.svg").read_text("utf-8")
    return Response(svg, media_type="image/svg+xml", headers=HEADERS)
