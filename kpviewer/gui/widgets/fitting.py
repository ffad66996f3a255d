"""Widgets that are sized and styled anew, as their text or a property has just changed."""

import re

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import QScrollArea, QWidget


def fit_to_contents(widget: QWidget) -> None:
    """Resize a widget to its contents.

    ``adjustSize`` alone uses sizes that the layouts cached for the previous text.
    """
    layout = widget.layout()
    if layout is not None:
        layout.invalidate()
        layout.activate()
    widget.adjustSize()


_UNBROKEN = re.compile(r"(?:[^\s/\-\u2e80-\ud7ff\uf900-\uffef]|[/-](?=\d))+[/-]?")
"""Part of a text that Qt breaks nowhere: it breaks Chinese, Japanese and Korean anywhere, and other
words after a slash or a hyphen, unless a digit follows."""


_JOINER = "\u2060"
"""Character without width that keeps Qt from breaking a line there."""


def with_short_words(text: str, metrics: QFontMetrics, width: int) -> str:
    """Return a text to wrap; words that are longer than a line of so many px lose their middle."""
    middle = Qt.TextElideMode.ElideMiddle

    def short(word: re.Match[str]) -> str:
        shown = metrics.elidedText(word[0], middle, width)
        return shown if shown == word[0] else shown.replace("…", f"{_JOINER}…{_JOINER}")

    return _UNBROKEN.sub(short, text)


def beginning_that_fits(text: str, metrics: QFontMetrics, width: int, height: int) -> str:
    """Return the words of a wrapped text that fit into an area in px; at least the first one."""
    room, wrap = QRect(0, 0, width, height), Qt.TextFlag.TextWordWrap
    shown = with_short_words(text, metrics, width)
    words = shown.split()
    while len(words) > 1 and metrics.boundingRect(room, wrap, shown).height() > height:
        words.pop()
        shown = f"{' '.join(words)} …"
    return shown


_AROUND = QSize(88, 220)
"""Room for a dialog's other parts, its margins and its frame, px."""


def room_on_screen(widget: QWidget) -> QSize:
    """Return the greatest size in px of the part of a dialog that scrolls."""
    screen = widget.screen()
    return screen.availableSize() - _AROUND if screen is not None else QSize(*[2**15] * 2)


def scrolling(inside: QWidget, room: QSize, height_px: int | None = None) -> QScrollArea:
    """Return an area that shows a widget whole where there is room, and else scrolls.

    Args:
        inside: the widget.
        room: greatest size of the area, px.
        height_px: height that is enough; None: that of the widget.
    """
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(inside)
    hint, bar = inside.sizeHint(), area.verticalScrollBar()
    width = hint.width() + (bar.sizeHint().width() if bar is not None else 0)
    height = hint.height() if height_px is None else height_px
    area.setMinimumSize(QSize(width + 2, height + 2).boundedTo(room))
    return area


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property, and apply the style sheet again if it has changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        style = widget.style()
        if style is not None:  # a changed property has no effect by itself
            style.unpolish(widget)
            style.polish(widget)
