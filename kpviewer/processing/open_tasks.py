"""Tasks that no run has finished: each is claimed while it is processed.

Several runs may write to one folder at once. A claim is given up only after the outcome is written
down, and outcomes are read after a claim, so another run sees either of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from kpviewer.errors import RecordingError
from kpviewer.processing.claims import (
    Claim,
    ClaimedElsewhereError,
    bytes_of,
    claim,
    files_of,
    forget,
)
from kpviewer.processing.manifest import Manifest, Record
from kpviewer.processing.names import endings_of
from kpviewer.processing.tasks import Result, Setting, Task, recorded_source
from kpviewer.scanning.fingerprint import fingerprint_of


class OpenTasks:
    """The tasks of a run, in order.

    Args:
        sources: source and planned name of each; None: it isn't claimed.
        setting: values that all tasks share.
        manifest: lines of this run and of others; None: nothing is claimed or written down.
        ended: function that takes the results of sources that aren't processed: another run has
            finished them or is processing them, or their files can't be written.
    """

    def __init__(
        self,
        sources: Sequence[tuple[str | None, str | None]],
        setting: Setting,
        manifest: Manifest | None,
        ended: Callable[[Result], None],
    ) -> None:
        self._sources, self._setting = sources, setting
        self._manifest, self._ended = manifest, ended
        self._claims: dict[int, Claim] = {}

    def __iter__(self) -> Iterator[Task]:
        """Yield each task that is open when it is taken, under the name that was claimed."""
        for number, (source, stem) in enumerate(self._sources):
            task = Task(number, source, stem)
            taken = self._taken(task)
            if isinstance(taken, Task):
                yield taken
                continue
            if not taken.is_skipped:
                self.end(taken)
            self._ended(taken)

    def end(self, result: Result) -> None:
        """Write an outcome down, and give up the claim.

        Raises:
            RecordingError: if it can't be written.
        """
        if self._manifest is not None:
            self._manifest.append(result.record)
        claimed = self._claims.pop(result.task.number, None)
        if claimed is not None:
            claimed.end()

    def close(self) -> None:
        """Give up claims without an outcome; the next run replaces files that lie under them."""
        endings = endings_of(self._setting.options)
        for claimed in self._claims.values():
            if any(files_of(self._setting.options.out, claimed.stem, endings)):
                claimed.leave()
            else:
                claimed.end()
        self._claims.clear()

    def _taken(self, task: Task) -> Task | Result:
        """Return a task with its claim, or the result of a source that isn't processed."""
        setting, stem = self._setting, task.stem
        if self._manifest is None or stem is None:
            return task
        owner_of, source = self._manifest.owner_of, recorded_source(task.source)
        records = self._records(source, stem)
        if (record := self._finished(task, records)) is not None:
            return Result(task, record, is_skipped=True)
        left = {
            file: size
            for each in records
            if each.status == "failed" and each.source == source
            for file, size in each.files.items()
            if owner_of(file) is each
        }
        work = f"{setting.settings} {source}"
        options = setting.options
        try:
            claimed = claim(options.out, stem, endings_of(options), left, work)
        except ClaimedElsewhereError:
            return Result(task, setting.record(task), is_skipped=True, is_elsewhere=True)
        except RecordingError as error:
            message = (True, f"Error: {error}")
            return Result(task, setting.record(task, str(error)), 1, messages=(message,))
        record = self._finished(task, self._records(source, stem))
        if record is not None:  # another run ended it between the two
            claimed.end()
            return Result(task, record, is_skipped=True)
        self._claims[task.number] = claimed
        return replace(task, stem=claimed.stem)

    def _records(self, source: str, stem: str) -> list[Record]:
        """Return what the manifest has of a source by now."""
        assert self._manifest is not None, "sources are claimed"
        self._manifest.refresh()
        wanted = self._setting.model, self._setting.settings
        return self._manifest.records_of(source, stem, *wanted)

    def _finished(self, task: Task, records: Sequence[Record]) -> Record | None:
        """Return the record of a source whose files are there; None if it is to be processed.

        Claims that were left by a run that ended right after such a record are removed.
        """
        setting, options = self._setting, self._setting.options
        complete = [each for each in records if each.status == "ok" and self._is_there(each)]
        for record in complete:
            forget(options.out, record.name)
        wanted = setting.model, setting.settings
        alike = [each for each in complete if (each.model, each.settings) == wanted]
        lacks_scan = options.scan_file is not None and not options.scan_file.exists()
        if setting.is_forced or not alike or lacks_scan:
            return None
        fingerprint = fingerprint_of(task.source, str(options.turn or ""))
        return next((each for each in alike if each.fingerprint == fingerprint is not None), None)

    def _is_there(self, record: Record) -> bool:
        """Return whether every file has its recorded size, and is of no other source since."""
        assert self._manifest is not None, "records are a manifest's"
        folder, owner_of = self._setting.options.out, self._manifest.owner_of
        return all(
            owner_of(name).source == record.source and bytes_of(folder / name) == size
            for name, size in record.files.items()
        )
