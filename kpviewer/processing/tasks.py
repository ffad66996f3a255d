"""One source as a task that any process can work on, and its result."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpviewer.processing.manifest import Record
from kpviewer.processing.options import ProcessOptions
from kpviewer.sources.naming import GENERATED, path_of
from kpviewer.sources.redact import redact_url


@dataclass(frozen=True, slots=True)
class Task:
    """A source to process."""

    number: int
    """Position among the tasks of the run, from 0."""
    source: str | None
    """Source as for ``make_source``; None is the first camera, or the demo."""
    stem: str | None = None
    """Name of its files without endings, which the run has claimed; None: the source's name, or
    the next that is free."""


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of a task."""

    task: Task
    record: Record
    exit_code: int = 0
    """Exit code of the failure; 0 without one."""
    signal: int | None = None
    """Signal that ended it early; None if none did."""
    is_skipped: bool = False
    """Whether another run had finished it, or is processing it."""
    is_elsewhere: bool = False
    """Whether another run is processing it."""
    messages: tuple[tuple[bool, str], ...] = ()
    """Messages of another process: whether each is a note or an error, and its text."""
    paths: tuple[str, ...] = ()
    """Finished files and folders."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Values that all tasks of a run share; workers get them once."""

    options: ProcessOptions
    """Options; backend, precision and device are those to use, not auto."""
    settings: str = ""
    """Hash of what the files depend on; empty keeps no records."""
    model: str | None = None
    backend: str = ""
    """Backend and precision, such as "openvino:fp32"."""
    device: str = ""
    """Name of the device: "CPU", or that of the GPU."""
    is_forced: bool = False
    """Whether finished sources are processed again."""

    @property
    def keeps_records(self) -> bool:
        """Whether names are claimed, and finished sources skipped."""
        return bool(self.settings)

    def record(self, task: Task, failure: str | None = None, **outcome: Any) -> Record:
        """Return the line of a task that ends now.

        Args:
            task: the task.
            failure: reason why it failed; None if it didn't.
            outcome: other fields of the record.
        """
        return Record(
            source=recorded_source(task.source),
            name=task.stem or "",
            status="failed" if failure else "ok",
            why=failure,
            model=self.model,
            settings=self.settings,
            backend=self.backend,
            device=self.device,
            ended=datetime.now().astimezone().isoformat(timespec="seconds"),
            **outcome,
        )


def is_repeatable(source: str | None) -> bool:
    """Return whether a source gives the same frames again: a file, a folder, a demo; no camera."""
    return path_of(source) is not None or (source or "").strip().lower() in GENERATED


def recorded_source(source: str | None) -> str:
    """Return a source as manifests name it: files by their whole path, addresses redacted."""
    path = path_of(source)
    return os.path.abspath(path) if path is not None else redact_url(source or "")
