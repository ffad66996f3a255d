"""Translation into the language of the application: English, unless the window has another."""

from PyQt6.QtCore import QCoreApplication

CONTEXT = "kpviewer"
"""Context of all texts, shared by window and overlay: one English text has one translation."""


def tr(text: str) -> str:
    """Return ``text`` in the language of the application; insert values afterwards, by ``format``.

    ``text`` must be a literal, or marked by ``tr_noop``: the list of texts to translate is read
    from the code.
    """
    return QCoreApplication.translate(CONTEXT, text)


def tr_noop(text: str) -> str:
    """Mark ``text`` for translation and return it unchanged."""
    return text
