"""A scan file that grows: its new frames, read on a thread about five times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.background import BackgroundLoader

if TYPE_CHECKING:
    from kpviewer.runtime.loading import Outcome
    from kpviewer.scanning.records import ScanChunk
    from kpviewer.scanning.scan_file import ScanReader

INTERVAL_MS = 200
NEVER_S = 24 * 3600.0
"""Time for which a reading is waited for: a second one beside it would read the same frames."""


class Following(QObject):
    """Follower of one scan file; ``stop`` ends it.

    Args:
        reader: reads the file; used on one thread at a time.
    """

    came = pyqtSignal(object)
    """Emitted with a list of ScanChunk, not empty."""
    caught_up = pyqtSignal()
    """Emitted once after ``finish``, when everything was read."""
    failed = pyqtSignal(str)
    """Emitted with why the file can't be read; nothing follows."""

    def __init__(self, reader: ScanReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader = reader
        self._loader = BackgroundLoader(NEVER_S)
        self._is_last = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._read)
        self._timer.start(INTERVAL_MS)

    def finish(self) -> None:
        """Read what is left: the file doesn't grow any more."""
        self._is_last = True
        self._timer.stop()
        self._read()

    def stop(self) -> None:
        """Read no more."""
        self._timer.stop()
        self._loader.close()

    def _read(self) -> None:
        if self._loader.busy_with is None:
            self._loader.submit(self.reader.path.name, self.reader.read_new, self._on_read)

    def _on_read(self, outcome: Outcome[list[ScanChunk]]) -> None:
        if outcome.value is None:
            self.stop()
            self.failed.emit(outcome.reason)
            return
        if outcome.value:
            self.came.emit(outcome.value)
        if self._is_last and outcome.value:
            self._read()
        elif self._is_last:
            self.stop()
            self.caught_up.emit()
