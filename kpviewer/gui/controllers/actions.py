"""Shortcuts of the window: one QAction for each Act, active wherever the focus is."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.keys import Act, keys_of, with_present_keys
from kpviewer.gui.language import tr


class Actions(QObject):
    """Actions of the window, run by keys and buttons.

    Text fields keep the letters that are typed into them: Qt offers them each key first.
    """

    done = pyqtSignal(object)
    """Emitted with an Act after it has run."""

    def __init__(self, window: QWidget, handlers: Mapping[Act, Callable[[], object]]) -> None:
        super().__init__(window)
        self._actions: dict[Act, QAction] = {}
        self._handlers = dict(handlers)
        for act in handlers:
            action = self._actions[act] = QAction(tr(act.value.text), window)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(act.value.repeats)
            action.triggered.connect(lambda _checked, act=act: self.run(act))
            window.addAction(action)
        self.take_keys()

    @property
    def acts(self) -> frozenset[Act]:
        """Acts that have keys in this window."""
        return frozenset(self._actions)

    def take_keys(self) -> None:
        """Use the present keys of all acts."""
        for act, action in self._actions.items():
            action.setShortcuts([QKeySequence(key) for key in keys_of(act)])

    def handle(self, handlers: Mapping[Act, Callable[[], object]]) -> None:
        """Replace the functions of acts."""
        self._handlers.update(handlers)

    def run(self, act: Act) -> None:
        """Run the function of an act."""
        handler = self._handlers.get(act)
        if handler is not None:
            handler()
            self.done.emit(act)


def refresh_tooltips(window: QWidget) -> None:
    """Show the present keys in all tooltips."""
    for widget in window.findChildren(QWidget):
        if tip := widget.toolTip():
            widget.setToolTip(with_present_keys(tip))
