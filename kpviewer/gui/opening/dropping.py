"""Opens what is dropped on the window: files, folders, addresses, models."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.opening.clipboard import pasted
from kpviewer.gui.opening.opener import Opener


class DropTarget(QObject):
    """Watches the drags over a window; what names no source is refused at once."""

    def __init__(self, window: QWidget, opener: Opener, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._opener, self._say = opener, say
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
        self._opener.open(text)
        count = len(data.urls())
        if count > 1:
            told = tr("Opened the first of {count}. Drop a folder to see all of its images.")
            self._say(told.format(count=count))
