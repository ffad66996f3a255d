"""Button that shows a key, and takes another one that is pressed after a click."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QKeyCombination, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent, QKeySequence

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.plain_text import without_mnemonic

_Key = Qt.Key
_MODIFIERS = (_Key.Key_Shift, _Key.Key_Control, _Key.Key_Alt, _Key.Key_AltGr, _Key.Key_Meta)
_NAMED = (_Key.Key_Shift, _Key.Key_unknown, Qt.Key(0))


class KeyButton(PushButton):
    """Button for a key; Esc ends the wait for another one."""

    pressed_key = pyqtSignal(str)
    """Emitted with a key in Qt's portable notation, while the button waits for one."""

    _is_waiting = False  # Qt sends events before __init__ has ended

    def __init__(self, name: str) -> None:
        super().__init__("")
        self.setProperty("kind", "key")
        self.setAccessibleName(name)
        self.setToolTip(tr("Click, then press another key"))
        self._text = ""
        self.clicked.connect(lambda: self.wait(is_on=True))

    @property
    def is_waiting(self) -> bool:
        """Whether the next key is taken."""
        return self._is_waiting

    def show_key(self, text: str) -> None:
        """Show a key."""
        self._text = text
        self._update()

    def wait(self, *, is_on: bool) -> None:
        """Wait for a key, or no longer."""
        self._is_waiting = is_on
        if is_on:
            self.setFocus()
        self._update()

    def event(self, event: QEvent | None) -> bool:
        """Keep keys from shortcuts and from moving the focus while waiting for one."""
        if self._is_waiting and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._take(event)
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Wait no longer."""
        super().focusOutEvent(event)
        self.wait(is_on=False)

    def _take(self, event: QKeyEvent) -> None:
        if event.key() == _Key.Key_Escape:
            self.wait(is_on=False)
        elif event.key() not in (*_MODIFIERS, *_NAMED):
            self.pressed_key.emit(portable(event))

    def _update(self) -> None:
        self.setText(tr("Press a key …") if self._is_waiting else without_mnemonic(self._text))


def portable(event: QKeyEvent) -> str:
    """Return the key of an event in Qt's portable notation; signs need no Shift: ?, not Shift+?."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    text = event.text()
    is_sign = len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace()
    if is_sign and modifiers == Qt.KeyboardModifier.ShiftModifier:
        modifiers = Qt.KeyboardModifier.NoModifier
    return QKeySequence(QKeyCombination(modifiers, Qt.Key(event.key()))).toString()
