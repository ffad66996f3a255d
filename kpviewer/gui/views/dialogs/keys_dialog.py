"""Help sheet: all keys, by group. A click on a key changes it."""

from collections.abc import Collection, Sequence

from PyQt6.QtCore import QEvent, QKeyCombination, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QDialog, QWidget

from kpviewer.gui.keys import Act, keys_of
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.settings.key_bindings import KeyBindings, act_with
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.fitting import room_on_screen, scrolling
from kpviewer.gui.widgets.layouts import DIALOG, boxed, column_of, grid_of, row_of
from kpviewer.gui.widgets.plain_text import Label, without_mnemonic
from kpviewer.gui.widgets.section import rule

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


KEY_PX = 96
_GROUPS = ("Play", "Source", "Save", "View", "Help")
_COLUMNS = ((0,), (1, 2), (3, 4, 5)), ((0, 4, 5), (1, 2, 3)), ((0, 1, 2, 3, 4, 5),)
"""Columns of groups and gestures: three, two or one."""
GESTURES: tuple[str, Sequence[tuple[str, str]]] = (
    tr_noop("Mouse"),
    (
        (tr_noop("Wheel"), tr_noop("Zoom at the pointer")),
        (tr_noop("Drag"), tr_noop("Move the image")),
        (tr_noop("Double-click"), tr_noop("Full screen")),
        (tr_noop("Right-click"), tr_noop("Menu")),
    ),
)


class KeysDialog(QDialog):
    """Dialog that lists the keys and changes them; Esc closes it."""

    def __init__(
        self,
        parent: QWidget,
        bindings: KeyBindings,
        gestures: tuple[str, Sequence[tuple[str, str]]] = GESTURES,
        acts: Collection[Act] = tuple(Act),
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        self._bindings = bindings
        self._asked: tuple[Act, str] | None = None
        """Action and key that were reported as taken; pressed again, the key is moved."""
        self.buttons = {act: self._button(act) for act in Act if act in acts}
        tables = [self._table_of(group) for group in _GROUPS]
        title, lines = gestures
        tables.append(_table(tr(title), [(_gesture(name), tr(text)) for name, text in lines]))
        text = tr(
            "On a slider: arrows and wheel move it by 0.01, with Shift by 0.001; "
            "a double click restores the model's default. Enter presses the focused button."
        )
        sliders = Label(text, "secondary", wraps=True)
        # A dialog may get its least height, in which Qt counts one line of a text that wraps.
        sliders.setMinimumHeight(sliders.sizeHint().height())
        self.hint = Label(kind="secondary", wraps=True)
        self.reset = PushButton(tr("Reset all keys"))
        self.reset.clicked.connect(bindings.reset)
        low = row_of(self.hint, self.reset, grows=self.hint)
        bindings.changed.connect(self._show)
        self._show()
        room = room_on_screen(self)
        keys = scrolling(_beside(tables, room.width()), room)
        column_of(keys, rule(), sliders, low, gap=12, margins=DIALOG, grows=keys, into=self)

    def _table_of(self, group: str) -> QWidget:
        rows = [
            (button, tr(act.value.text))
            for act, button in self.buttons.items()
            if act.value.group == group
        ]
        return _table(tr(group), rows)

    def _button(self, act: Act) -> KeyButton:
        button = KeyButton(tr("Key for: {action}").format(action=tr(act.value.text)))
        button.pressed_key.connect(lambda key: self._on_key_pressed(act, key))
        return button

    def _on_key_pressed(self, act: Act, key: str) -> None:
        other = act_with(key)
        if other is not None and other is not act and self._asked != (act, key):
            self._asked = (act, key)
            text = tr("{key} is taken by: {action}. Press it again to move it, or another key.")
            self.hint.setText(text.format(key=key_text(key), action=tr(other.value.text)))
            return
        self.buttons[act].wait(is_on=False)
        self._bindings.set_key(act, key)

    def _show(self) -> None:
        self._asked = None
        for act, button in self.buttons.items():
            button.show_key(tr(" or ").join(key_text(key) for key in keys_of(act)) or "–")
        self.hint.setText(tr("Click a key to change it."))
        self.reset.setEnabled(self._bindings.has_own)


def key_text(key: str) -> str:
    """Return a key for people, as the system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _gesture(name: str) -> Label:
    label = Label(tr(name), "secondary")
    label.setContentsMargins(7, 0, 0, 0)  # in line with the buttons of the keys
    return label


def _beside(tables: Sequence[QWidget], width_px: int) -> QWidget:
    """Return tables in as many columns as fit into a width."""
    for columns in _COLUMNS:
        row = row_of(gap=32)
        for numbers in columns:
            column = column_of(*(tables[number] for number in numbers), gap=16)
            column.addStretch(1)
            row.addLayout(column)
        box = boxed(row)
        if box.sizeHint().width() <= width_px:
            break
    return box


def _table(title: str, rows: Sequence[tuple[QWidget, str]]) -> QWidget:
    grid = grid_of(12, 2)
    heading = Label(title, "heading")
    heading.setContentsMargins(7, 0, 0, 2)
    grid.addWidget(heading, 0, 0, 1, 2)
    for index, (key, text) in enumerate(rows, 1):
        grid.addWidget(key, index, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(Label(text), index, 1)
    grid.setColumnMinimumWidth(0, KEY_PX)
    grid.setColumnStretch(1, 1)
    return boxed(grid)
