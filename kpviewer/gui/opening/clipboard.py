"""Opens what is in the clipboard, or was dropped: an address, a path, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData, QUrl
from PyQt6.QtGui import QGuiApplication

from kpviewer.annotations.beside import TRUTH_SUFFIXES, spec_of_file
from kpviewer.gui.language import tr
from kpviewer.gui.settings.recent import MODEL_SUFFIXES

if TYPE_CHECKING:
    from kpviewer.gui.main_window import MainWindow

LONGEST = 4096
"""Characters of an address or a path."""


def paste_into(window: MainWindow) -> None:
    """Open the clipboard's address or path: a model by its ending, else a source."""
    clipboard = QGuiApplication.clipboard()
    text = pasted(clipboard.mimeData()) if clipboard is not None else ""
    if not text:
        window.status_bar.show_message(
            tr("The clipboard holds no address or path. Copy one first.")
        )
        return
    open_in(window, text)


def open_in(window: MainWindow, text: str) -> None:
    """Open an address or a path: a model or annotations by their endings, else a source."""
    ending = "" if "://" in text else Path(text).suffix.lower()
    if ending in MODEL_SUFFIXES:
        window.choose_model(text)
    elif ending in TRUTH_SUFFIXES:
        source = window.session.source_text
        use_truth(window, spec_of_file(Path(text), Path(source) if source else None))
    else:
        window.try_source(text)


def use_truth(window: MainWindow, spec: str) -> None:
    """Judge the source that is watched by annotations; it plays on.

    Args:
        window: whose source it is.
        spec: as for ``read_annotations``; empty is a dialog that was left.
    """
    session = window.session
    if spec and not session.truth.read(session.source_text, spec):
        window.status_bar.show_message(tr("Truth is of a file or a folder: open one first."))


def pasted(data: QMimeData | None) -> str:
    """Give the source that the clipboard or a drag names; empty where it names none."""
    if data is None:
        return ""
    if data.hasUrls():  # of a file manager, or of a browser
        return _named_by(data.urls()[0])
    lines = [line.strip() for line in data.text().splitlines() if line.strip()]
    if len(lines) != 1 or len(lines[0]) > LONGEST:
        return ""
    text = lines[0].strip("\"'")  # shells and file managers quote paths
    return _named_by(QUrl(text)) if text.lower().startswith("file://") else text


def _named_by(url: QUrl) -> str:
    if url.isLocalFile():
        return str(Path(url.toLocalFile()))
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
