"""Connection of the scan with session, analysis and timeline."""

import logging
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.controllers.playback import is_playing
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.main_window.scan_targets import (
    FoundScan,
    Target,
    found_scan,
    hindrance_of,
    targets_of,
)
from kpviewer.gui.scanning.analysis import Analysis
from kpviewer.gui.scanning.scan import Scan, ScanJob, ScanState
from kpviewer.gui.session import Session
from kpviewer.gui.views.timeline.buttons import ScanButton
from kpviewer.runtime.process.loading import Outcome
from kpviewer.scanning.header import floor_of
from kpviewer.scanning.records import ScanChunk

IDLE_S = 2.0
"""Time for which a source is paused before it is scanned by itself, s."""
TICK_MS = 200
_log = logging.getLogger(__name__)


class ScanLink(QObject):
    """Scans what is open when it is asked to, and shows what was scanned before at once."""

    told = pyqtSignal(str)
    """Emitted with why nothing is scanned or shown, or no longer, for people."""

    def __init__(
        self,
        session: Session,
        compare: CompareLink,
        analysis: Analysis,
        button: ScanButton,
        scan: Scan,
        *,
        is_own: bool,
    ) -> None:
        super().__init__()
        self._session, self._compare, self._analysis = session, compare, analysis
        self._button, self._scan, self._is_own = button, scan, is_own
        self._jobs: dict[tuple[object, ...], ScanJob | None] = {}
        self._loader = BackgroundLoader()
        self.runs_when_idle = False
        """Whether a source that is paused is scanned without being asked."""
        self._idle_since_s: float | None = None
        self._is_by_itself = self._is_asked = False
        self._failure: str | None = None
        session.source_changed.connect(self._on_source_changed)
        session.opened.connect(self._update)
        session.model_changed.connect(self._update)
        compare.second_changed.connect(self._update)
        scan.state_changed.connect(self._show)
        scan.came.connect(self._on_came)
        analysis.dropped.connect(self._on_dropped)
        button.scan_asked.connect(self.start)
        button.cancelled.connect(self.cancel)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start(TICK_MS)

    def start(self) -> None:
        """Scan what isn't scanned yet: at once, or as soon as its scan files are found."""
        self._is_by_itself = False
        self._is_asked = True
        self._start_asked()

    def cancel(self) -> None:
        """Stop scanning."""
        self._idle_since_s = None
        self._is_asked = False
        self._scan.cancel()

    def toggle(self) -> None:
        """Start or stop the scan."""
        if self._scan.state.is_running or self._is_asked:
            self.cancel()
        else:
            self.start()

    def file(self) -> Path | None:
        """Return a scan that has what the first model finds at the present thresholds, or None."""
        engine, thresholds = self._session.engine, self._session.thresholds
        path = self._scan.file_of("A")
        is_there = path is not None and path.exists()
        if engine is None or not is_there or thresholds.least_score < floor_of(engine.spec):
            return None
        return path

    def stop(self) -> None:
        """Ask the child to end, for good; ``Scan.close`` waits for it."""
        self._timer.stop()
        self._loader.close()
        self._scan.cancel()

    def _start_asked(self) -> None:
        """Scan if that was asked for and is prepared, or say why it can't be done."""
        if not self._is_asked:
            return
        targets, hindrance = targets_of(self._session, self._compare), self._scan.state.hindrance
        if not targets:
            hindrance = tr("Nothing to scan yet: no source is open, or no model is loaded.")
        elif hindrance is None and any(_key(target) not in self._jobs for target in targets):
            return  # their scan files are looked for
        elif hindrance is None and self._scan.is_complete:
            hindrance = tr("Every frame is scanned")
        self._is_asked = False
        if hindrance is not None:
            self.told.emit(hindrance)
        else:
            self._scan.start()

    def _on_tick(self) -> None:
        """Scan while the source is paused, if that is wished."""
        pipeline = self._session.pipeline
        if pipeline is not None and is_playing(pipeline.state):
            self._idle_since_s = None
            if self._is_by_itself and self._scan.state.is_running:
                self._scan.cancel()  # the one that plays comes first; the next pause goes on
            return
        now = time.monotonic()
        if self._idle_since_s is None:
            self._idle_since_s = now
        state = self._scan.state
        is_due = self.runs_when_idle and now - self._idle_since_s >= IDLE_S
        if is_due and not state.is_running and state.failure is None and not self._scan.is_complete:
            self._scan.start()
            self._is_by_itself = self._scan.state.is_running

    def _on_source_changed(self) -> None:
        self._idle_since_s = None
        self._is_asked = False
        self._jobs.clear()
        self._update()

    def _update(self) -> None:
        """Look for the scan files of the present source and models."""
        targets = targets_of(self._session, self._compare)
        hindrance = hindrance_of(self._session, is_own=self._is_own) if targets else None
        if not targets or hindrance is not None:
            self._loader.cancel()
            self._scan.set_jobs([], hindrance)
            self._start_asked()
            return
        keys = [_key(target) for target in targets]
        self._jobs = {key: job for key, job in self._jobs.items() if key in keys}
        new = [each for each, key in zip(targets, keys, strict=True) if key not in self._jobs]
        if new:
            self._loader.submit("scans", partial(_found_scans, targets, new), self._on_found)
        self._set_jobs(targets)
        self._start_asked()

    def _on_found(self, outcome: Outcome[list[tuple[Target, FoundScan | None]]]) -> None:
        targets = targets_of(self._session, self._compare)
        keys = {_key(target) for target in targets}
        info = self._session.info
        if outcome.failure is not None:  # a file that is gone, for instance
            _log.warning("No scan: %s", outcome.reason)
        lost = [(target, None) for target in targets if _key(target) not in self._jobs]
        found = lost if outcome.value is None else outcome.value
        for target, scan in found:
            key = _key(target)
            if key not in keys or info is None:
                continue
            job = None
            if scan is not None:
                job = ScanJob(target.side, scan.file, info.frame_count, ())
            self._jobs[key] = job
        self._set_jobs(targets)
        for target, scan in found:
            job = self._jobs.get(_key(target))
            if job is not None and scan is not None and scan.chunks:
                self._analysis.add_chunks(job.model, scan.chunks)
                self._scan.note(job, scan.frames, is_complete=scan.is_complete)
        self._start_asked()

    def _set_jobs(self, targets: list[Target]) -> None:
        """Let the models be scanned whose files are known, as they are run now."""
        keys = [_key(target) for target in targets]
        known = [(target, self._jobs.get(key)) for target, key in zip(targets, keys, strict=True)]
        jobs = [
            replace(job, arguments=target.arguments(job.file))
            for target, job in known
            if job is not None
        ]
        hindrance = None
        if not jobs and any(key in self._jobs for key in keys):
            hindrance = tr(
                "No scan: this model or source can't be recognised when it is opened again."
            )
        self._scan.set_jobs(jobs, hindrance)

    def _on_came(self, job: ScanJob, chunks: list[ScanChunk]) -> None:
        self._analysis.add_chunks(job.model, chunks)

    def _on_dropped(self) -> None:
        self.told.emit(
            tr(
                "This scan is too large for the window: frames that came first are left out of "
                "lanes and scores. The file of the scan keeps them."
            )
        )

    def _show(self, state: ScanState) -> None:
        if state.failure not in (None, self._failure):
            self.told.emit(state.failure)
        self._failure = state.failure
        info = self._session.info
        is_shown = info is not None and not info.is_live and self._session.engine is not None
        self._button.show_state(self._scan.state if is_shown else None)


def _key(target: Target) -> tuple[object, ...]:
    """Return what the scan file of a target depends on: not the backend, except for B."""
    variant, model = target.variant if target.side == "B" else "", target.model
    return target.side, target.source, target.turn, model.actual.model, model.content, variant


def _found_scans(targets: list[Target], new: list[Target]) -> list[tuple[Target, FoundScan | None]]:
    """Find the scan files of targets; runs on a thread."""
    first, found = targets[0], []
    for target in new:
        model, turn = target.model, str(target.turn)
        is_same = target is not first and model.actual.model == first.model.actual.model
        variant = target.variant if is_same else ""
        found.append((target, found_scan(target.source, model.engine, variant, turn)))
    return found
