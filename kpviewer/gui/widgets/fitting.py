"""Sizes of widgets whose text has just changed."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget


def fit_to_contents(widget: QWidget) -> None:
    """Resize a widget to what it holds now.

    ``adjustSize`` alone goes by sizes that the layouts inside remember from the text before.
    """
    layout = widget.layout()
    if layout is not None:
        layout.invalidate()
        layout.activate()
    widget.adjustSize()
