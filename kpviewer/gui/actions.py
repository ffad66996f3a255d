"""The window's shortcuts: one QAction for each Act, alive wherever the focus is."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr


class Actions(QObject):
    """Hears the keys, and carries out what keys and buttons ask for.

    Text fields keep the letters that are typed into them: Qt offers those a key first.
    """

    done = pyqtSignal(object)
    """An Act was carried out."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._handlers: dict[Act, Callable[[], None]] = {}
        for act in Act:
            action = QAction(tr(act.value.text), window)
            action.setShortcuts([QKeySequence(key) for key in act.value.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(act.value.repeats)
            action.triggered.connect(lambda _checked, act=act: self.run(act))
            window.addAction(action)

    def handle(self, handlers: dict[Act, Callable[[], None]]) -> None:
        """Say what acts do."""
        self._handlers.update(handlers)

    def run(self, act: Act) -> None:
        """Carry an act out."""
        handler = self._handlers.get(act)
        if handler is not None:
            handler()
            self.done.emit(act)
