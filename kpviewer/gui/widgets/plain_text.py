"""Plain text for labels and tooltips: names of files, classes and tensors are untrusted.

Qt renders a text with a tag as HTML, and loads the images that it names.
"""

from html import escape

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel

from kpviewer.gui.widgets.fitting import with_short_words

NAME_CHARS = 34
"""Greatest length of a shortened name."""
WORD_PX = 96
"""Width that a label of several lines has at least for a word; longer ones lose their middle."""


_HALF_WIDTH = {0xFEE0 + each: each for each in range(ord("!"), ord("~") + 1)}


def half_width(text: str) -> str:
    """Return a typed text in ASCII where it is in full width, as Chinese keyboards write signs."""
    return text.translate(_HALF_WIDTH)


class Label(QLabel):
    """Label without markup. Every label of the window is one.

    One that wraps shows a word that is longer than a line, such as the name of a file, without its
    middle. Qt would make the label as wide as the word, and with it a panel that scrolls.
    """

    def __init__(
        self, text: str = "", kind: str = "", *, wraps: bool = False, name: str = ""
    ) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setProperty("kind", kind)
        self.setWordWrap(wraps)
        self.setAccessibleName(name)

    def minimumSizeHint(self) -> QSize:
        """Return the least size; a long word doesn't count."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), WORD_PX), hint.height()) if self.wordWrap() else hint

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the text."""
        room, text = self.contentsRect(), self.text()
        shown = (
            with_short_words(text, self.fontMetrics(), room.width()) if self.wordWrap() else text
        )
        style = self.style()
        if shown == text or style is None:
            super().paintEvent(event)
            return
        flags = self.alignment() | Qt.TextFlag.TextWordWrap
        painter = QPainter(self)
        style.drawItemText(
            painter,
            room,
            int(flags),
            self.palette(),
            self.isEnabled(),
            shown,
            self.foregroundRole(),
        )
        painter.end()


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
