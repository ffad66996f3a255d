"""Plain text for labels and tooltips: names of files, classes and tensors are untrusted.

Qt renders a text with a tag as HTML, and loads the images that it names.
"""

from __future__ import annotations

from html import escape

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel

NAME_CHARS = 34
"""Greatest length of a shortened name."""


class Label(QLabel):
    """Label without markup. Every label of the window is one."""

    def __init__(
        self, text: str = "", kind: str = "", *, wraps: bool = False, name: str = ""
    ) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setProperty("kind", kind)
        self.setWordWrap(wraps)
        self.setAccessibleName(name)


def plain_tip(text: str) -> str:
    """Return a tooltip that Qt shows without interpreting markup."""
    if not Qt.mightBeRichText(text):  # type: ignore[attr-defined]  # the stubs lack it
        return text
    return f'<span style="white-space:pre-wrap">{escape(text)}</span>'


def without_mnemonic(text: str) -> str:
    """Return a text for a menu or a button, with & escaped: it would mark a letter."""
    return text.replace("&", "&&")


def one_line(text: str) -> str:
    """Return a text without line breaks and tabs, for a row that has room for one line."""
    return " ".join(text.split())


def number_text(value: float | None, digits: int = 2) -> str:
    """Return a number with so many digits after the point; None is a dash."""
    return "–" if value is None else f"{value:z,.{digits}f}"


def shortened(name: str) -> str:
    """Return a name; a long one without its middle."""
    half = NAME_CHARS // 2
    return name if len(name) <= NAME_CHARS else f"{name[: half - 1]}…{name[-half:]}"
