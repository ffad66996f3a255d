"""A scan file that grows: its new frames, read on a thread about five times a second."""

from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.runtime.process.loading import Outcome
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_file import ScanReader

INTERVAL_MS = 200
NEVER_S = 24 * 3600.0
"""Time for which a reading is waited for: a second one beside it would read the same frames."""


class Following(QObject):
    """Follower of one scan file; ``stop`` ends it.

    A file that can't be read is tried again until ``finish``: the scan may be about to replace it.
    """

    came = pyqtSignal(object)
    """Emitted with a list of ScanChunk, not empty."""
    caught_up = pyqtSignal()
    """Emitted once after ``finish``, when everything was read."""
    failed = pyqtSignal(str)
    """Emitted with why the file can't be read; nothing follows."""

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader = ScanReader(path)
        """Reader of the file; used on one thread at a time."""
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
            then = partial(self._on_read, is_last=self._is_last)
            self._loader.submit(self.reader.path.name, self.reader.read_new, then)

    def _on_read(self, outcome: Outcome[list[ScanChunk]], *, is_last: bool) -> None:
        """Report what was read; ``is_last`` if the file had stopped growing before."""
        if outcome.value is None and is_last:
            self.stop()
            self.failed.emit(outcome.reason)
            return
        if outcome.value is None:
            self.reader = ScanReader(self.reader.path)
        elif outcome.value:
            self.came.emit(outcome.value)
        if is_last and not outcome.value:
            self.stop()
            self.caught_up.emit()
        elif self._is_last:
            self._read()
