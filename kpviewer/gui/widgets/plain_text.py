"""Text that is shown letter by letter: names of files, classes and tensors come from strangers.

Qt takes a text with a tag in it for HTML, and loads the images that it names.
"""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel


class Label(QLabel):
    """A label that shows its text as it is. Every label of the window is one."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def plain_tip(text: str) -> str:
    """Write a text as a tooltip that Qt shows letter by letter."""
    if not Qt.mightBeRichText(text):  # type: ignore[attr-defined]  # the stubs lack it
        return text
    return f'<span style="white-space:pre-wrap">{escape(text)}</span>'


def without_mnemonic(text: str) -> str:
    """Write a text for a menu or a button: a single & would mark a letter."""
    return text.replace("&", "&&")
