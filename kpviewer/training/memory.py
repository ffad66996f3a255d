"""Running out of memory, told as what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from kpviewer.errors import PipelineError

_CPU_WORDS = "can't allocate memory"
"""What torch's allocator for the CPU says; there is no type of error for it."""


@contextmanager
def out_of_memory_told(
    batch: int, input_hw: tuple[int, int], device: torch.device
) -> Iterator[None]:
    """Say which settings to change where a step doesn't fit into the memory.

    Raises:
        PipelineError: in place of torch's and Python's errors.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        height, width = input_hw
        less = max(1, batch // 2)
        raise PipelineError(
            f"A step must fit into the memory of {device.type}; {batch} images of {width} x "
            f"{height} don't. Lower batch and raise accumulate as much (--set batch={less} --set "
            "accumulate=2 is half), or lower inputs."
        ) from error


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return _CPU_WORDS in str(error)
