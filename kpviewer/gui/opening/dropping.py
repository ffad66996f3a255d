"""Opens what is dropped on the window: files, folders, addresses, models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDragEnterEvent, QDropEvent

from kpviewer.gui.language import tr
from kpviewer.gui.opening.clipboard import open_in, pasted

if TYPE_CHECKING:
    from kpviewer.gui.main_window import MainWindow


class DropTarget(QObject):
    """Watches the drags over a window; what names no source is refused at once."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Take drags and drops of what can be opened."""
        if isinstance(event, QDragEnterEvent):  # before QDropEvent, of which it is one
            if pasted(event.mimeData()):
                event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._open(event)
            return True
        return False

    def _open(self, event: QDropEvent) -> None:
        data = event.mimeData()
        text = pasted(data)
        if not text or data is None:
            return
        event.acceptProposedAction()
        open_in(self._window, text)
        count = len(data.urls())
        if count > 1:
            told = tr("Opened the first of {count}. Drop a folder to see all of its pictures.")
            self._window.status_bar.show_message(told.format(count=count))
