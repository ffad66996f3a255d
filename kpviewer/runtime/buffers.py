"""A fixed number of frame buffers, lent out and counted: no frame costs an allocation.

Slot states::

    FREE --acquire--> FILLING --seal--> READY --last release, fence done--> FREE

A slot is reused only when every holder released its lease and the event that guards the slot (a
copy to a device, say) is done. This module knows nothing of sources, models or threads; it
imports torch only once page-locked memory is asked for.
"""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.structures import ImageArray


class Fence(Protocol):
    """Something that still reads a buffer after its holders let go; ``torch.cuda.Event`` is one."""

    def query(self) -> bool:
        """Whether it is done."""

    def synchronize(self) -> None:
        """Wait until it is done."""


class _Slot:
    """Flat storage of one frame, grown when a larger frame comes."""

    def __init__(self) -> None:
        self._bytes: ImageArray = np.empty(0, np.uint8)
        self._is_pinned = False
        self.fence: Fence | None = None

    def view(self, height: int, width: int, *, pinned: bool) -> ImageArray:
        """Give a (height, width, 3) uint8 view of the storage, contiguous."""
        size = height * width * 3
        if size > self._bytes.size or pinned != self._is_pinned:
            self._bytes = _pinned_bytes(size) if pinned else np.empty(size, np.uint8)
            self._is_pinned = pinned
        return self._bytes[:size].reshape(height, width, 3)


def _pinned_bytes(size: int) -> ImageArray:
    """Allocate (size,) uint8 in page-locked memory; the array keeps the tensor alive."""
    import torch  # noqa: PLC0415  # 2.5 s that no one without a GPU should pay

    array: ImageArray = torch.empty(size, dtype=torch.uint8, pin_memory=True).numpy()
    return array


def _cuda_is_available() -> bool:
    """Ask torch, which raises on page-locked memory without an accelerator."""
    import torch  # noqa: PLC0415

    return torch.cuda.is_available()


class BufferLease:
    """A counted claim on one slot, from ``PinnedPool.acquire``; starts with one holder.

    Any thread may retain and release. Once the last holder let go, the lease is over for good: a
    later claim on the same slot is another lease, so a stale reference can't free it.
    """

    def __init__(self, pool: PinnedPool, slot: _Slot) -> None:
        self._pool = pool
        self._slot = slot
        self._lock = threading.Lock()
        self._holders = 1
        self._is_sealed = False

    def allocate(self, height: int, width: int) -> ImageArray:
        """Give the (height, width, 3) uint8 array to fill; a second call replaces the first.

        Raises:
            PipelineError: if the lease was sealed or given back.
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
        """Say that the buffer is filled: from now on it is only read.

        Raises:
            PipelineError: if the lease was given back.
        """
        with self._lock:
            self._check_held("seal")
            self._is_sealed = True

    def guard(self, fence: Fence) -> None:
        """Keep the slot from reuse until ``fence`` is done, besides the holders.

        Raises:
            PipelineError: if the lease was given back.
        """
        with self._lock:
            self._check_held("guard")
            self._slot.fence = fence

    def retain(self) -> None:
        """Add a holder; each one calls ``release`` once.

        Raises:
            PipelineError: if the lease was given back.
        """
        with self._lock:
            self._check_held("retain")
            self._holders += 1

    def release(self) -> None:
        """Drop a holder; the last one gives the slot back.

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
        """Raise PipelineError once the slot was given back."""
        if self._holders == 0:
            raise PipelineError(
                f"{action} on a frame buffer that was given back: "
                "retain a frame before another part releases it, and release it once."
            )


class PinnedPool:
    """Lends out frame buffers. Thread-safe.

    The slot that came back last is lent first, so slots that are never needed cost no memory.
    """

    def __init__(self, slots: int = 8) -> None:
        """Make ``slots`` empty slots; memory is taken when the first frames are read."""
        if slots < 1:
            raise ValueError(f"slots must be at least 1, got {slots}")
        self._slots = slots
        self._free = [_Slot() for _ in range(slots)]
        self._given_back = threading.Condition()
        self._is_pinned = False

    @property
    def slots(self) -> int:
        """Number of slots; never changes."""
        return self._slots

    @property
    def free(self) -> int:
        """Number of slots that nobody holds."""
        with self._given_back:
            return len(self._free)

    @property
    def is_pinned(self) -> bool:
        """Whether new frames go to page-locked memory."""
        return self._is_pinned

    def use_pinned(self, wanted: bool) -> None:
        """Lend page-locked memory from the next frame on, where CUDA is there; else plain memory.

        Imports torch when ``wanted``. Frames already lent stay as they are.
        """
        self._is_pinned = wanted and _cuda_is_available()

    def acquire(self, timeout_s: float | None = None) -> BufferLease | None:
        """Lend a free slot.

        Args:
            timeout_s: how long to wait for one, in seconds; None waits for ever. With 0, a free
                slot whose fence is not done counts as taken; else its fence is waited for.

        Returns:
            A lease with one holder, or None when the time is up.
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
        """Take a slot back from its lease; for ``BufferLease`` only."""
        with self._given_back:
            self._free.append(slot)
            self._given_back.notify()

    def _pop_unfenced(self) -> _Slot | None:
        """Take the free slot that came back last among those that no fence guards any more."""
        for at in reversed(range(len(self._free))):
            fence = self._free[at].fence
            if fence is None or fence.query():
                self._free[at].fence = None
                return self._free.pop(at)
        return None
