"""Opens what is in the clipboard: an address, a path, or a file that was copied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData, QUrl
from PyQt6.QtGui import QGuiApplication

from kpviewer.gui.menus import MODEL_SUFFIXES

if TYPE_CHECKING:
    from kpviewer.gui.main_window import MainWindow

LONGEST = 4096
"""Characters of an address or a path."""


def paste_into(window: MainWindow) -> None:
    """Open the clipboard's address or path: a model by its ending, else a source."""
    clipboard = QGuiApplication.clipboard()
    text = pasted(clipboard.mimeData()) if clipboard is not None else ""
    if not text:
        window.status_bar.show_message("The clipboard holds no address or path. Copy one first.")
        return
    is_model = "://" not in text and text.lower().endswith(MODEL_SUFFIXES)
    (window.choose_model if is_model else window.choose_source)(text)


def pasted(data: QMimeData | None) -> str:
    """Give the source that the clipboard names; empty where it names none."""
    if data is None:
        return ""
    if data.hasUrls() and data.urls()[0].isLocalFile():  # a file manager's copy
        return _local(data.urls()[0])
    lines = [line.strip() for line in data.text().splitlines() if line.strip()]
    if len(lines) != 1 or len(lines[0]) > LONGEST:
        return ""
    text = lines[0].strip("\"'")  # shells and file managers quote paths
    return _local(QUrl(text)) if text.lower().startswith("file://") else text


def _local(url: QUrl) -> str:
    return str(Path(url.toLocalFile()))
