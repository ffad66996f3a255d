"""Buttons of the timeline that show a choice: speed, and which frames of a live source."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.timeline.texts import SPEEDS, speed_text
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.menu_entries import add_entry

POLICIES = {
    False: (tr_noop("Newest frame"), tr_noop("Always show the newest frame; skip the rest")),
    True: (
        tr_noop("Every frame"),
        tr_noop("Show every frame; with a slow model the image falls behind"),
    ),
}
"""Policies for live sources, by whether every frame is shown: label and explanation."""


class MenuButton(ToolButton):
    """Button with a text that opens a menu of choices."""

    chosen = pyqtSignal(object)
    """Emitted with the choice."""

    def __init__(self, name: str, tip: str, width_px: int) -> None:
        super().__init__("play", name, tip)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setMinimumWidth(width_px)
        self.setPopupMode(ToolButton.ToolButtonPopupMode.InstantPopup)
        self._choices = QMenu(self)
        self.setMenu(self._choices)

    def add_choice(self, text: str, value: object, tip: str = "") -> None:
        """Add a line to the menu; ``tip`` explains it."""
        self._choices.setToolTipsVisible(bool(tip))
        add_entry(self._choices, text, lambda: self.chosen.emit(value), tip=tip)


def speed_button() -> MenuButton:
    """Make the button of the speeds of playback."""
    button = MenuButton(tr("Speed"), f"{tr('Speed')} ([ ])", 48)
    button.setText(speed_text(1.0))
    for speed in SPEEDS:
        text = tr("As fast as possible") if math.isinf(speed) else speed_text(speed)
        button.add_choice(text, speed)
    return button


def policy_button() -> MenuButton:
    """Make the button that chooses which frames of a live source are shown."""
    name, tip = POLICIES[False]
    button = MenuButton(tr("Frames"), tr(tip), 96)
    button.setText(tr(name))
    for every, (text, explanation) in POLICIES.items():
        button.add_choice(tr(text), every, tr(explanation))
    return button
