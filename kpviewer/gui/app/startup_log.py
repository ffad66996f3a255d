"""Log of the times to the window, the first image and the first detection."""

from __future__ import annotations

import logging
import time

from PyQt6.QtCore import QObject

from kpviewer.gui.views.video.video_view import VideoView

_log = logging.getLogger(__name__)


class StartupLog(QObject):
    """Logger that observes a view until the first detection is painted."""

    def __init__(self, view: VideoView, started_s: float) -> None:
        super().__init__(view)
        self._view = view
        self._started_s = started_s
        self._has_image = False
        view.appeared.connect(self._on_appeared)
        view.painted.connect(self._on_painted)

    def _on_appeared(self) -> None:
        _log.info("Time to window: %.2f s", self._elapsed_s())

    def _on_painted(self) -> None:
        if not self._has_image:
            self._has_image = True
            _log.info("Time to first image: %.2f s", self._elapsed_s())
        result = self._view.result()
        if result is not None and len(result.detections):
            _log.info("Time to first detection: %.2f s", self._elapsed_s())
            self._view.painted.disconnect(self._on_painted)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s
