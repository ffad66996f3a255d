"""Resizing of widgets whose text has just changed."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget


def fit_to_contents(widget: QWidget) -> None:
    """Resize a widget to its contents.

    ``adjustSize`` alone uses sizes that the layouts cached for the previous text.
    """
    layout = widget.layout()
    if layout is not None:
        layout.invalidate()
        layout.activate()
    widget.adjustSize()
