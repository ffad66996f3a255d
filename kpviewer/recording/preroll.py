"""The last seconds in memory, with which a recording begins.

Frames are kept as JPEG, which frees the pipeline's buffers: at 640x480 about 40 kB each, 12 MB for
ten seconds. A recording reads the kept frames first. New ones queue up behind them until it has
caught up; then it gets them directly.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol, TypeAlias

import numpy as np

from kpviewer.overlay.jpeg import bgr_of_jpeg, jpeg_of
from kpviewer.structures import FrameResult

MOST_BYTES = 256 * 1024 * 1024
"""Size limit of kept frames; beyond it the oldest are dropped before their seconds are over."""
_JPEG_QUALITY = 90
_WAITING = 2
"""Number of frames that wait for compression; they and the one at work hold buffers."""

_log = logging.getLogger(__name__)


class RecordingMark(Enum):
    """A mark between two frames of a recording."""

    CUT = "no gap here"
    SPLIT = "another file begins here"


RecordingItem: TypeAlias = "FrameResult | RecordingMark"


class PausableSink(Protocol):
    """A result sink that can pause, such as ``RecorderThread``."""

    @property
    def is_paused(self) -> bool:
        """Whether frames are left out now."""

    def accept(self, result: FrameResult) -> None:
        """Process a result, as a sink of the pipeline does."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A compressed frame."""

    result: FrameResult
    """Result whose frame has an image of one pixel."""
    jpeg: bytes

    def restored(self) -> FrameResult:
        """Return the result with its decompressed image."""
        frame = replace(self.result.frame, bgr=bgr_of_jpeg(self.jpeg))
        return replace(self.result, frame=frame)


@dataclass(slots=True, eq=False)
class _Store:
    """Kept frames, for at most one recording."""

    entries: deque[_Kept | RecordingMark] = field(default_factory=deque)
    bytes: int = 0
    """Size of the compressed frames."""
    pending: int = 0
    """Number of entries that were accepted, but are not in the store yet."""
    sink: PausableSink | None = None
    """Sink that reads the store; None without a recording."""
    is_direct: bool = False
    """Whether the sink has caught up and gets results directly."""


