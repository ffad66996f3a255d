"""The closed segments of a recording: each is finished while the next one is written."""

import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kpviewer.recording.segment import Segment


@dataclass(slots=True)
class _Kept:
    """Size and files of a closed segment, without its encoders and converters."""

    bytes: int
    paths: list[Path] = field(default_factory=list)


class FinishedSegments:
    """The closed segments, in order; each may be finished on a thread of its own."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._threads: list[threading.Thread] = []
        self.failure: BaseException | None = None
        """The first error."""
        self.seconds = 0.0
        """Length of all closed segments."""
        self.frames = 0
        """Number of frames in them."""

    @property
    def paths(self) -> list[Path]:
        """Files of the segments; part files while one isn't finished."""
        return [path for each in self._kept for path in each.paths]

    @property
    def bytes(self) -> int:
        """Size of the files."""
        return sum(each.bytes for each in self._kept)

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Threads that finish a segment now."""
        return tuple(self._threads)

    def finish(self, segment: Segment) -> None:
        """Finish the files of a segment; ``join`` returns an error."""
        self._close(segment, self._count(segment))

    def finish_in_background(self, segment: Segment) -> None:
        """Finish the files of a segment on another thread."""
        job = partial(self._close, segment, self._count(segment))
        # A daemon, as the disk may never answer; the recorder's owner waits for a limited time.
        thread = threading.Thread(target=job, name="kpviewer-finishing", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def join(self) -> BaseException | None:
        """Wait for all threads; return the first error."""
        for thread in self._threads:
            thread.join()
        return self.failure

    def _count(self, segment: Segment) -> _Kept:
        kept = _Kept(segment.bytes, segment.paths)
        self._kept.append(kept)
        self.seconds += segment.seconds
        self.frames += segment.frames
        return kept

    def _close(self, segment: Segment, kept: _Kept) -> None:
        try:
            segment.close()
        except BaseException as error:  # of any kind: the recorder reports it
            self.failure = self.failure or error
        kept.paths, kept.bytes = segment.paths, segment.bytes
