"""Rows and columns of widgets, each laid out in one expression."""

from typing import TypeVar

from PyQt6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

Part = QWidget | QLayout | int | None
"""A widget or a layout; an int is a space in px, and FILL takes the room that is left."""
FILL = None
Margins = int | tuple[int, int, int, int]
"""Margins in px: the same at all sides, or left, top, right and bottom."""
DIALOG: Margins = (24, 20, 24, 20)
"""Margins of a dialog."""
_Box = TypeVar("_Box", bound=QBoxLayout)


def row_of(
    *parts: Part,
    gap: int = -1,
    margins: Margins = 0,
    grows: Part = None,
    into: QWidget | None = None,
) -> QHBoxLayout:
    """Return a layout with parts side by side.

    Args:
        parts: what is laid out, from the left.
        gap: distance of the parts, px; -1: as in the layout around it.
        margins: room around them; -1: the usual one.
        grows: part that takes the room that is left.
        into: widget that gets the layout.
    """
    return _filled(QHBoxLayout(into), parts, gap, margins, grows)


def column_of(
    *parts: Part,
    gap: int = -1,
    margins: Margins = 0,
    grows: Part = None,
    into: QWidget | None = None,
) -> QVBoxLayout:
    """Return a layout with parts below each other; otherwise as ``row_of``."""
    return _filled(QVBoxLayout(into), parts, gap, margins, grows)


def grid_of(across: int, down: int, into: QWidget | None = None) -> QGridLayout:
    """Return an empty grid without margins, with gaps between its columns and its rows in px."""
    layout = QGridLayout(into)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(across)
    layout.setVerticalSpacing(down)
    return layout


def boxed(layout: QLayout) -> QWidget:
    """Return a widget with this layout."""
    widget = QWidget()
    widget.setLayout(layout)
    return widget


def _filled(layout: _Box, parts: tuple[Part, ...], gap: int, margins: Margins, grows: Part) -> _Box:
    layout.setContentsMargins(*((margins,) * 4 if isinstance(margins, int) else margins))
    layout.setSpacing(gap)
    for part in parts:
        stretch = int(part is grows)
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, int):
            layout.addSpacing(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part, stretch)
        else:
            layout.addWidget(part, stretch)
    return layout
