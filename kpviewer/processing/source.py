"""One source from its first frame to its finished files, on the caller's thread."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kpviewer.errors import DatasetError, KpviewerError, SourceError
from kpviewer.models.spec import Task
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.source.opening import made_within
from kpviewer.pipeline.source.signal_loss import SignalLoss
from kpviewer.processing.job import ProcessJob
from kpviewer.processing.reporting import no_ground_truth
from kpviewer.processing.scan import SourceScan, engine_with_scans
from kpviewer.scanning.engine import ScannedEngine
from kpviewer.sources import open as opening
from kpviewer.sources.base import own_ground_truth_of
from kpviewer.sources.naming import path_of
from kpviewer.sources.redact import redact_url
from kpviewer.system.interrupts import Interrupted, interrupts_deferred

if TYPE_CHECKING:
    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.processing.report import SourceReport
    from kpviewer.processing.reporting import Reporter
    from kpviewer.sources.base import GroundTruthProvider, NamedGroundTruth
    from kpviewer.structures import Thresholds

_ANSWER_S = 5.0
"""Time limit for a disk to identify a source."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the processing of a source ended."""

    frames: int = 0
    seconds: float = 0.0
    """Duration of the processing, in s."""
    paths: tuple[Path, ...] = ()
    """Finished files and folders, also those of a source that failed."""
    failure: str | None = None
    """Reason why it failed, one or two lines for the user; None if it didn't."""
    exit_code: int = 0
    """Exit code of the failure; 0 without one."""
    signal: int | None = None
    """Signal that ended it early; None if none did."""
    warning: str | None = None
    """Damage of the source, such as an early end; None if none was found."""


