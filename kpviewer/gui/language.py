"""The words of the window: written in English in the code, shown in the user's language.

Every text that a user reads goes through ``tr`` where it is shown. A text in a table that is made
before the application exists is marked by ``tr_noop`` there, and goes through ``tr`` when shown.
"""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

CONTEXT = "kpviewer"
"""One for the whole window: the same English words mean the same everywhere in it."""


def tr(text: str) -> str:
    """Give ``text`` in the language of the application; values go in after, by ``str.format``.

    ``text`` is a literal, or one that ``tr_noop`` has marked: the list of texts to translate is
    read from the code.
    """
    return QCoreApplication.translate(CONTEXT, text)


def tr_noop(text: str) -> str:
    """Mark ``text`` as one to translate; gives it as it is."""
    return text
