"""The scan of the open source: a child process for each model, one after the other."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.gui.background.child_process import ChildEnd, ChildProcess
from kpviewer.gui.language import tr
from kpviewer.gui.scanning.following import Following
from kpviewer.scanning.scan_file import ScanReader


@dataclass(frozen=True, slots=True)
class ScanState:
    """Progress of the scan of the open source, with one model or with two, one after the other."""

    done: int = 0
    """Number of frames with candidates, those seen while playing included; of both models."""
    total: int | None = None
    """Number of frames of the source, twice that with two models; None while unknown."""
    is_running: bool = False
    """Whether frames are being scanned now."""
    rate_fps: float | None = None
    """Frames scanned per second; None while nothing was measured."""
    failure: str | None = None
    """Why the last scan ended early, in one line; None if it didn't."""
    hindrance: str | None = None
    """Why this source can't be scanned with this model, for a tooltip; None if it can."""

    @property
    def is_complete(self) -> bool:
        """Whether every frame was scanned."""
        return self.total is not None and self.done >= self.total


CLOSE_MS = 1000
"""Time for a scan to end with the window; a killed one loses its last second at most."""
RATE_S = 3.0
"""Time over which the rate is measured, in seconds."""


@dataclass(frozen=True, slots=True)
class ScanJob:
    """One model to scan the source with."""

    model: str
    """A or B."""
    file: Path
    total: int | None
    """Number of frames of the source."""
    arguments: tuple[str, ...] = field(compare=False)
    """Arguments of ``kpviewer``; other ones make the same scan, on another backend."""


class Scan(QObject):
    """Runs the jobs of the present source and models; ``close`` ends them."""

    state_changed = pyqtSignal(object)
    """Emitted with the ScanState."""
    came = pyqtSignal(object, object)
    """Emitted with a ScanJob and a list of ScanChunk from its file."""
    completed = pyqtSignal()
    """Emitted when all jobs are done."""

    def __init__(self, child: ChildProcess, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._child, self._clock = child, clock
        self.jobs: tuple[ScanJob, ...] = ()
        """A job for each model."""
        self._done: dict[ScanJob, int] = {}
        self._complete: set[ScanJob] = set()
        self._job: ScanJob | None = None
        self.following: Following | None = None
        """Follower of the file that is written; None while nothing is scanned."""
        self._is_wanted = self._is_explained = False
        self._rates: deque[tuple[float, int]] = deque()
        self.state = ScanState()
        child.ended.connect(self._on_child_ended)

    def set_jobs(self, jobs: Sequence[ScanJob], hindrance: str | None = None) -> None:
        """Scan another source, or with other models; what runs for others is cancelled."""
        self.jobs = tuple(jobs)
        self._done = {job: self._done.get(job, 0) for job in self.jobs}
        self._complete &= set(self.jobs)
        if self._job not in self.jobs:
            self._is_wanted = False
            self._leave()
            self.state = ScanState(hindrance=hindrance)
        self.state = replace(self.state, hindrance=hindrance)
        self._report()

    def note(self, job: ScanJob, frames: int, *, is_complete: bool) -> None:
        """Note what the file of a job already holds."""
        if job in self._done:
            self._done[job] = max(frames, self._done[job])
            if is_complete:
                self._complete.add(job)
            self._report()

    def file_of(self, model: str) -> Path | None:
        """Return the file of a scan with model A or B that has frames; None if there is none."""
        return next((job.file for job in self.jobs if job.model == model and self._done[job]), None)

    @property
    def is_complete(self) -> bool:
        """Whether every frame was scanned with every model."""
        return bool(self.jobs) and self._complete.issuperset(self.jobs)

    def start(self) -> None:
        """Scan what isn't scanned yet."""
        if not self.jobs or self.is_complete:
            return
        self._is_wanted = True
        self.state = replace(self.state, failure=None)
        self._start_next()
        self._report()

    def cancel(self) -> None:
        """Stop scanning; what was scanned stays."""
        self._is_wanted = False
        self._child.cancel()
        self._report()

    def close(self) -> None:
        """End the child in bounded time."""
        self._is_wanted = False
        self._child.close(CLOSE_MS)
        if self.following is not None:
            self.following.stop()

    def _start_next(self) -> None:
        """Start the next job, unless the child of the one before is still ending."""
        if self._child.is_running or self.following is not None:
            return
        self._job = next((job for job in self.jobs if job not in self._complete), None)
        if self._job is None:
            self._is_wanted = False
            self._report()
            self.completed.emit()
            return
        self._rates.clear()
        following = self.following = Following(self._job.file, self)
        following.came.connect(self._on_came)
        following.caught_up.connect(self._on_caught_up)
        following.failed.connect(self._on_read_failed)
        self._child.start(self._job.arguments)

    def _on_came(self, chunks: list[object]) -> None:
        following, job = self.following, self._job
        if following is None or job is None or self.sender() is not following:
            return
        self._count(job, following.reader)
        self.came.emit(job, chunks)
        self._report()

    def _count(self, job: ScanJob, reader: ScanReader) -> None:
        before, frames = self._done.get(job, 0), reader.frames
        self._done[job] = max(frames, before)
        if reader.is_complete:
            self._complete.add(job)
        now = self._clock()
        if frames > before:  # frames of an earlier scan come at once and say nothing of the rate
            self._rates.append((now, frames))
        while self._rates and now - self._rates[0][0] > RATE_S:
            self._rates.popleft()

    def _on_child_ended(self, end: ChildEnd) -> None:
        self._is_explained = end.was_cancelled or end.failure is not None
        if end.failure is not None:
            self._fail(end.failure)
        if self.following is not None:
            self.following.finish()
        elif self._is_wanted:  # for another source, whose scan was asked for meanwhile
            self._start_next()
        self._report()

    def _on_caught_up(self) -> None:
        following, job = self.following, self._job
        if following is None or job is None:
            return
        self._count(job, following.reader)
        self._leave()
        if self._is_wanted and job not in self._complete and not self._is_explained:
            self._fail(tr("The scan ended early. Scan again to continue."))
        if self._is_wanted:
            self._start_next()
        self._report()

    def _on_read_failed(self, reason: str) -> None:
        self._leave()
        if not self._is_explained:
            self._fail(reason)
        elif self._is_wanted:  # asked for again while the one before was ending
            self._start_next()
        self._report()

    def _fail(self, reason: str) -> None:
        self._is_wanted = False
        self.state = replace(self.state, failure=reason)

    def _leave(self) -> None:
        """Follow the present job no longer; its child is asked to end."""
        following, self.following, self._job = self.following, None, None
        if following is not None:
            following.stop()
            following.deleteLater()
        if self._child.is_running:
            self._child.cancel()

    def _report(self) -> None:
        totals = [self._done[job] if job in self._complete else job.total for job in self.jobs]
        known = [total for total in totals if total is not None]
        rate = None
        if len(self._rates) > 1:
            (begin_s, first), (end_s, last) = self._rates[0], self._rates[-1]
            rate = (last - first) / (end_s - begin_s) if end_s > begin_s else None
        self.state = replace(
            self.state,
            done=sum(self._done.values()),
            total=sum(known) if known and len(known) == len(totals) else None,
            is_running=self._is_wanted,
            rate_fps=rate if self._is_wanted else None,
        )
        self.state_changed.emit(self.state)
