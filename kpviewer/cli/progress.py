"""Progress of a job for the program that runs it: JSON lines on stdout."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from kpviewer.interrupts import Interrupted

if TYPE_CHECKING:
    from kpviewer.processing.progress import Progress

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
