"""Opening of files, folders, addresses and models that are dropped on the window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.opening.clipboard import pasted
from kpviewer.gui.opening.opener import Opener


class DropTarget(QObject):
    """Event filter for drags over a window; drags that name no source are refused at once."""

    def __init__(self, window: QWidget, opener: Opener, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._opener, self._say = opener, say
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, _object: QObject | None, event: QEvent | None) -> bool:
        """Accept drags and drops of sources, models and annotations."""
        if isinstance(event, QDragEnterEvent):  # a subclass of QDropEvent, so it comes first
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
            message = tr("Opened the first of {count}. Drop a folder to see all of its images.")
            self._say(message.format(count=count))
