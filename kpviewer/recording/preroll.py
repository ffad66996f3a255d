"""What was seen just now, kept in memory so that a recording can begin before it was asked for.

Frames are kept as JPEG, so that they hold none of the pipeline's buffers: at 640x480 about 40 kB
each, 12 MB for ten seconds. A recording takes the kept frames first; those that come meanwhile
queue up behind them, until it has caught up and gets them directly.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from kpviewer.overlay.jpeg import bgr_of_jpeg, jpeg_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpviewer.structures import FrameResult

MOST_BYTES = 256 * 1024 * 1024
"""Of kept frames; where that is less than the wanted seconds, the oldest go earlier."""
_JPEG_QUALITY = 90
_WAITING = 2
"""Frames that wait to be compressed; these and the one at work hold the pipeline's buffers."""

_log = logging.getLogger(__name__)


class RecordingMark(Enum):
    """Stands between two frames of a recording."""

    CUT = "no gap here"
    SPLIT = "another file begins here"


RecordingItem: TypeAlias = "FrameResult | RecordingMark"


class PausableSink(Protocol):
    """What gets the frames once it has caught up; ``RecorderThread`` is one."""

    @property
    def is_paused(self) -> bool:
        """Whether frames are to be left out for now."""

    def accept(self, result: FrameResult) -> None:
        """Take a frame, as a sink of the pipeline does."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A frame as it is kept."""

    result: FrameResult
    """Its image is one pixel."""
    jpeg: bytes

    def restored(self) -> FrameResult:
        """Give the result with an image of its own."""
        frame = replace(self.result.frame, bgr=bgr_of_jpeg(self.jpeg))
        return replace(self.result, frame=frame)


@dataclass(slots=True, eq=False)
class _Store:
    """Kept frames, for one recording at most."""

    entries: deque[_Kept | RecordingMark] = field(default_factory=deque)
    bytes: int = 0
    pending: int = 0
    """Entries that were accepted and are not in the store yet."""
    taker: PausableSink | None = None
    is_direct: bool = False
    """Whether the taker has caught up."""
    is_closed: bool = False
    """Whether nothing comes any more."""


class PreRollReader:
    """Kept frames on their way to a recording; ``PreRoll.begin`` makes it."""

    def __init__(
        self, store: _Store, changed: threading.Condition, note_lost: Callable[[], None]
    ) -> None:
        self._store, self._changed, self._note_lost = store, changed, note_lost

    def take(self) -> RecordingItem | None:
        """Give the oldest that is left, with an image of its own; waits for what is compressed.

        Returns:
            None once there is no more: the next frames come to ``PausableSink.accept``.
        """
        while True:
            entry = self._next()
            if entry is None or isinstance(entry, RecordingMark):
                return entry
            try:
                return entry.restored()
            except Exception as error:
                _log.warning("A kept frame is lost: %s.", error)
                self._note_lost()

    def _next(self) -> _Kept | RecordingMark | None:
        store = self._store
        with self._changed:
            self._changed.wait_for(lambda: store.entries or not store.pending)
            if not store.entries:
                store.is_direct = True
                return None
            entry = store.entries.popleft()
            store.bytes -= 0 if isinstance(entry, RecordingMark) else len(entry.jpeg)
            return entry


class PreRoll(threading.Thread):
    """Keeps the last seconds of a pipeline; ``start`` it, then ``Pipeline.add_sink``.

    ::

        keeping --begin--> handing over --caught up--> passing on --end--> keeping
    """

    def __init__(self, seconds: float, *, most_bytes: int = MOST_BYTES) -> None:
        """Keep nothing yet.

        Args:
            seconds: how far back a recording will begin.
            most_bytes: of compressed frames.
        """
        super().__init__(name="kpviewer-preroll", daemon=True)
        self._keep_ns = round(seconds * 1e9)
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._waiting: deque[tuple[_Store, RecordingItem]] = deque()
        self._store = _Store()
        self._is_stopping = False
        self.dropped = 0
        """Frames that came while too many waited, found the memory full, or were lost to errors."""

    @property
    def bytes(self) -> int:
        """Size of what is kept."""
        return self._store.bytes

    def accept(self, result: FrameResult) -> None:
        """Keep a result, or pass it on; on the inference thread."""
        with self._changed:
            store, taker = self._store, self._store.taker
            if self._is_stopping or (taker is not None and taker.is_paused):
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
        if taker is not None:
            taker.accept(result)

    def begin(self, taker: PausableSink) -> PreRollReader:
        """Hand over what is kept, and what comes until ``taker`` has caught up."""
        with self._changed:
            self._store.taker = taker
            return PreRollReader(self._store, self._changed, self._note_lost)

    def end(self) -> None:
        """Begin to keep anew; the hand-over under way still gives the frames that came before."""
        with self._changed:
            self._store = _Store()

    def put(self, mark: RecordingMark) -> bool:
        """Put a mark behind what came; False where the taker itself gets the next frames."""
        with self._changed:
            if self._store.is_direct or self._store.taker is None or self._is_stopping:
                return False
            self._put(self._store, mark)
            return True

    def stop(self, patience_s: float = 2.0) -> None:
        """End the thread once what waits is compressed; idempotent.

        Args:
            patience_s: a thread that takes longer is let go.
        """
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
            except BaseException as error:  # of any kind: a recording waits for what is kept
                _log.warning("A frame isn't kept: %s.", str(error) or type(error).__name__)
                self._note_lost()
            finally:
                with self._changed:
                    store.pending -= 1
                    self._changed.notify_all()

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
        """Add to what is kept: for a recording all, else only the last seconds."""
        if isinstance(kept, RecordingMark):
            store.entries.append(kept)
            return
        size = len(kept.jpeg)
        if store.taker is not None and store.bytes + size > self._most_bytes:
            self.dropped += 1
            return
        store.entries.append(kept)
        store.bytes += size
        while store.taker is None and self._is_beyond(store, kept):
            oldest = store.entries.popleft()
            store.bytes -= 0 if isinstance(oldest, RecordingMark) else len(oldest.jpeg)

    def _is_beyond(self, store: _Store, newest: _Kept) -> bool:
        """Whether the oldest frame lies before the seconds, or the memory is used up."""
        oldest = store.entries[0]
        if isinstance(oldest, RecordingMark):
            return True
        age_ns = newest.result.frame.captured_ns - oldest.result.frame.captured_ns
        return age_ns > self._keep_ns or store.bytes > self._most_bytes


def _compressed(result: FrameResult) -> _Kept:
    jpeg = jpeg_of(result.frame.bgr, _JPEG_QUALITY)
    bare = replace(result.frame, bgr=np.zeros((1, 1, 3), np.uint8), lease=None)
    return _Kept(replace(result, frame=bare), jpeg)
