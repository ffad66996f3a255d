"""Queue of frames and marks for the recorder's thread: short, as frames hold buffers."""

from __future__ import annotations

import threading
from collections import deque

from kpviewer.recording.preroll import RecordingItem, RecordingMark
from kpviewer.structures import FrameResult

_MOST_COPIED_BYTES = 256 * 1024 * 1024
"""Size limit of the copied frames that wait while files are opened."""


class RecorderQueue:
    """A bounded queue; ``take`` and ``note_*`` are for the recorder's thread."""

    def __init__(self, size: int, *, lossless: bool, patience_s: float | None) -> None:
        """Make an open queue.

        Args:
            size: number of frames that may wait.
            lossless: whether ``put`` waits for room; else it loses the frame.
            patience_s: time in s without progress after which it loses the frame; None: never.
        """
        self._size, self._lossless, self._patience_s = size, lossless, patience_s
        self._changed = threading.Condition()
        self._items: deque[RecordingItem] = deque()
        self._openings = 1
        """Number of openings of files under way; meanwhile frames are copied rather than lost."""
        self._is_closed = False
        self.taken = 0
        """Number of items that were taken."""
        self._gave_up_at = -1
        self.dropped = 0
        """Number of frames that were lost."""

    def put(self, result: FrameResult) -> None:
        """Add a frame, or lose it if there is no room."""
        with self._changed:
            if self._lossless and self._gave_up_at != self.taken:
                is_late = not self._changed.wait_for(
                    lambda: self._is_closed or not self._is_full, self._patience_s
                )
                self._gave_up_at = self.taken if is_late else -1
            if self._is_closed:
                return
            if self._is_full:
                if not self._openings or not self._may_copy(result):
                    self.dropped += 1
                    return
                result = result.with_own_image()
            result.frame.retain()
            self._items.append(result)
            self._changed.notify_all()

    def put_mark(self, mark: RecordingMark) -> None:
        """Add a mark."""
        with self._changed:
            self._items.append(mark)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> RecordingItem | None:
        """Remove and return the oldest item; None if none comes in time, or the queue is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_closed, timeout_s)
            if not self._items:
                return None
            self.taken += 1
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    @property
    def is_over(self) -> bool:
        """Whether the queue is closed and empty."""
        with self._changed:
            return self._is_closed and not self._items

    def note_opening(self) -> None:
        """Note that files are being opened: frames without room are copied meanwhile."""
        with self._changed:
            self._openings += 1

    def note_opened(self) -> None:
        """Note that one opening has ended."""
        with self._changed:
            self._openings -= 1

    def close(self) -> None:
        """Accept no more frames; the waiting items can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Close, and release the waiting frames."""
        with self._changed:
            self._is_closed = True
            while self._items:
                item = self._items.popleft()
                if not isinstance(item, RecordingMark):
                    item.frame.release()
            self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        return sum(not isinstance(item, RecordingMark) for item in self._items) >= self._size

    def _may_copy(self, result: FrameResult) -> bool:
        frames = [item.frame for item in self._items if not isinstance(item, RecordingMark)]
        sizes = [frame.bgr.nbytes for frame in (*frames, result.frame)]
        return sum(sizes) <= _MOST_COPIED_BYTES