class PreRoll(threading.Thread):
    """Keeps the last seconds of a pipeline; ``start`` it, then ``Pipeline.add_sink``.

    ::

        keeping --begin--> draining --caught up--> passing on --end--> keeping
    """

    def __init__(self, seconds: float, *, most_bytes: int = MOST_BYTES) -> None:
        """Prepare; nothing is kept yet.

        Args:
            seconds: time before its start at which a recording begins.
            most_bytes: size limit of compressed frames.
        """
        super().__init__(name="kpviewer-preroll", daemon=True)
        self._keep_ns = round(seconds * 1e9)
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._waiting: deque[tuple[_Store, RecordingItem]] = deque()
        self._store = _Store()
        self._is_stopping = False
        self.dropped = 0
        """Number of frames lost because too many waited, memory was full, or of an error."""

    def accept(self, result: FrameResult) -> None:
        """Keep a result or pass it on, on the inference thread."""
        with self._changed:
            store, sink = self._store, self._store.sink
            if self._is_stopping or (sink is not None and sink.is_paused):
                return
            if not store.is_direct:
                if (
                    sum(not isinstance(item, RecordingMark) for _, item in self._waiting)
                    >= _WAITING
                ):
                    self.dropped += 1
                    return
                result.frame.retain()
                self._put(store, result)
                return
        if sink is not None:
            sink.accept(result)

    def begin(self, sink: PausableSink, now_ns: int | None = None) -> Iterator[RecordingItem]:
        """Return the kept frames, and those that come until ``sink`` catches up.

        The iterator waits for frames that are being compressed. From its end on, frames go to
        ``PausableSink.accept``.

        Args:
            sink: the recording.
            now_ns: time on the monotonic clock at which the seconds end; None: the time of the
                newest frame, as a video may be paused.
        """
        with self._changed:
            store, self._store.sink = self._store, sink
        return self._drained(store, 0 if now_ns is None else now_ns - self._keep_ns)

    def end(self) -> None:
        """Start to keep frames anew; a recording still gets the earlier frames."""
        with self._changed:
            self._store = _Store()

    def put(self, mark: RecordingMark) -> bool:
        """Put a mark after the frames so far; return False if the sink gets frames directly."""
        with self._changed:
            if self._store.is_direct or self._store.sink is None or self._is_stopping:
                return False
            self._put(self._store, mark)
            return True

    def stop(self, patience_s: float = 2.0) -> None:
        """End the thread once the waiting frames are compressed; idempotent."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self.ident is not None:
            self.join(patience_s)

    def run(self) -> None:
        """Compress until stopped; a frame that can't be kept is lost and counted."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_stopping)
                if not self._waiting:
                    return
                store, item = self._waiting.popleft()
            try:
                self._keep(store, item)
            except BaseException as error:  # of any kind: a recording waits for kept frames
                _log.warning("A frame isn't kept: %s.", str(error) or type(error).__name__)
                self._note_lost()
            finally:
                with self._changed:
                    store.pending -= 1
                    self._changed.notify_all()

    def _drained(self, store: _Store, since_ns: int) -> Iterator[RecordingItem]:
        while (entry := self._next(store)) is not None:
            if isinstance(entry, _Kept) and entry.result.frame.captured_ns < since_ns:
                continue
            try:
                item = entry if isinstance(entry, RecordingMark) else entry.restored()
            except Exception as error:
                _log.warning("A kept frame is lost: %s.", error)
                self._note_lost()
            else:
                yield item

    def _next(self, store: _Store) -> _Kept | RecordingMark | None:
        """Return the oldest entry; None once the sink has caught up."""
        with self._changed:
            self._changed.wait_for(lambda: store.entries or not store.pending)
            if not store.entries:
                store.is_direct = True
                return None
            entry = store.entries.popleft()
            store.bytes -= 0 if isinstance(entry, RecordingMark) else len(entry.jpeg)
            return entry

    def _keep(self, store: _Store, item: RecordingItem) -> None:
        try:
            kept = item if isinstance(item, RecordingMark) else _compressed(item)
        finally:
            if not isinstance(item, RecordingMark):
                item.frame.release()
        with self._changed:
            self._add(store, kept)

    def _note_lost(self) -> None:
        with self._changed:
            self.dropped += 1

    def _put(self, store: _Store, item: RecordingItem) -> None:
        store.pending += 1
        self._waiting.append((store, item))
        self._changed.notify_all()

    def _add(self, store: _Store, kept: _Kept | RecordingMark) -> None:
        """Add an entry: a recording gets all frames, else only the last seconds are kept."""
        if isinstance(kept, RecordingMark):
            store.entries.append(kept)
            return
        size = len(kept.jpeg)
        if store.sink is not None and store.bytes + size > self._most_bytes:
            self.dropped += 1
            return
        store.entries.append(kept)
        store.bytes += size
        while store.sink is None and self._is_beyond(store, kept):
            oldest = store.entries.popleft()
            store.bytes -= 0 if isinstance(oldest, RecordingMark) else len(oldest.jpeg)

    def _is_beyond(self, store: _Store, newest: _Kept) -> bool:
        """Return whether the oldest frame is too old, or the memory is used up."""
        oldest = store.entries[0]
        if isinstance(oldest, RecordingMark):
            return True
        age_ns = newest.result.frame.captured_ns - oldest.result.frame.captured_ns
        return age_ns > self._keep_ns or store.bytes > self._most_bytes


def _compressed(result: FrameResult) -> _Kept:
    jpeg = jpeg_of(result.frame.bgr, _JPEG_QUALITY)
    bare = replace(result.frame, bgr=np.zeros((1, 1, 3), np.uint8), lease=None)
    return _Kept(replace(result, frame=bare), jpeg)
