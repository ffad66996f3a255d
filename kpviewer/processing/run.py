"""A run over many sources: its tasks, its workers, and the manifest of outcomes."""

import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Protocol

from kpviewer.annotations.ground_truth import AnnotationGroundTruth, read_ground_truth
from kpviewer.errors import PipelineError
from kpviewer.pipeline.protocols import InferenceEngine, content_hash, runs_on
from kpviewer.processing.backend_choice import CPU, ChosenBackend, agreed, measured, recorded
from kpviewer.processing.claims import clear
from kpviewer.processing.dispatch import Frames, Lost, Pool, dispatch
from kpviewer.processing.jobs import ProcessPool
from kpviewer.processing.manifest import Manifest
from kpviewer.processing.names import endings_of, planned_stems
from kpviewer.processing.open_tasks import OpenTasks
from kpviewer.processing.options import ProcessOptions
from kpviewer.processing.progress import Progress
from kpviewer.processing.ray_jobs import RayPool
from kpviewer.processing.reporting import Reporter
from kpviewer.processing.shard import Shard
from kpviewer.processing.tasks import Result, Setting, Task, is_repeatable
from kpviewer.processing.worker import Worker, load_engine
from kpviewer.runtime.device import available_devices
from kpviewer.scanning.fingerprint import fingerprint_of
from kpviewer.sources.redact import redact_url
from kpviewer.structures import Thresholds
from kpviewer.system.interrupts import Interrupted


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Workers of a run, and its manifest."""

    jobs: int | None = None
    """Number of processes; None: this process alone, or with Ray what the cluster has."""
    shard: Shard | None = None
    """Part of the sources to process; None: all."""
    ray: str | None = None
    """Address of a Ray cluster, or auto; None: no cluster."""
    has_manifest: bool = True
    """Whether finished sources are recorded, and skipped the next time."""
    is_forced: bool = False
    """Whether finished sources are processed again."""

    @property
    def has_pool(self) -> bool:
        """Whether other processes do the work."""
        return self.ray is not None or (self.jobs or 1) > 1


class Listener(Reporter, Protocol):
    """Receiver of all reports of a run."""

    def begin(self, engine: InferenceEngine) -> None:
        """Take the model, before the first source."""

    def progress(self, progress: Progress) -> None:
        """Take the progress over all sources, several times a second.

        Raises:
            Interrupted: if nobody reads the progress any more.
        """

    def end(self, result: Result) -> None:
        """Take the result of a source."""


class Run:
    """A run over sources.

    Args:
        sources: sources in order, as for ``make_source``; None is the first camera, or the demo.
        options: what to write, and how.
        run: workers and manifest.
        listener: receiver of messages and progress.
        engine: the model; None loads it.
    """

    def __init__(
        self,
        sources: Sequence[str | None],
        options: ProcessOptions,
        run: RunOptions,
        listener: Listener,
        engine: InferenceEngine | None = None,
    ) -> None:
        if run.has_pool or run.shard is not None:
            _check_repeatable(sources)
        self._options, self._run, self._listener = options, run, listener
        self._sources = sources
        self._engine = engine or load_engine(options)
        self._ground_truth: AnnotationGroundTruth | None = None
        self._manifest = None
        if run.has_manifest:
            self._manifest = Manifest(options.out, run.shard.name if run.shard else None)
        self.failed: list[Result] = []
        """Results of the sources that failed."""

    def process(self) -> None:
        """Process the sources that no earlier run has finished.

        Raises:
            KpviewerError: if the model lacks a class of the options, a worker can't begin, or the
                manifest can't be written.
            Interrupted: on a signal, once the files are finished.
        """
        listener = self._listener
        listener.begin(self._engine)
        self._options.thresholds_of(self._engine.spec)  # an unknown class is an error of all
        notes = [self._options.idle_note(self._engine.spec)]
        notes += self._manifest.notes if self._manifest is not None else []
        for note in filter(None, notes):
            listener.warn(f"Note: {note}")
        setting, shard = self._setting(), self._run.shard
        named = zip(self._sources, self._stems(), strict=True)
        mine = [each for each in named if shard is None or shard.has(each[0] or "")]
        if shard is not None and not mine:
            listener.warn(f"Note: Shard {shard.name} has no source; others have them all.")
        progress = Progress([source for source, _ in mine])
        report = partial(self._report, progress=progress)
        tasks = OpenTasks(mine, setting, self._manifest, report)
        with closing(tasks), closing(self._results(setting, iter(tasks), progress)) as results:
            try:
                for result in results:
                    tasks.end(result)
                    report(result)
            except Interrupted as interrupt:  # here, not where results come from
                result = results.throw(interrupt)
                for each in chain([result], results):
                    tasks.end(each)
                    report(each)

    def _report(self, result: Result, progress: Progress) -> None:
        """Report the outcome of a source."""
        if result.exit_code:
            self.failed.append(result)
        progress.end(
            result.task.number,
            result.record.frames,
            has_failed=bool(result.exit_code),
            is_skipped=result.is_skipped,
        )
        self._listener.end(result)
        self._listener.progress(progress)

    def _setting(self) -> Setting:
        """Return what is the same for all sources; chooses the backend."""
        options, run = self._options, self._run
        if not run.has_manifest and not run.has_pool and run.shard is None:
            return Setting(options)
        model = content_hash(self._engine)
        records = self._manifest.records if self._manifest is not None else []
        device = runs_on(self._engine).device or CPU
        before = recorded(records, options, model, device)
        chosen = before or measured(self._engine)
        if run.shard is not None:
            chosen = agreed(options.out, options, model, chosen)
        named = replace(chosen.used_in(options), model_hash=model)  # workers load the file again
        if not run.has_pool and not chosen.is_of(self._engine):
            self._engine = load_engine(named)
        return Setting(
            named,
            self._settings_hash(chosen) if run.has_manifest else "",
            model,
            str(chosen.choice),
            chosen.device,
            run.is_forced,
        )

    def _settings_hash(self, chosen: ChosenBackend) -> str:
        """Return a hash of all that files depend on beside source and model."""
        options, spec = self._options, self._engine.spec
        found = settings_hash(options, options.thresholds_of(spec), chosen)
        if options.ground_truth is None:
            return found
        self._ground_truth = read_ground_truth(
            options.ground_truth, spec.class_names, spec.keypoint_names
        )
        return f"{found}+{self._ground_truth.fingerprint}"

    def _stems(self) -> list[str | None]:
        """Return the planned name of each source, for those of all shards together.

        None where it follows from the open source.
        """
        if self._manifest is None or self._options.stem is not None:
            return [None] * len(self._sources)
        named = [each for each in self._sources if each is not None and is_repeatable(each)]
        stems = iter(planned_stems(named, endings_of(self._options)))
        return [next(stems) if is_repeatable(each) else None for each in self._sources]

    def _results(
        self, setting: Setting, tasks: Iterator[Task], progress: Progress
    ) -> Generator[Result]:
        def on_frames(frames: Frames) -> None:
            progress.run(frames)
            self._listener.progress(progress)

        if not self._run.has_pool:
            worker = Worker(setting, self._engine, self._ground_truth)
            return _alone(worker, tasks, self._listener, on_frames)
        first = list(islice(tasks, self._run.jobs or 1))
        pool = self._pool(setting, len(first))
        failed = partial(_failed, setting=setting)
        return dispatch(chain(first, tasks), pool, failed, on_frames)

    def _pool(self, setting: Setting, jobs: int) -> Pool:
        """Return workers for this number of tasks at once; none if there is no task."""
        run, options = self._run, setting.options
        gpus = []
        if setting.device != CPU and options.device in ("auto", "cuda"):
            gpus = [name for name in available_devices() if name.startswith("cuda")]
        del self._engine, self._ground_truth  # the workers have their own
        if run.ray is not None and jobs:
            return RayPool(setting, run.ray, run.jobs and jobs, has_gpu=bool(gpus))
        return ProcessPool(setting, jobs, gpus)


def _alone(
    worker: Worker,
    tasks: Iterable[Task],
    listener: Listener,
    on_frames: Callable[[Frames], None],
) -> Generator[Result]:
    """Yield the results of tasks that this process works on, one after another.

    Raises:
        Interrupted: on a signal, after the result of the task that it ended.
    """
    for task in tasks:
        result = worker.run(task, _Watched(listener, task.number, on_frames))
        yield result
        if result.signal is not None:
            raise Interrupted(result.signal)


@dataclass(frozen=True, slots=True)
class _Watched:
    """Reporter of a task that counts its frames for the progress over all."""

    listener: Listener
    number: int
    on_frames: Callable[[Frames], None]

    def say(self, text: str) -> None:
        self.listener.say(text)

    def warn(self, text: str) -> None:
        self.listener.warn(text)

    def frames(self, name: str, done: int, total: int | None) -> None:
        self.listener.frames(name, done, total)
        self.on_frames({self.number: (done, total)})


def _failed(lost: Lost, setting: Setting) -> Result:
    """Return the result of a task whose workers were all lost, without the files that they left."""
    task, options = lost.task, setting.options
    if task.stem is not None:
        clear(options.out, task.stem, endings_of(options))
    why = f"{lost.why}, each time that it was tried"
    messages = ((True, f"Error: {task.source}: {why}."),)
    return Result(task, setting.record(task, why), exit_code=1, messages=messages)


def _check_repeatable(sources: Sequence[str | None]) -> None:
    """Refuse cameras and streams for other processes.

    Raises:
        PipelineError: if there is one.
    """
    live = next((each for each in sources if not is_repeatable(each)), "")
    if live != "":
        raise PipelineError(
            f"--jobs, --shard and --ray are for files, got {redact_url(live or 'a camera')}. "
            "Process a live source alone."
        )


def settings_hash(options: ProcessOptions, thresholds: Thresholds, chosen: ChosenBackend) -> str:
    """Return a hash of all options on which the files of a source depend.

    A worker adds the content of the ground truth, which it reads anyway.
    """
    depends_on = (
        sorted(options.outputs),
        sorted(options.sinks),
        (options.scans, options.report, options.seconds, options.sound),
        (options.every, options.image_suffix),
        options.style,
        options.turn and str(options.turn),
        options.ground_truth and str(options.ground_truth),
        options.from_scan and fingerprint_of(str(options.from_scan)),
        None if thresholds.classes is None else sorted(thresholds.classes),
        sorted(thresholds.class_scores.items()),
        (thresholds.score, thresholds.iou, thresholds.nms.value, thresholds.sigma),
        (thresholds.keypoint, thresholds.max_detections),
        (str(chosen.choice), chosen.kind),
        *([os.path.abspath(options.scan_file)] if options.scan_file is not None else []),
    )
    return hashlib.blake2b(repr(depends_on).encode(), digest_size=16).hexdigest()
