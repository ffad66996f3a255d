"""Properties of widgets by which the style sheet selects."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property, and apply the style sheet again if it has changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        style = widget.style()
        if style is not None:  # a changed property has no effect by itself
            style.unpolish(widget)
            style.polish(widget)
