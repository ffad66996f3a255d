"""Pool of frame buffers, leased and counted, so that no frame costs an allocation.

Slot states::

    FREE --acquire--> FILLING --seal--> READY --last release, fence done--> FREE

A slot is reused only when every holder released its lease and the slot's fence (such as a copy to
a device) is done. This module depends on no source, model or thread. It imports torch only once
page-locked memory is requested.
"""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.structures import ImageArray


class Fence(Protocol):
    """Operation that may still read a buffer after its holders released it.

    ``torch.cuda.Event`` is one.
    """

    def query(self) -> bool:
        """Return whether it is done."""

    def synchronize(self) -> None:
        """Wait until it is done."""


class _Slot:
    """Flat storage of one frame, which grows for a larger frame."""

    def __init__(self) -> None:
        self._bytes: ImageArray = np.empty(0, np.uint8)
        self._is_pinned = False
        self.fence: Fence | None = None

    def view(self, height: int, width: int, *, pinned: bool) -> ImageArray:
        """Return a contiguous (height, width, 3) uint8 view of the storage."""
        size = height * width * 3
        if size > self._bytes.size or pinned != self._is_pinned:
            self._bytes = _pinned_bytes(size) if pinned else np.empty(size, np.uint8)
            self._is_pinned = pinned
        return self._bytes[:size].reshape(height, width, 3)


def _pinned_bytes(size: int) -> ImageArray:
    """Allocate (size,) uint8 in page-locked memory; the array keeps the tensor alive."""
    import torch  # noqa: PLC0415  # 2.5 s that nobody without a GPU should wait

    array: ImageArray = torch.empty(size, dtype=torch.uint8, pin_memory=True).numpy()
    return array


def _cuda_is_available() -> bool:
    """Return whether torch sees a GPU; without one it can't allocate page-locked memory."""
    import torch  # noqa: PLC0415

    return torch.cuda.is_available()


class BufferLease:
    """A counted claim on one slot, from ``PinnedPool.acquire``; starts with one holder.

    Any thread may retain and release. The last release ends the lease for good. A later claim on
    the same slot is another lease, so a stale reference can't free it.
    """

    def __init__(self, pool: PinnedPool, slot: _Slot) -> None:
        self._pool = pool
        self._slot = slot
        self._lock = threading.Lock()
        self._holders = 1
        self._is_sealed = False

    def allocate(self, height: int, width: int) -> ImageArray:
        """Return the (height, width, 3) uint8 array to fill; a second call replaces the first.

        Raises:
            PipelineError: if the lease is sealed or has ended.
            ValueError: if a side is not positive.
        """
        if height <= 0 or width <= 0:
            raise ValueError(f"height and width must be positive, got {height} x {width}")
        with self._lock:
            self._check_held("allocate")
            if self._is_sealed:
                raise PipelineError("A sealed frame buffer can't be filled again; acquire another.")
            return self._slot.view(height, width, pinned=self._pool.is_pinned)

    def seal(self) -> None:
        """Mark the buffer as filled: from now on it is only read.

        Raises:
            PipelineError: if the lease has ended.
        """
        with self._lock:
            self._check_held("seal")
            self._is_sealed = True

    def guard(self, fence: Fence) -> None:
        """Keep the slot from reuse until ``fence`` is done and the holders have released it.

        Raises:
            PipelineError: if the lease has ended.
        """
        with self._lock:
            self._check_held("guard")
            self._slot.fence = fence

    def retain(self) -> None:
        """Add a holder; each holder calls ``release`` once.

        Raises:
            PipelineError: if the lease has ended.
        """
        with self._lock:
            self._check_held("retain")
            self._holders += 1

    def release(self) -> None:
        """Drop a holder; the last one returns the slot to the pool.

        Raises:
            PipelineError: if no holder is left.
        """
        with self._lock:
            self._check_held("release")
            self._holders -= 1
            is_last = self._holders == 0
        if is_last:
            self._pool.give_back(self._slot)

    def _check_held(self, action: str) -> None:
        """Raise PipelineError if the lease has ended."""
        if self._holders == 0:
            raise PipelineError(
                f"{action} on a frame buffer that was given back: "
                "retain a frame before another part releases it, and release it once."
            )


class PinnedPool:
    """Pool that leases frame buffers. Thread-safe.

    The slot returned last is leased first, so slots that are never needed cost no memory.
    """

    def __init__(self, slots: int = 8) -> None:
        """Create ``slots`` empty slots; memory is allocated when the first frames are read."""
        if slots < 1:
            raise ValueError(f"slots must be at least 1, got {slots}")
        self._free = [_Slot() for _ in range(slots)]
        self._given_back = threading.Condition()
        self._is_pinned = False

    @property
    def is_pinned(self) -> bool:
        """Whether new frames go to page-locked memory."""
        return self._is_pinned

    def use_pinned(self, wanted: bool) -> None:
        """Lease page-locked memory from the next frame on if CUDA is available, else plain memory.

        This imports torch if ``wanted``. Frames already leased stay as they are.
        """
        self._is_pinned = wanted and _cuda_is_available()

    def acquire(self, timeout_s: float | None = None) -> BufferLease | None:
        """Lease a free slot.

        Args:
            timeout_s: longest time to wait, s; None waits for ever. With 0, a free slot whose fence
                isn't done counts as taken; otherwise this waits for the fence.

        Returns:
            A lease with one holder, or None after the time limit.
        """
        with self._given_back:
            if not self._given_back.wait_for(lambda: self._free, timeout_s):
                return None
            slot = self._pop_unfenced() or (None if timeout_s == 0 else self._free.pop())
        if slot is None:
            return None
        if slot.fence is not None:
            slot.fence.synchronize()
            slot.fence = None
        return BufferLease(self, slot)

    def give_back(self, slot: _Slot) -> None:
        """Return a slot to the pool; for ``BufferLease`` only."""
        with self._given_back:
            self._free.append(slot)
            self._given_back.notify()

    def _pop_unfenced(self) -> _Slot | None:
        """Take the free slot returned last, of those whose fence is done."""
        for at in reversed(range(len(self._free))):
            fence = self._free[at].fence
            if fence is None or fence.query():
                self._free[at].fence = None
                return self._free.pop(at)
        return None
