"""Jobs in the background whose outcomes come back to the GUI thread by a queued signal.

Engines that were replaced are freed there, too: freeing the graphs that OpenVINO compiled takes
30 ms or more of the thread that drops the last reference. It doesn't hold Python's lock.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from kpviewer.runtime.process.loading import LoaderJob, Outcome, loader_executor

T = TypeVar("T")

PATIENCE_S = 3.0
"""Time for which a newer job waits for the one that runs, in seconds."""


class BackgroundLoader(QObject):
    """Runner of one job at a time on its thread; it hands the outcome over on the GUI thread.

    Only the last request counts, as only the last choice of a user matters::

        idle --submit--> running --done--> idle (the outcome is handed over)
                         running --submit--> running, the newest request waits
                                             --done, or too long--> running the newest

    Outcomes of superseded and of cancelled jobs are dropped. A job can't be interrupted: one that
    holds up the next for too long is let go with its thread, and the next begins on another.

    Args:
        patience_s: time for which a job waits for the one that runs, in seconds.
    """

    _ended = pyqtSignal(object, object)
    """Emitted on the loader's thread, with a LoaderJob and its Outcome."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        super().__init__()
        self._executor = loader_executor()
        self._running: LoaderJob[Any] | None = None
        self._waiting: LoaderJob[Any] | None = None
        self._then: Callable[[Outcome[Any]], None] | None = None
        """Receiver of the last request's outcome; None after it was cancelled or is over."""
        self._is_closed = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(round(patience_s * 1000))
        self._patience.timeout.connect(self._on_patience_timeout)
        queued = Qt.ConnectionType.QueuedConnection
        self._ended.connect(self._on_ended, queued)  # type: ignore[call-arg]  # the stubs lack it

    @property
    def busy_with(self) -> str | None:
        """Name of the last request while its outcome is awaited, else None."""
        newest = self._waiting or self._running
        return newest.work if newest is not None and self._then is not None else None

    def submit(self, name: str, job: Callable[[], T], then: Callable[[Outcome[T]], None]) -> None:
        """Run a job soon, in place of every one before; a closed loader runs none.

        Args:
            name: for people.
            job: runs on a thread; it may change nothing but its own result.
            then: receives the outcome on the GUI thread, unless the job is superseded or cancelled.
        """
        if self._is_closed:
            return
        self._then = then
        self._waiting = LoaderJob(name, job, self._report)
        if self._running is None:
            self._begin_next()
        else:
            self._patience.start()

    def cancel(self) -> None:
        """Drop the last request; a running job ends without a report."""
        self._patience.stop()
        self._waiting = self._then = None

    def close(self) -> None:
        """Cancel without waiting for a running job; it ends the thread, or else this joins it."""
        self._is_closed = True
        self.cancel()
        self._let_go()

    def _report(self, job: LoaderJob[Any], outcome: Outcome[Any]) -> None:
        """Send an outcome to the GUI thread; runs on the loader's thread."""
        self._ended.emit(job, outcome)

    def _on_ended(self, job: LoaderJob[Any], outcome: Outcome[Any]) -> None:
        if job is not self._running:  # it was let go
            return
        self._running = None
        if self._waiting is not None:
            self._begin_next()
            return
        then, self._then = self._then, None
        if then is not None:
            then(outcome)

    def _on_patience_timeout(self) -> None:
        self._let_go()
        self._begin_next()

    def _begin_next(self) -> None:
        self._patience.stop()
        self._running, self._waiting = self._waiting, None
        if self._running is not None:
            self._executor.submit(self._running.run)

    def _let_go(self) -> None:
        running, self._running = self._running, None
        executor, self._executor = self._executor, loader_executor()
        is_held_up = running is not None and running.let_go()
        executor.shutdown(wait=not is_held_up)


REST_MS = 1000
"""Time in which pipelines and widgets let go of an engine."""


class ReplacedEngines(QObject):
    """Keeps engines until nobody uses them, then frees them on a thread; ``close`` ends it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engines: list[object] = []
        self._loader = BackgroundLoader()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._on_rested)

    def add(self, engine: object | None) -> None:
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
