"""Error message for running out of memory, with its cure."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from kpviewer.errors import PipelineError

_CPU_WORDS = "can't allocate memory"
"""Message of torch's allocator for the CPU, which has no error type of its own."""
_WORKER_WORDS = "DataLoader worker (pid"
"""Message of torch for a process that was killed while it loaded images."""


@contextmanager
def explain_out_of_memory(
    batch: int, input_hw: tuple[int, int], device: torch.device
) -> Iterator[None]:
    """Raise an error that names the settings to change if a step doesn't fit into memory.

    Raises:
        PipelineError: instead of torch's and Python's errors.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if _WORKER_WORDS in str(error):
            raise PipelineError(
                "A process that loads images was killed; the memory may be full. Lower workers "
                "(--set workers=0 loads them in the training process), or in a container raise "
                "shared memory (--shm-size 1g). --resume continues from the last checkpoint."
            ) from error
        is_known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_known and _CPU_WORDS not in str(error):
            raise
        height, width = input_hw
        less = max(1, batch // 2)
        raise PipelineError(
            f"A step must fit into the memory of {device.type}; {batch} images of {width} x "
            f"{height} px don't. Lower batch and raise accumulate (--set batch={less} --set "
            "accumulate=2 needs half the memory), or lower inputs."
        ) from error
