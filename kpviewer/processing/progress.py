"""Progress over many sources, with an estimate of the time left."""

import os
import time
from collections.abc import Callable, Mapping, Sequence

from kpviewer.sources.naming import path_of


class Progress:
    """Counts finished sources and the share of the work that is done.

    A source weighs as many bytes as its files have: its length isn't known before it is opened.
    """

    def __init__(
        self, sources: Sequence[str | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._weights = [_bytes_of(source) for source in sources]
        self._whole = max(sum(self._weights), 1)
        self._clock, self._began_s = clock, clock()
        self._done = self._skipped = 0
        self._running: dict[int, float] = {}
        self.finished = 0
        """Number of sources that are done, failed or were skipped."""
        self.failed = 0
        self.frames = 0
        """Number of frames of finished sources in this run."""

    @property
    def sources(self) -> int:
        """Number of sources."""
        return len(self._weights)

    def run(self, frames: Mapping[int, tuple[int, int | None]]) -> None:
        """Set the frames done and their total of the sources that are processed now, by number."""
        self._running = {
            number: min(done / total, 1.0) if total else 0.0
            for number, (done, total) in frames.items()
        }

    def end(self, number: int, frames: int, *, has_failed: bool, is_skipped: bool) -> None:
        """Count a source as finished."""
        self._running.pop(number, None)
        self._done += self._weights[number]
        self.finished += 1
        self.failed += has_failed
        if is_skipped:
            self._skipped += self._weights[number]
        else:
            self.frames += frames

    @property
    def share(self) -> float:
        """Share of the work that is done, from 0 to 1."""
        running = sum(share * self._weights[number] for number, share in self._running.items())
        return min((self._done + running) / self._whole, 1.0)

    @property
    def seconds_left(self) -> float | None:
        """Estimated time left at the rate so far; None while it is unknown."""
        here = self.share * self._whole - self._skipped
        if here <= 0:
            return None
        spent_s = self._clock() - self._began_s
        return spent_s * (1 - self.share) * self._whole / here


def _bytes_of(source: str | None) -> int:
    """Return the size of a source's files, at least 1."""
    path = path_of(source)
    try:
        if path is None:
            return 1
        if not path.is_dir():
            return max(path.stat().st_size, 1)
        with os.scandir(path) as entries:
            return max(sum(each.stat().st_size for each in entries if each.is_file()), 1)
    except OSError:  # reported when it is processed
        return 1
