"""Opening of the clipboard's address, path or files; drops are read in the same way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QMimeData, QUrl
from PyQt6.QtGui import QGuiApplication

from kpviewer.gui.language import tr

LONGEST = 4096
"""Greatest length of an address or a path, in characters."""


def paste(open_all: Callable[[list[str]], None], say: Callable[[str], None]) -> None:
    """Open the clipboard's address, path or files; ``say`` reports that it holds none."""
    clipboard = QGuiApplication.clipboard()
    texts = all_pasted(clipboard.mimeData()) if clipboard is not None else []
    if texts:
        open_all(texts)
    else:
        say(tr("The clipboard holds no address or path. Copy one first."))


def pasted(data: QMimeData | None) -> str:
    """Return the first source that the clipboard names; empty if it names none."""
    several = all_pasted(data)
    return several[0] if several else ""


def all_pasted(data: QMimeData | None) -> list[str]:
    """Return the sources named by several files, or by one address or path."""
    if data is None:
        return []
    if data.hasUrls():  # from a file manager or a browser
        return [_named_by(url) for url in data.urls()]
    lines = [line.strip() for line in data.text().splitlines() if line.strip()]
    if len(lines) != 1 or len(lines[0]) > LONGEST:
        return []
    text = lines[0].strip("\"'")  # shells and file managers quote paths
    return [_named_by(QUrl(text)) if text.lower().startswith("file://") else text]


def _named_by(url: QUrl) -> str:
    if url.isLocalFile():
        return str(Path(url.toLocalFile()))
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
