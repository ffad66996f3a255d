"""Worker: holds a model and processes one source after another, in any process."""

import logging
from dataclasses import replace

from kpviewer.annotations.ground_truth import AnnotationGroundTruth, read_ground_truth
from kpviewer.errors import DatasetError, KpviewerError, WeightsError
from kpviewer.models.loading import open_model
from kpviewer.overlay import ensure_gui_application
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.processing.claims import bytes_of, clear
from kpviewer.processing.names import endings_of
from kpviewer.processing.options import ProcessOptions
from kpviewer.processing.reporting import Reporter
from kpviewer.processing.source import Outcome, SourceRun
from kpviewer.processing.tasks import Result, Setting, Task, recorded_source
from kpviewer.runtime.executor import Executor
from kpviewer.scanning.fingerprint import fingerprint_of

_log = logging.getLogger(__name__)


def load_engine(options: ProcessOptions) -> InferenceEngine:
    """Load the model of the options.

    Raises:
        KpviewerError: if it can't be loaded, or not on that device and backend; if it isn't the
            model that is meant.
    """
    detector = open_model(options.model)
    engine = Executor(detector, options.device, options.precision, options.backend)
    if options.model_hash not in (None, engine.model_hash):
        raise WeightsError(f"{options.model} has changed since it was opened. Open it again.")
    engine.compile_at_once()
    return engine


class Worker:
    """Processes tasks with one model; for the main thread of its process, as Qt needs.

    Args:
        setting: what is the same for all tasks.
        engine: the model; None loads it.
        ground_truth: that of the options; None reads it.

    Raises:
        KpviewerError: if the model or the ground truth can't be loaded.
    """

    def __init__(
        self,
        setting: Setting,
        engine: InferenceEngine | None = None,
        ground_truth: AnnotationGroundTruth | None = None,
    ) -> None:
        ensure_gui_application()
        options = setting.options
        self._engine = engine or load_engine(options)
        self._ground_truth = ground_truth
        if options.ground_truth is not None:
            spec = self._engine.spec
            self._ground_truth = ground_truth or read_ground_truth(
                options.ground_truth, spec.class_names, spec.keypoint_names
            )
            before = setting.settings.partition("+")[2]
            if before not in ("", self._ground_truth.fingerprint):
                raise DatasetError(
                    f"{options.ground_truth} has changed since the run began. Run the command "
                    "again: finished sources are skipped."
                )
            options = replace(options, category_ids=self._ground_truth.category_ids)
        self._setting, self._options = setting, options
        self._printed: set[str] = set()

    def run(self, task: Task, reporter: Reporter) -> Result:
        """Process a source, whose name is claimed.

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
        clear(options.out, task.stem, endings_of(options))  # what a killed worker left
        outcome = self._process(task, replace(options, stem=task.stem), reporter)
        return self._result(task, outcome, fingerprint)

    def _process(self, task: Task, options: ProcessOptions, reporter: Reporter) -> Outcome:
        run = SourceRun(task.source, options, self._engine, self._ground_truth, reporter)
        outcome = run.outcome()
        if self._ground_truth is not None:
            for note in self._ground_truth.notes:
                if note not in self._printed:
                    reporter.warn(f"Note: {note}")
            self._printed.update(self._ground_truth.notes)
        return outcome

    def _result(self, task: Task, outcome: Outcome, fingerprint: str | None) -> Result:
        own = [path for path in outcome.paths if path.parent == self._options.out]
        record = self._setting.record(
            task,
            outcome.failure,
            warning=outcome.warning,
            seconds=round(outcome.seconds, 3),
            frames=outcome.frames,
            files={path.name: bytes_of(path) or 0 for path in own},
            fingerprint=fingerprint,
        )
        paths = tuple(map(str, outcome.paths))
        return Result(task, record, outcome.exit_code, outcome.signal, paths=paths)
