"""Banner of a window that plays the demo because no camera was found."""

from collections.abc import Callable

from PyQt6.QtCore import QObject

from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.widgets.notice_line import Notice, NoticeLine

_ACTS = {"video": Act.OPEN_FILE, "model": Act.OPEN_MODEL}


class DemoBanner(QObject):
    """Shows the banner in ``line`` until the user opens a source, or closes it."""

    def __init__(self, line: NoticeLine, session: Session, run: Callable[[Act], None]) -> None:
        super().__init__(line)
        self.line, self._session = line, session
        self._is_over = False
        session.opened.connect(self._on_session_opened)
        session.source_changed.connect(self._on_session_source_changed)
        line.pressed.connect(lambda key: run(_ACTS[key]))
        line.closed.connect(self._end)

    def _on_session_opened(self) -> None:
        session, info = self._session, self._session.info
        # Without a name it is the first camera, or the demo if there is none.
        is_demo = not session.source_text and info is not None and not info.is_live
        if is_demo and not self._is_over:
            self.line.show_notice(demo_notice())

    def _on_session_source_changed(self) -> None:
        if self._session.source_text:
            self._end()

    def _end(self) -> None:
        self._is_over = True
        self.line.show_notice(None)


def demo_notice() -> Notice:
    """Return the words of the banner."""
    links = (("video", tr("Open a video…")), ("model", tr("My YOLO model…")))
    return Notice(tr("No camera found. This is the demo."), links)
