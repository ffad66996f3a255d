"""The newest item of a stream, for any number of readers of which each may be slow.

A reader remembers the number of the item that it had last, and asks for a newer one. Items between
are lost to it alone: a slow reader costs no memory and holds nobody up.
"""

import asyncio
import contextlib
import threading
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class ClosedError(Exception):
    """There will be no newer item."""


class Numbered(NamedTuple, Generic[T]):
    """An item and its number, which grows by one with each."""

    number: int
    item: T


class Newest(Generic[T]):
    """Holds one item. Any thread publishes; coroutines of any event loop wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.held: Numbered[T] | None = None
        """The newest item; None before the first, and once it is forgotten."""
        self._count = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_closed = False

    def publish(self, item: T) -> None:
        """Replace the item, and wake the readers that wait."""
        with self._lock:
            self._count += 1
            self.held = Numbered(self._count, item)
            waiting, self._waiting = self._waiting, set()
        _wake(waiting)

    def forget(self) -> None:
        """Hold no item until the next one, which gets the next number."""
        with self._lock:
            self.held = None

    def close(self) -> None:
        """Let every reader raise ClosedError, now and from now on; idempotent."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, set()
        _wake(waiting)

    async def after(self, number: int, timeout_s: float | None = None) -> Numbered[T]:
        """Return the newest item, once its number is greater than ``number``.

        Args:
            number: number of the last item that the reader had; 0 for the first.
            timeout_s: longest wait in s; None waits without a limit.

        Raises:
            ClosedError: after ``close``.
            TimeoutError: if there is no newer item in time.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                with self._lock:
                    if self._is_closed:
                        raise ClosedError
                    if self.held is not None and self.held.number > number:
                        return self.held
                    self._waiting.add(future)
                try:
                    await future
                finally:
                    with self._lock:
                        self._waiting.discard(future)


def _wake(waiting: set[asyncio.Future[None]]) -> None:
    for future in waiting:
        with contextlib.suppress(RuntimeError):  # its event loop has ended
            future.get_loop().call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
