"""The two channels between threads: a bounded queue and a one-slot mailbox.

Both own their items: one that they drop goes to ``discard``, which releases its buffer. They know
nothing of frames, sources or models.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FrameQueue(Generic[T]):
    """A bounded queue between one producer and one consumer.

    ``put`` waits for room and loses nothing (files); ``offer`` never waits and keeps only the
    newest (live). After ``close`` the consumer gets the remaining items, then None; ``abort``
    discards them first. Both are idempotent.
    """

    def __init__(self, capacity: int, discard: Callable[[T], None]) -> None:
        """Make an empty queue.

        Args:
            capacity: number of items from which on ``put`` waits.
            discard: function that is called, with no lock held, on every item that is dropped.
        """
        self._capacity = capacity
        self._discard = discard
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_closed = self._is_awaited = False

    def __len__(self) -> int:
        """Return the number of items that wait."""
        with self._changed:
            return len(self._items)

    @property
    def is_idle(self) -> bool:
        """Whether the consumer waits in ``get``, done with all that it took, and no item waits."""
        with self._changed:
            return self._is_awaited and not self._items

    def put(self, item: T, timeout_s: float | None = None) -> bool:
        """Append an item, waiting for room.

        Returns:
            False if the time is up or the queue is closed; the caller keeps the item then.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or len(self._items) < self._capacity, timeout_s
            )
            if self._is_closed or len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def offer(self, item: T) -> int:
        """Replace the waiting items with a newer one, without waiting. A closed queue discards it.

        Returns:
            The number of waiting items that were discarded.
        """
        with self._changed:
            if self._is_closed:
                displaced, dropped = 0, [item]
            else:
                displaced, dropped = len(self._items), list(self._items)
                self._items.clear()
                self._items.append(item)
                self._changed.notify_all()
        for old in dropped:
            self._discard(old)
        return displaced

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the oldest item, waiting for one; None once closed and empty, or when time is up."""
        with self._changed:
            self._is_awaited = True
            self._changed.wait_for(lambda: self._is_closed or self._items, timeout_s)
            self._is_awaited = False
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def take_more(self, count: int) -> list[T]:
        """Remove and return up to ``count`` waiting items, oldest first, without waiting."""
        with self._changed:
            items = [self._items.popleft() for _ in range(min(count, len(self._items)))]
            self._changed.notify_all()
            return items

    def take_all(self) -> list[T]:
        """Remove and return all items, oldest first; the caller owns them."""
        with self._changed:
            items = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return items

    def clear(self) -> None:
        """Discard the waiting items."""
        for item in self.take_all():
            self._discard(item)

    def close(self) -> None:
        """Accept no more items; the waiting ones can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Accept no more items and discard the waiting ones."""
        self.close()
        self.clear()


class Latest(Generic[T]):
    """A mailbox with one slot: a new item replaces one that was not taken.

    The reader polls ``take``; a reader that stops polling costs one item of memory.
    """

    def __init__(self, discard: Callable[[T], None]) -> None:
        """Make an empty mailbox; ``discard`` is called on items that are replaced."""
        self._discard = discard
        self._item: T | None = None
        self._lock = threading.Lock()
        self._has_reader = False

    @property
    def has_reader(self) -> bool:
        """Whether a reader has ever polled: without one no frame counts as skipped."""
        return self._has_reader

    def put(self, item: T) -> bool:
        """Put an item, which the mailbox owns from now on; return whether it replaced another."""
        with self._lock:
            displaced, self._item = self._item, item
        if displaced is not None:
            self._discard(displaced)
        return displaced is not None

    def take(self) -> T | None:
        """Take the newest item, which the caller owns from now on; None if there is no new one."""
        with self._lock:
            self._has_reader = True
            item, self._item = self._item, None
            return item

    def clear(self) -> None:
        """Discard the item, if there is one."""
        with self._lock:
            item, self._item = self._item, None
        if item is not None:
            self._discard(item)
