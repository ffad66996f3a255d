"""Buttons of the timeline that show a state: speed, frames of a live source, and the scan."""

import math

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.scanning.scan import ScanState
from kpviewer.gui.views.timeline.texts import SPEEDS, count_text, speed_text
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.menu_entries import add_entry
from kpviewer.gui.widgets.plain_text import plain_tip

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
        self.choice: object = None
        """Present choice, which has a tick in the menu."""
        self._choices = QMenu(self)
        self._choices.aboutToShow.connect(self._show_tick)
        self.setMenu(self._choices)

    def add_choice(self, text: str, value: object, tip: str = "") -> None:
        """Add a line to the menu; ``tip`` explains it."""
        self._choices.setToolTipsVisible(bool(tip))
        entry = add_entry(
            self._choices, text, lambda: self.chosen.emit(value), is_on=False, tip=tip
        )
        entry.setData(value)

    def _show_tick(self) -> None:
        for entry in self._choices.actions():
            entry.setChecked(entry.data() == self.choice)


def speed_tip(text: str) -> str:
    """Return a tooltip that ends with the keys of the speeds."""
    return tooltip(Act.SLOWER, text, Act.FASTER)


def speed_button() -> MenuButton:
    """Make the button of the speeds of playback."""
    button = MenuButton(tr("Speed"), speed_tip(tr("Speed")), 48)
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


_LINE_PX, _INSET_PX = 2, 6


class ScanButton(ToolButton):
    """Button that starts a scan, and while one runs shows its progress and stops it."""

    scan_asked = pyqtSignal()
    cancelled = pyqtSignal()

    def __init__(self) -> None:
        super().__init__("play", tr("Scan all"), "")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setProperty("kind", "plain")  # with a frame: it is the one thing to press here
        self._state, self._is_short = ScanState(), False
        self.clicked.connect(self._on_clicked)
        self.set_short(is_short=False)
        self.show_state(None)

    def set_short(self, *, is_short: bool) -> None:
        """Set whether the rate is left out."""
        self._is_short = is_short
        # The longest text keeps the width: what runs must not push its neighbours about.
        longest = "100 %  ✕" if is_short else "100 % · 1000 fps  ✕"
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(longest) + 16)
        self.setText(_text(self._state, is_short=is_short))

    def show_state(self, state: ScanState | None) -> None:
        """Show the state of the scan; None: nothing here can be scanned."""
        self.setVisible(state is not None)
        state = state or ScanState()
        self._state = state
        self.setText(_text(state, is_short=self._is_short))
        self.setEnabled(
            state.hindrance is None and not (state.is_complete and not state.is_running)
        )
        self.setToolTip(plain_tip(_tip(state)))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the share that was scanned as a line at the bottom."""
        super().paintEvent(event)
        state = self._state
        if not state.total or not state.done or state.is_complete:
            return
        painter = QPainter(self)
        room = QRectF(self.rect()).adjusted(_INSET_PX, 0, -_INSET_PX, 0)
        room.setTop(room.bottom() - _LINE_PX - 1)
        room.setHeight(_LINE_PX)
        painter.fillRect(room, self.palette().color(QPalette.ColorRole.Light))
        room.setWidth(room.width() * min(state.done / state.total, 1.0))
        role = QPalette.ColorRole.WindowText if state.is_running else QPalette.ColorRole.Mid
        painter.fillRect(room, self.palette().color(role))
        painter.end()

    def _on_clicked(self) -> None:
        (self.cancelled if self._state.is_running else self.scan_asked).emit()


def _text(state: ScanState, *, is_short: bool) -> str:
    """Return the text of the button."""
    if not state.is_running:
        return tr("Scanned") if state.is_complete else tr("Scan all")
    share = f"{100 * state.done // state.total} %" if state.total else count_text(state.done)
    rate = f" · {state.rate_fps:.0f} fps" if state.rate_fps and not is_short else ""
    return f"{share}{rate}  ✕"


def _tip(state: ScanState) -> str:
    """Return the tooltip of the button."""
    if state.hindrance is not None:
        return state.hindrance
    if state.is_running:
        return tr("Stop the scan; what was scanned stays")
    if state.is_complete:
        return tr("Every frame is scanned")
    tip = tr("Run the model over the whole source in the background")
    return f"{state.failure}\n{tip}" if state.failure is not None else tip
