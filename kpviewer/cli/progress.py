"""Progress of a job for the program that runs it: JSON lines on stdout."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import click

from kpviewer.interrupts import Interrupted

INTERVAL_S = 0.25


class ProgressLines:
    """Writer of at most four lines a second such as ``{"frames": 120, "total": 300}``.

    Args:
        stream: where the lines go; None is stdout.
        clock: current time, s.
    """

    def __init__(
        self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._clock = stream, clock
        self._next_s = float("-inf")

    def report(self, frames: int, total: int | None) -> None:
        """Write a line if one is due.

        Args:
            frames: number of frames processed.
            total: number of frames of the source; None if unknown.

        Raises:
            Interrupted: if nobody reads the lines any more, as the program that ran this has ended.
        """
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + INTERVAL_S
        try:
            self._write({"frames": frames, "total": total})
        except OSError:
            raise Interrupted(signal.SIGTERM) from None

    def report_files(self, paths: Iterable[Path]) -> None:
        """Write a line with the finished files: ``{"files": ["/videos/clip.mp4"]}``."""
        with contextlib.suppress(OSError):
            self._write({"files": [str(path) for path in paths]})

    def _write(self, line: dict[str, Any]) -> None:
        click.echo(json.dumps(line), file=self._stream)
