"""A run over many sources: its tasks, its workers, and the manifest of outcomes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from kpviewer.errors import PipelineError
from kpviewer.interrupts import Interrupted
from kpviewer.processing.backend_choice import agreed, measured, recorded
from kpviewer.processing.claims import forget
from kpviewer.processing.dispatch import Frames, Lost, Pool, dispatch
from kpviewer.processing.jobs import ProcessPool
from kpviewer.processing.manifest import Manifest, Record
from kpviewer.processing.names import endings_of, planned_stems
from kpviewer.processing.progress import Progress
from kpviewer.processing.ray_jobs import RayPool
from kpviewer.processing.reporting import Reporter
from kpviewer.processing.settings import settings_hash
from kpviewer.processing.tasks import Result, Setting, Task, is_repeatable, recorded_source
from kpviewer.processing.worker import Worker, load_engine
from kpviewer.runtime.device import available_devices
from kpviewer.sources.redact import redact_url

if TYPE_CHECKING:
    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.processing.shard import Shard


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
        self._manifest = None
        if run.has_manifest:
            self._manifest = Manifest(options.out, run.shard.name if run.shard else None)
        self.failed: list[Result] = []
        """Results of the sources that failed."""

    def process(self) -> None:
        """Process the sources that no earlier run has finished.

        Raises:
            KpviewerError: if a worker can't begin, or the manifest can't be written.
            Interrupted: on a signal, once the files are finished.
        """
        listener = self._listener
        listener.begin(self._engine)
        for note in self._manifest.notes if self._manifest is not None else []:
            listener.warn(f"Note: {note}")
        setting, tasks = self._setting(), self._tasks()
        progress = Progress([task.source for task in tasks])
        with closing(self._results(setting, tasks, progress)) as results:
            for result in results:
                self._take(result, progress)

    def _take(self, result: Result, progress: Progress) -> None:
        """Write a result down, and report it."""
        if self._manifest is not None and not result.is_skipped:
            self._manifest.append(result.record)
            if result.task.stem is not None:
                forget(self._options.out, result.task.stem)
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
        model = getattr(self._engine, "model_hash", None)
        records = self._manifest.records if self._manifest is not None else []
        before = recorded(records, options, model)
        chosen = before or measured(self._engine)
        if run.shard is not None:
            chosen = agreed(options.out, options, model, chosen)
        named = chosen.used_in(options)
        if named != options and not run.has_pool and not chosen.is_of(self._engine):
            self._engine = load_engine(named)
        thresholds = options.thresholds_of(self._engine.spec)
        return Setting(
            named,
            settings_hash(options, thresholds, chosen) if run.has_manifest else "",
            model,
            str(chosen.choice),
            chosen.device,
            run.is_forced,
        )

    def _tasks(self) -> list[Task]:
        """Return the tasks of this run; names are planned for those of all shards together."""
        tasks: list[Task] = []
        shard = self._run.shard
        for source, stem in zip(self._sources, self._stems(), strict=True):
            if shard is not None and not shard.has(source or ""):
                continue
            records: tuple[Record, ...] = ()
            if self._manifest is not None and stem is not None:
                records = tuple(self._manifest.records_of(recorded_source(source), stem))
            tasks.append(Task(len(tasks), source, stem, records))
        return tasks

    def _stems(self) -> list[str | None]:
        """Return the planned name of each source; None where it follows from the open source."""
        if self._manifest is None or self._options.stem is not None:
            return [None] * len(self._sources)
        named = [each for each in self._sources if each is not None and is_repeatable(each)]
        stems = iter(planned_stems(named, endings_of(self._options)))
        return [next(stems) if is_repeatable(each) else None for each in self._sources]

    def _results(
        self, setting: Setting, tasks: Sequence[Task], progress: Progress
    ) -> Generator[Result]:
        def on_frames(frames: Frames) -> None:
            progress.run(frames)
            self._listener.progress(progress)

        if not self._run.has_pool:
            return _alone(Worker(setting, self._engine), tasks, self._listener, on_frames)
        pool = self._pool(setting, max(len(tasks), 1))
        return dispatch(tasks, pool, lambda lost: _failed(lost, setting), on_frames)

    def _pool(self, setting: Setting, tasks: int) -> Pool:
        run, options = self._run, setting.options
        gpus = []
        if setting.device != "CPU" and options.device in ("auto", "cuda"):
            gpus = [name for name in available_devices() if name.startswith("cuda")]
        del self._engine  # the workers have their own
        if run.ray is not None:
            jobs = None if run.jobs is None else min(run.jobs, tasks)
            return RayPool(setting, run.ray, jobs, has_gpu=bool(gpus))
        return ProcessPool(setting, min(run.jobs or 1, tasks), gpus)


def _alone(
    worker: Worker,
    tasks: Sequence[Task],
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
    """Return the result of a task whose workers were all lost."""
    task = replace(lost.task, stem=None)  # the claim stays, so the next run replaces the remains
    why = f"{lost.why}, each time that it was tried"
    record = Record(
        source=recorded_source(task.source),
        name=lost.task.stem or "",
        status="failed",
        why=why,
        model=setting.model,
        settings=setting.settings,
        backend=setting.backend,
        device=setting.device,
    )
    messages = ((True, f"Error: {task.source}: {why}."),)
    return Result(task, record, exit_code=1, messages=messages)


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
