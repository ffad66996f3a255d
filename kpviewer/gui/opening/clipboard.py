"""Opening of the clipboard's address, path or files; drops are read in the same way."""

import re
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QMimeData, QUrl
from PyQt6.QtGui import QGuiApplication

from kpviewer.gui.language import tr

LONGEST = 4096
"""Greatest length of an address or a path, in characters."""
MOST = 1000
"""Greatest number of lines, one address or path each."""
_FILE = re.compile("file://", re.IGNORECASE)
_PLACE = re.compile(r"[a-z][a-z0-9+.-]*://|[/~]|[a-z]:[/\\]|\\\\", re.IGNORECASE)
"""Beginning of an address or a whole path: several lines of other text are prose."""


def paste(open_all: Callable[[list[str]], None], say: Callable[[str], None]) -> None:
    """Open the clipboard's address, path or files; ``say`` reports that it holds none."""
    if texts := in_clipboard():
        open_all(texts)
    else:
        say(tr("The clipboard holds no address or path. Copy one first."))


def in_clipboard() -> list[str]:
    """Return the sources that the clipboard names."""
    clipboard = QGuiApplication.clipboard()
    return all_pasted(clipboard.mimeData()) if clipboard is not None else []


def all_pasted(data: QMimeData | None) -> list[str]:
    """Return the sources named by several files, or by addresses and paths, a line each."""
    if data is None:
        return []
    if data.hasUrls():  # from a file manager or a browser
        return [_named_by(url) for url in data.urls()]
    lines = [line.strip() for line in data.text().splitlines() if line.strip()]
    texts = [line.strip("\"'") for line in lines]  # shells and file managers quote paths
    is_prose = len(texts) > 1 and not all(_PLACE.match(text) for text in texts)
    if is_prose or len(texts) > MOST or any(len(line) > LONGEST for line in lines):
        return []
    return [_named_by(QUrl(text)) if _FILE.match(text) else text for text in texts]


def _named_by(url: QUrl) -> str:
    if url.isLocalFile():
        return str(Path(url.toLocalFile()))
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
