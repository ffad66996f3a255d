"""A GPU as the ring of frames uses it: streams, events, memory and graphs.

Nothing else there is CUDA's, so tests order the work of streams as badly as a GPU may.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from kpviewer.structures import ImageArray


class CudaStream:
    """Work that a GPU does in order, beside that of other streams."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        """Stream of torch. It does not wait for the default stream."""

    def run(self, work: Callable[[], object]) -> None:
        """Call a function that queues work, with this as the current stream."""
        with torch.cuda.stream(self.stream):
            work()

    def mark(self) -> torch.cuda.Event:
        """Return an event after the work so far."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(self.stream)
        return event

    def wait(self, event: torch.cuda.Event) -> None:
        """Let the work that follows wait for an event of another stream; the host doesn't."""
        self.stream.wait_event(event)


class CudaDevice:
    """A GPU."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def stream(self) -> CudaStream:
        """Make a stream."""
        return CudaStream(self._device)

    def empty(self, shape: tuple[int, ...], *users: CudaStream) -> Tensor:
        """Allocate uint8 memory on the device, which its streams must finish with first."""
        memory = torch.empty(shape, dtype=torch.uint8, device=self._device)
        for user in users:
            memory.record_stream(user.stream)
        return memory

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Allocate page-locked memory on the host, which is copied without the host's help."""
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def is_pinned(self, bgr: ImageArray) -> bool:
        """Return whether an image is in page-locked memory, without gaps."""
        is_plain = bgr.flags.c_contiguous and not bgr.data.readonly  # torch warns of the others
        return is_plain and torch.from_numpy(bgr).is_pinned()

    def synchronize(self) -> None:
        """Wait for all work of the device."""
        torch.cuda.synchronize(self._device)

    def capture(
        self, function: Callable[[Tensor], Tensor], argument: Tensor, stream: CudaStream
    ) -> tuple[Tensor, Callable[[], object]]:
        """Capture a function that has run on the stream as a CUDA graph, with memory of its own.

        Other threads may go on: the mode is that of this thread alone. The stream is that of the
        runs before, so that libraries have their handles and work space for it.

        Returns:
            Its result, always in the same memory, and the call that queues its computation anew
            from what the argument's memory then holds, on the current stream.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream.stream, capture_error_mode="thread_local"):
            result = function(argument)
        return result, graph.replay
