"""Everyday objects: the model that is downloaded when the user asks for it, with its progress."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.gui.widgets.notice_line import Notice, NoticeLine
from kpviewer.models.opening.weight_files import EVERYDAY_OBJECTS, Download, DownloadCancelled
from kpviewer.runtime.process.loading import Outcome

TICK_MS = 200
_CANCEL, _RETRY = "cancel", "retry"
_MB = 1e6


class EverydayObjects(QObject):
    """Loads the model, after its file was downloaded; ``close`` ends a download."""

    def __init__(self, line: NoticeLine, choose_model: Callable[[str], None]) -> None:
        super().__init__(line)
        self.line, self._choose_model = line, choose_model
        self._loader = BackgroundLoader()
        self._download: Download | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._show)
        line.pressed.connect(self._on_line_pressed)
        line.closed.connect(self._on_line_closed)

    def choose(self) -> None:
        """Load the model; download its file first if it isn't there."""
        if self._download is not None:
            return
        download = self._download = Download(EVERYDAY_OBJECTS)
        self._timer.start()
        self._loader.submit(EVERYDAY_OBJECTS.name, download.run, self._on_downloaded)

    def close(self) -> None:
        """End a download; what has come is continued next time."""
        self._timer.stop()
        if self._download is not None:
            self._download.cancel()
        self._loader.close()

    def _show(self) -> None:
        download = self._download
        if download is None:
            return
        done, total = download.done_bytes, EVERYDAY_OBJECTS.size_bytes
        text = tr("Downloading everyday objects from {host} · {done:.1f} of {total:.1f} MB")
        text = text.format(host=EVERYDAY_OBJECTS.host, done=done / _MB, total=total / _MB)
        self.line.show_notice(Notice(text, ((_CANCEL, tr("Cancel")),), (done, total)))

    def _on_downloaded(self, outcome: Outcome[Path]) -> None:
        self._timer.stop()
        self._download = None
        if outcome.value is not None:
            self.line.show_notice(None)
            self._choose_model(EVERYDAY_OBJECTS.model)
        elif isinstance(outcome.failure, DownloadCancelled):
            self.line.show_notice(None)
        else:
            self.line.show_notice(Notice(outcome.reason, ((_RETRY, tr("Try again")),)))

    def _on_line_pressed(self, key: str) -> None:
        if key == _RETRY:
            self.choose()
        elif self._download is not None:
            self._download.cancel()

    def _on_line_closed(self) -> None:
        if self._download is not None:
            self._download.cancel()
        self.line.show_notice(None)
