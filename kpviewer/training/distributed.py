"""Training in several processes at once, started by ``torchrun``: who is who, and what they agree.

Each process draws images of its own and the gradients are averaged, so N processes take the steps
of one with N times the batch. The first one alone writes, prints and scores.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

_SCORING = timedelta(hours=6)
"""How long the others wait for the first one, which scores a checkpoint meanwhile."""


@dataclass(frozen=True, slots=True)
class World:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """Average over the processes, in place where there are several."""
        if self.size > 1:
            distributed.all_reduce(values)
            values /= self.size
        return values

    def told_by_first(self, value: Any) -> Any:
        """Give every process what the first one has."""
        box = [value]
        if self.size > 1:
            distributed.broadcast_object_list(box, src=0)
        return box[0]


ALONE = World()


@contextmanager
def joined_world(device: str) -> Iterator[tuple[World, str]]:
    """Join the processes that ``torchrun`` started; alone where it started none.

    Args:
        device: "cpu", or "cuda" for the one that is this process's on its machine.

    Yields:
        The world, and the device that is this process's.
    """
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        yield ALONE, device
        return
    is_cuda = device.startswith("cuda")
    if is_cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if is_cuda else "gloo", timeout=_SCORING)
    try:
        yield World(distributed.get_rank(), distributed.get_world_size()), device
    finally:
        # what averages gradients is part of reference cycles: left to the end of Python, its
        # threads would be cut off and abort a process that had done its work
        gc.collect()
        distributed.destroy_process_group()


def is_first_process() -> bool:
    """Whether this process is the one that prints; true of one that trains alone."""
    return os.environ.get("RANK", "0") == "0"
