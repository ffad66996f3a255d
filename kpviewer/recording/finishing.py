"""The segments of a recording that are over: each is finished while the next one is written."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kpviewer.recording.segment import Segment


@dataclass(slots=True)
class _Kept:
    """What is left to know of a segment; its encoders and converters are gone."""

    frames: int
    bytes: int
    paths: list[Path] = field(default_factory=list)


class Finished:
    """The segments that are over, in their order; each may be finished on a thread of its own."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._threads: list[threading.Thread] = []
        self.failure: BaseException | None = None
        """The first thing that went wrong."""
        self.seconds = 0.0
        self.frames = 0

    @property
    def segments(self) -> int:
        """How many hold something."""
        return sum(bool(each.frames) for each in self._kept)

    @property
    def paths(self) -> list[Path]:
        """Their files; parts where one isn't finished."""
        return [path for each in self._kept for path in each.paths]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(each.bytes for each in self._kept)

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Those that finish a segment now."""
        return tuple(self._threads)

    def finish(self, segment: Segment) -> None:
        """Finish the files of a segment; ``join`` tells what went wrong."""
        self._close(segment, self._count(segment))

    def finish_beside(self, segment: Segment) -> None:
        """Do so on another thread."""
        job = partial(self._close, segment, self._count(segment))
        # A daemon, as the disk may never answer; whoever records waits for it within bounds.
        thread = threading.Thread(target=job, name="kpviewer-finishing", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def join(self) -> BaseException | None:
        """Wait for all; return the first thing that went wrong."""
        for thread in self._threads:
            thread.join()
        return self.failure

    def _count(self, segment: Segment) -> _Kept:
        kept = _Kept(segment.frames, segment.bytes, segment.paths)
        self._kept.append(kept)
        self.seconds += segment.seconds
        self.frames += segment.frames
        return kept

    def _close(self, segment: Segment, kept: _Kept) -> None:
        try:
            segment.close()
        except BaseException as error:  # of any kind: the recorder tells it
            self.failure = self.failure or error
        kept.paths, kept.bytes = segment.paths, segment.bytes