@dataclass(slots=True)
class SourceRun:
    """Processing of one source.

    Main thread of a process only, as drawing text and the report need Qt's application.
    """

    _text: str | None
    """Source as for ``make_source``; None is the first camera, or the demo."""
    _options: ProcessOptions
    _engine: InferenceEngine
    _ground_truth: GroundTruthProvider | None
    _reporter: Reporter
    _name: str = field(init=False)
    _paths: list[Path] = field(default_factory=list)
    _frames: int = 0
    _warning: str | None = None

    def __post_init__(self) -> None:
        self._name = redact_url(self._text) if self._text else ""

    def outcome(self) -> Outcome:
        """Process the source and report the outcome, which errors and signals are part of."""
        began_s = time.monotonic()
        failure, code, signal = None, 0, None
        try:
            self._process()
        except Interrupted as interrupt:
            failure, code, signal = f"ended by {interrupt}", interrupt.exit_code, interrupt.number
            with suppress(Interrupted):
                text = f"{self._name}: {failure}; the files hold the results until then."
                self._reporter.warn(text)
        except KpviewerError as error:
            failure, code = str(error), error.exit_code
            is_named = not self._name or Path(self._name).name in failure
            self._reporter.warn(
                f"Error: {failure}" if is_named else f"Error: {self._name}: {failure}"
            )
        seconds, paths = time.monotonic() - began_s, tuple(self._paths)
        return Outcome(self._frames, seconds, paths, failure, code, signal, self._warning)

    def _number(self, own: NamedGroundTruth) -> None:
        """Number the ground truth that frames bring themselves as the model does.

        A report compares with it, so what is left out is said then.
        """
        spec = self._engine.spec
        try:
            own.use_names(spec.class_names, spec.keypoint_names)
            notes = own.notes
        except DatasetError as error:
            notes = (f"nothing is compared with the ground truth. {error}",)
        for note in notes if self._options.report else ():
            self._reporter.warn(f"Note: {note}")

    def _process(self) -> None:
        text, options, engine, name = self._text, self._options, self._engine, self._name
        thresholds = options.thresholds_of(engine.spec)
        make = partial(
            opening.make_source, text, ground_truth=self._ground_truth, turn=options.turn
        )
        source = made_within(_ANSWER_S, text, name, make)
        own = own_ground_truth_of(source)
        if own is not None:
            self._number(own)
        elif options.report and self._ground_truth is None:  # said before hours of work
            raise no_ground_truth(name or "the source")
        turn = str(options.turn or "")
        scan = None
        if options.scans:
            scan = SourceScan(text, engine, options.scan_file, options.out, turn, options.stem)
        if scan is not None and scan.is_complete and not options.has_results:
            self._paths, self._frames = [scan.path], scan.frames_before
            self._reporter.say(f"{name}: {scan.path} is complete ({scan.frames_before} frames)")
            return
        needed = thresholds if options.has_results else None
        runs, note = engine_with_scans(text, engine, options.from_scan, scan, needed, turn)
        if note is not None:
            self._note(note)
        # Files lose no frame; a live stream that is faster than the model must.
        settings = PipelineOptions.at_full_speed(options.batch)
        pipeline = Pipeline(source, runs, thresholds=thresholds, options=settings)
        if scan is not None and scan.frames_before:
            self._note(scan.resume(pipeline, is_alone=not options.has_results))
        pipeline.settings.set_tracking(options.following)
        report = self._report(thresholds, runs.floor if isinstance(runs, ScannedEngine) else 0.0)
        sound = path_of(text) if options.sound else None
        job = ProcessJob(pipeline, engine.spec, options, sound, scan, report)
        try:
            self._run(pipeline, job)
        finally:
            self._finish(pipeline, job)
        if report is not None:
            page = report.save(pipeline.info, job.stem)
            self._paths.append(page)
            self._reporter.say(f"{name or 'camera'}: report -> {page}")
        if not (job.frames or job.frames_before):
            raise SourceError("no frame could be read. Is it a video?")

    def _report(self, thresholds: Thresholds, floor: float) -> SourceReport | None:
        if not self._options.report:
            return None
        if self._engine.spec.task is Task.CLASSIFY:
            raise DatasetError(
                "no report: the model gives classes of whole images, no boxes. "
                "kpviewer eval --report scores it."
            )
        # Scoring loads pycocotools and matplotlib.
        from kpviewer.processing.report import SourceReport  # noqa: PLC0415

        out, style = self._options.out, self._options.style
        return SourceReport(self._engine, thresholds, out, style, floor)

    def _run(self, pipeline: Pipeline, job: ProcessJob) -> None:
        """Report progress until the source ends, the job is complete, or an error occurs."""
        signal = SignalLoss(self._name, lambda text: self._reporter.warn(f"Warning: {text}"))
        pipeline.add_sink(job)
        # raised in a call of the pipeline, an interrupt may keep a lock that a thread waits for
        with interrupts_deferred():
            pipeline.start()
        while True:
            with interrupts_deferred():
                if pipeline.join(_POLL_S):
                    break
                status = pipeline.status()
                faults = pipeline.faults.take_news()
            self._reporter.frames(self._name, job.frames_before + job.frames, job.frames_total)
            for news in faults:
                self._note(news)
            job.report_silence(lambda text: self._reporter.warn(f"Note: {text}"))
            if job.is_complete:
                break
            signal.check(status)
        job.has_ended = not job.is_complete

    def _finish(self, pipeline: Pipeline, job: ProcessJob) -> None:
        """Stop the threads, give the files their final names, and report the outcome."""
        try:
            pipeline.close()
        finally:
            self._paths = job.close()
        self._frames = job.frames + job.frames_before
        for news in pipeline.faults.take_news():
            self._note(news)
        status = pipeline.status()
        self._name = self._name or (pipeline.info.name if pipeline.info is not None else "camera")
        if self._paths or (job.sinks and job.frames):
            read = job.frames if job.is_complete else status.stats.frames_read
            files = ", ".join([*map(str, self._paths), *job.sinks])
            rate = f", {job.fps:.1f} fps" if job.fps else ""
            counts = f"{read} {'frame' if read == 1 else 'frames'} in, {job.frames_out} out{rate}"
            self._reporter.say(f"{self._name}: {counts} -> {files}")
        self._warning = status.warning
        if status.warning is not None:
            self._reporter.warn(f"Warning: {self._name}: {status.warning}")
        if tries := status.reconnects:
            self._note(f"tried to reconnect {tries} time{'s' * (tries > 1)}")
        for note in job.notes:
            self._note(note)
        job.check()

    def _note(self, text: str) -> None:
        self._reporter.warn(f"Note: {self._name}: {text}" if self._name else f"Note: {text}")
