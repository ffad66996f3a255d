"""What ``process`` prints: outcomes and progress, for people or as JSON lines."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from tqdm import tqdm

from kpviewer.cli.options import print_notes
from kpviewer.sources.redact import printable
from kpviewer.system.interrupts import Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.processing.progress import Progress
    from kpviewer.processing.tasks import Result

INTERVAL_S = 0.25


class ProgressLines:
    """Writer of at most four lines a second such as ``{"frames": 120, "total": 300}``."""

    def __init__(
        self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._clock = stream, clock
        self._next_s = float("-inf")

    def report(self, frames: int, total: int | None) -> None:
        """Write a line if one is due.

        Raises:
            Interrupted: if nobody reads the lines any more, as the program that ran this has ended.
        """
        self._report({"frames": frames, "total": total})

    def _report(self, line: dict[str, Any]) -> None:
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + INTERVAL_S
        try:
            self._write(line)
        except OSError:
            raise Interrupted(signal.SIGTERM) from None

    def report_sources(self, progress: Progress) -> None:
        """Write a line on several sources if one is due, such as ``{"sources": 40, "done": 3}``.

        Raises:
            Interrupted: if nobody reads the lines any more.
        """
        left_s = progress.seconds_left
        self._report(
            {
                "sources": progress.sources,
                "done": progress.finished,
                "failed": progress.failed,
                "share": round(progress.share, 4),
                "seconds_left": None if left_s is None else round(left_s, 1),
            }
        )

    def report_files(self, paths: Iterable[Path | str]) -> None:
        """Write a line with the finished files: ``{"files": ["/videos/clip.mp4"]}``."""
        with contextlib.suppress(OSError):
            self._write({"files": [str(path) for path in paths]})

    def _write(self, line: dict[str, Any]) -> None:
        click.echo(json.dumps(line), file=self._stream)


_BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{postfix}"


class Console:
    """Listener of a run; outcomes go to stdout, and notes, errors and bars to stderr.

    Args:
        count: number of sources; with one, the bar counts its frames.
        json_progress: whether stdout gets progress as JSON lines, for the program that runs this;
            outcomes then go to stderr.
    """

    def __init__(self, count: int, *, json_progress: bool = False) -> None:
        self._count = count
        self._lines = ProgressLines() if json_progress else None
        self._bar: tqdm[Any] | None = None
        self._skipped: list[Result] = []

    def close(self) -> None:
        """Remove the bar."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()

    def begin(self, engine: InferenceEngine) -> None:
        """Print which outputs of the model are left out."""
        print_notes(engine.spec)

    def say(self, text: str) -> None:
        """Print an outcome."""
        self._print(text, err=self._lines is not None)

    def warn(self, text: str) -> None:
        """Print a note, a warning or an error."""
        self._print(text, err=True)

    def frames(self, name: str, done: int, total: int | None) -> None:
        """Show the frames of a single source."""
        if self._count > 1:
            return
        bar = self._bar
        if bar is None:
            bar = self._bar = tqdm(
                desc=printable(name) or None, unit="frame", disable=None, leave=False
            )
        bar.total = total
        bar.update(done - bar.n)
        if self._lines is not None:
            self._lines.report(done, total)

    def progress(self, progress: Progress) -> None:
        """Show the progress over several sources."""
        if self._count == 1:
            return
        left_s = progress.seconds_left
        bar = self._bar
        if bar is None:
            bar = self._bar = tqdm(total=1.0, bar_format=_BAR, disable=None, leave=False)
        bar.set_description(f"{progress.finished} of {progress.sources} sources", False)
        bar.set_postfix_str("?" if left_s is None else tqdm.format_interval(left_s), False)
        bar.update(progress.share - bar.n)
        if self._lines is not None:
            self._lines.report_sources(progress)

    def end(self, result: Result) -> None:
        """Print the messages of another process, and the files."""
        if self._count == 1:
            self.close()
        for is_problem, text in result.messages:
            self.warn(text) if is_problem else self.say(text)
        if result.is_skipped:
            self._skipped.append(result)
        elif self._lines is not None and result.paths:
            self._lines.report_files(result.paths)

    def finish(self, failed: Sequence[Result], folder: str) -> None:
        """Print how many sources were skipped and why, and those that failed."""
        finished = [each for each in self._skipped if not each.is_elsewhere]
        if len(finished) == self._count == 1:
            (result,) = finished
            files = ", ".join(result.record.files)
            self.say(f"{result.task.source}: finished before -> {files} in {folder}")
        elif finished:
            self.say(f"{len(finished)} of {self._count} sources were finished before")
        if finished:
            self.warn("Note: --force processes finished sources again.")
        if elsewhere := len(self._skipped) - len(finished):
            self.warn(f"Note: another run was processing {elsewhere} of {self._count} sources.")
        if failed and self._count > 1:
            self.warn(f"{len(failed)} of {self._count} sources failed:")
            for result in failed:
                why, _, _ = (result.record.why or "").partition("\n")
                self.warn(f"  {result.record.source}: {why}")

    def _print(self, text: str, *, err: bool) -> None:
        """Print a line above the bar; ignore a closed terminal."""
        with contextlib.suppress(OSError), tqdm.external_write_mode():
            click.echo(printable(text), err=err)
