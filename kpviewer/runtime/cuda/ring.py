"""A ring of slots through which images of one size pass a program on a GPU.

::

    host             copy stream            compute stream                       host
    image, pinned ─▶ to the slot's image ─▶ to the input, program, rows back ──▶ rows, pinned
                                    uploaded                          computed, done

While one image is computed, the next is copied to the device. A slot is used again when the host
has its rows; no memory of it is in use then. The input and the result of the program are touched by
the compute stream alone, one image after the other.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from kpviewer.runtime.cuda.capturable import check_capturable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from kpviewer.runtime.buffers import Fence
    from kpviewer.runtime.cuda.devices import CudaDevice, CudaStream
    from kpviewer.structures import FloatArray, ImageArray

SLOTS = 2
"""Images in flight: one is computed, one is copied."""
_WARM_UPS = 3
"""Runs before a capture, in which libraries choose kernels and values are kept by size."""


class Streams(NamedTuple):
    """Streams of a runner, shared by its rings."""

    copy: CudaStream
    compute: CudaStream


class _Slot:
    """Memory of one image in flight; its result is the flight's."""

    def __init__(self, image: Tensor, rows: Tensor) -> None:
        self.image, self.rows = image, rows
        self.staging: Tensor | None = None
        """Page-locked copy of images that aren't in page-locked memory; made when needed."""
        self.flight: Flight | None = None
        """Flight whose result is still in the slot."""


class Ring:
    """Slots for images of one size and number, and the captured program.

    Args:
        device: device with streams.
        streams: its streams.
        program: function from (B, H, W, 3) uint8 to (B, M, D) float32, of fixed shapes.
        shape: shape of the images: (B, H, W, 3).

    Raises:
        PipelineError: if no graph can hold the program.
        RuntimeError: if the device fails, for instance for lack of memory.
    """

    def __init__(
        self,
        device: CudaDevice,
        streams: Streams,
        program: Callable[[Tensor], Tensor],
        shape: tuple[int, ...],
    ) -> None:
        self._device, self._streams, self._program = device, streams, program
        self._input = device.empty(shape, streams.compute)
        images = [device.empty(shape, streams.copy, streams.compute) for _ in range(SLOTS)]
        device.synchronize()  # the memory, and the weights, may be of work on another stream
        streams.compute.run(self._input.zero_)
        for _ in range(_WARM_UPS - 1):
            streams.compute.run(lambda: program(self._input))
        streams.compute.run(lambda: check_capturable(program, self._input))
        self._result, self._replay = device.capture(program, self._input, streams.compute)
        self._slots = [
            _Slot(image, device.pinned(tuple(self._result.shape), torch.float32))
            for image in images
        ]
        self._next = 0

    def submit(self, images: Sequence[ImageArray]) -> Flight:
        """Queue the copy and the computation of B images, and return without waiting for them.

        Images in page-locked memory are read until the flight's fence is done, others only here.
        """
        slot = self._slots[self._next]
        self._next = (self._next + 1) % SLOTS
        if slot.flight is not None:
            slot.flight.settle()
        copy, compute = self._streams
        sources = [self._pinned(slot, row, bgr) for row, bgr in enumerate(images)]
        begun = copy.mark()
        copy.run(lambda: _copy_rows(slot.image, sources))
        uploaded = copy.mark()
        try:
            compute.wait(uploaded)
            started = compute.mark()
            compute.run(lambda: self._input.copy_(slot.image))
            compute.run(self._replay)
            computed = compute.mark()
            compute.run(lambda: slot.rows.copy_(self._result, non_blocking=True))
            slot.flight = Flight(
                slot, sources, (begun, uploaded, started, computed, compute.mark())
            )
        except BaseException:
            with contextlib.suppress(RuntimeError):  # the caller may reuse the images' memory
                uploaded.synchronize()
            raise
        return slot.flight

    def computed_eagerly(self) -> FloatArray:
        """Return the program's result for the last images, without the graph; waits."""
        rows: list[Tensor] = []
        self._streams.compute.run(lambda: rows.append(self._program(self._input)))
        self._streams.compute.mark().synchronize()
        found: FloatArray = rows[0].cpu().numpy()
        return found

    def _pinned(self, slot: _Slot, row: int, bgr: ImageArray) -> Tensor:
        """Return an image in page-locked memory: its own, or the slot's after a copy."""
        if self._device.is_pinned(bgr):
            return torch.from_numpy(bgr)
        if slot.staging is None:
            slot.staging = self._device.pinned(tuple(slot.image.shape), torch.uint8)
        np.copyto(slot.staging[row].numpy(), bgr)
        return slot.staging[row]


class Flight:
    """Images on their way through a ring."""

    def __init__(
        self, slot: _Slot, sources: Sequence[Tensor], events: tuple[torch.cuda.Event, ...]
    ) -> None:
        self._slot: _Slot | None = slot
        self._sources = sources  # kept until they are copied
        self._events = events
        self._rows: FloatArray | None = None

    @property
    def fence(self) -> UploadFence:
        """Copy of the images to the device."""
        return UploadFence(self._events[1])

    def rows(self) -> FloatArray:
        """Wait for the candidates: (B, M, D) float32, the caller's own."""
        self.settle()
        assert self._rows is not None
        return self._rows

    def stages_ms(self) -> list[float]:
        """Wait, and return the times of upload, computation and copy back, ms."""
        self.settle()
        begun, uploaded, started, computed, done = self._events
        return [
            begun.elapsed_time(uploaded),
            started.elapsed_time(computed),
            computed.elapsed_time(done),
        ]

    def settle(self) -> None:
        """Wait for the result and take it out of the slot, which is free then; idempotent."""
        if self._slot is None:
            return
        slot, self._slot = self._slot, None
        slot.flight = None
        self._events[-1].synchronize()
        self._rows = slot.rows.numpy().copy()
        self._sources = ()


class UploadFence:
    """Fence of a copy to a GPU. One that fails is done: a lost GPU reads no more memory."""

    def __init__(self, uploaded: Fence) -> None:
        self._uploaded = uploaded

    def query(self) -> bool:
        """Return whether the copy is done."""
        try:
            return self._uploaded.query()
        except RuntimeError:
            return True

    def synchronize(self) -> None:
        """Wait until the copy is done."""
        with contextlib.suppress(RuntimeError):
            self._uploaded.synchronize()


def _copy_rows(target: Tensor, sources: Sequence[Tensor]) -> None:
    for row, source in enumerate(sources):
        target[row].copy_(source, non_blocking=True)
