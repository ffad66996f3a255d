"""Words in the language of the application: English, unless the window has another."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

CONTEXT = "kpviewer"
"""One for window and overlay: the same English words mean the same everywhere."""


def tr(text: str) -> str:
    """Give ``text`` in the language of the application; values go in after, by ``str.format``.

    ``text`` is a literal, or one that ``tr_noop`` has marked: the list of texts to translate is
    read from the code.
    """
    return QCoreApplication.translate(CONTEXT, text)


def tr_noop(text: str) -> str:
    """Mark ``text`` as one to translate; gives it as it is."""
    return text
