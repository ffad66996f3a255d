"""Engines that were replaced by others, freed on a thread.

Freeing the graphs that OpenVINO compiled takes 30 ms or more of the thread that drops the last
reference. It doesn't hold Python's lock.
"""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.pipeline.protocols import InferenceEngine

REST_MS = 1000
"""Time in which pipelines and widgets let go of an engine."""


class ReplacedEngines(QObject):
    """Keeps engines until nobody uses them, then frees them on a thread; ``close`` ends it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engines: list[InferenceEngine] = []
        self._loader = BackgroundLoader()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._on_rested)

    def add(self, engine: InferenceEngine | None) -> None:
        """Free an engine soon, unless it is used elsewhere."""
        if engine is not None:
            self._engines.append(engine)
            self._timer.start()

    def close(self) -> None:
        """Free no more; doesn't wait."""
        self._timer.stop()
        self._loader.close()

    def _on_rested(self) -> None:
        self._loader.submit("replaced models", self._engines.clear, lambda _: None)
