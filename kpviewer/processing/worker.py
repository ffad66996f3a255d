"""Worker: holds a model and processes one source after another, in any process."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.errors import KpviewerError
from kpviewer.models.loading import open_model
from kpviewer.overlay import ensure_gui_application
from kpviewer.processing.claims import bytes_of, claim, forget
from kpviewer.processing.manifest import Record
from kpviewer.processing.names import endings_of
from kpviewer.processing.source import Outcome, process_source
from kpviewer.processing.tasks import Result, Setting, Task, recorded_source
from kpviewer.runtime.executor import Executor
from kpviewer.scanning.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.processing.reporting import Reporter

_log = logging.getLogger(__name__)


def load_engine(options: ProcessOptions) -> InferenceEngine:
    """Load the model of the options.

    Raises:
        KpviewerError: if it can't be loaded, or not on that device and backend.
    """
    detector = open_model(options.model)
    engine = Executor(detector, options.device, options.precision, options.backend)
    engine.compile_at_once()
    return engine


class Worker:
    """Processes tasks with one model; for the main thread of its process, as Qt needs.

    Args:
        setting: what is the same for all tasks.
        engine: the model; None loads it.

    Raises:
        KpviewerError: if the model or the ground truth can't be loaded.
    """

    def __init__(self, setting: Setting, engine: InferenceEngine | None = None) -> None:
        ensure_gui_application()
        options = setting.options
        self._engine = engine or load_engine(options)
        self._ground_truth = None
        if options.ground_truth is not None:
            names = self._engine.spec.class_names
            self._ground_truth = read_ground_truth(options.ground_truth, names)
            options = replace(options, category_ids=self._ground_truth.category_ids)
            if setting.keeps_records:
                settings = f"{setting.settings}+{self._ground_truth.fingerprint}"
                setting = replace(setting, settings=settings)
        self._setting, self._options = setting, options
        self._printed: set[str] = set()

    def run(self, task: Task, reporter: Reporter) -> Result:
        """Process a source, unless an earlier run has finished it.

        Errors and signals are part of the result. Only exceptions that end the process are raised.
        """
        try:
            return self._run(task, reporter)
        except KpviewerError as error:
            reporter.warn(f"Error: {error}")
            return self._result(task, Outcome(failure=str(error), exit_code=error.exit_code), None)
        except Exception as error:  # a fault in one file must not end the run of all others
            _log.debug("%s", task.source, exc_info=True)
            why = f"{type(error).__name__}: {error}".strip(": ")
            source = recorded_source(task.source)
            reporter.warn(f"Error: {source}: {why}. --log-level debug shows where.")
            return self._result(task, Outcome(failure=why, exit_code=1), None)

    def _run(self, task: Task, reporter: Reporter) -> Result:
        if not self._setting.keeps_records or task.stem is None:
            return self._result(task, self._process(task, self._options, reporter), None)
        options = self._options
        fingerprint = fingerprint_of(task.source, str(options.turn or ""))
        for record in task.records:
            if record.status == "ok" and _are_there(options.out, record.files):
                forget(options.out, record.name)  # left by a run that ended right after this line
            if not self._setting.is_forced and self._is_finished(record, fingerprint):
                return Result(task, record, is_skipped=True)
        failed = [record.files for record in task.records if record.status == "failed"]
        left = {name: size for files in failed for name, size in files.items()}
        claimed = claim(options.out, task.stem, endings_of(options), left)
        try:
            named = replace(options, stem=claimed.stem)
            outcome = self._process(replace(task, stem=claimed.stem), named, reporter)
        finally:
            claimed.leave()
        return self._result(replace(task, stem=claimed.stem), outcome, fingerprint)

    def _process(self, task: Task, options: ProcessOptions, reporter: Reporter) -> Outcome:
        outcome = process_source(task.source, options, self._engine, self._ground_truth, reporter)
        if self._ground_truth is not None:
            for note in self._ground_truth.notes:
                if note not in self._printed:
                    reporter.warn(f"Note: {note}")
            self._printed.update(self._ground_truth.notes)
        return outcome

    def _is_finished(self, record: Record, fingerprint: str | None) -> bool:
        setting = self._setting
        found = (record.status, record.fingerprint, record.model, record.settings)
        is_same = found == ("ok", fingerprint, setting.model, setting.settings)
        return is_same and fingerprint is not None and _are_there(setting.options.out, record.files)

    def _result(self, task: Task, outcome: Outcome, fingerprint: str | None) -> Result:
        setting = self._setting
        record = Record(
            source=recorded_source(task.source),
            name=task.stem or "",
            status="failed" if outcome.failure else "ok",
            why=outcome.failure,
            seconds=round(outcome.seconds, 3),
            frames=outcome.frames,
            files={path.name: bytes_of(path) or 0 for path in outcome.paths},
            fingerprint=fingerprint,
            model=setting.model,
            settings=setting.settings,
            backend=setting.backend,
            device=setting.device,
            ended=datetime.now().astimezone().isoformat(timespec="seconds"),
        )
        paths = tuple(map(str, outcome.paths))
        return Result(task, record, outcome.exit_code, outcome.signal, paths=paths)


def _are_there(folder: Path, files: Mapping[str, int]) -> bool:
    """Return whether every file has its recorded size."""
    return all(bytes_of(folder / name) == size for name, size in files.items())
