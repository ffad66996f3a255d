"""Line above the tiles about the model that all streams share: it loads, or fails."""

from __future__ import annotations

from PyQt6.QtCore import QObject

from kpviewer.gui.language import tr
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.widgets.notice_line import Notice, NoticeLine

_CANCEL = "cancel"


class ModelNotice(QObject):
    """Shows a line, with a bar and a link to cancel while a model loads."""

    def __init__(self, line: NoticeLine, models: ModelLoading) -> None:
        super().__init__(line)
        self.line, self._models = line, models
        self._closed = ""
        """Line that the user has closed."""
        line.pressed.connect(models.cancel)
        line.closed.connect(self._on_closed)

    @property
    def text(self) -> str:
        """The line that is shown; empty while there is none."""
        notice = self.line.notice()
        return notice.text if notice is not None else ""

    def show(self, text: str, *, is_loading: bool) -> None:
        """Show a line; an empty one hides it."""
        if is_loading:
            self.line.show_progress(0, None)
        else:
            self.line.hide_progress()
        links = ((_CANCEL, tr("Cancel")),) if is_loading else ()
        is_shown = bool(text) and text != self._closed
        self.line.show_notice(Notice(text, links) if is_shown else None)

    def _on_closed(self) -> None:
        notice = self.line.notice()
        if self._models.loading is not None:
            self._models.cancel()
        elif notice is not None:
            self._closed = notice.text
        self.line.show_notice(None)
