"""Training in several processes at once, started by ``torchrun``.

Each process draws its own images, and gradients are averaged: N processes take the same steps as
one process with N times the batch. Only the first process writes, prints and scores.
"""

import gc
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

_SCORING = timedelta(hours=6)
"""Longest time that the other processes wait while the first one scores a checkpoint."""
_NUMBERS = itertools.count()
"""Numbers of the groups that this process joins, the same in all processes."""


@dataclass(frozen=True, slots=True)
class World:
    """Rank of this process and number of processes that train together."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """Average a tensor over the processes, in place; return it."""
        if self.size > 1:
            distributed.all_reduce(values)
            values /= self.size
        return values

    def broadcast_from_first(self, value: Any) -> Any:
        """Return the value of the first process in every process."""
        box = [value]
        if self.size > 1:
            distributed.broadcast_object_list(box, src=0)
        return box[0]


ALONE = World()


@contextmanager
def joined_world(device: str) -> Iterator[tuple[World, str]]:
    """Join the processes that ``torchrun`` started; train alone if it started none.

    Args:
        device: "cpu", or "cuda" for the GPU of this process's local rank.

    Yields:
        The world and the device of this process.
    """
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        yield ALONE, device
        return
    is_cuda = device.startswith("cuda")
    if is_cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    from torch.distributed.distributed_c10d import PrefixStore  # noqa: PLC0415 - some builds lack it
    from torch.distributed.rendezvous import rendezvous  # noqa: PLC0415 - as above

    store, rank, size = next(rendezvous("env://", timeout=_SCORING))
    distributed.init_process_group(
        "nccl" if is_cuda else "gloo",
        timeout=_SCORING,
        # else a second group would find the first one's addresses, and wait for ever
        store=PrefixStore(f"kpviewer-{next(_NUMBERS)}", store),
        rank=rank,
        world_size=size,
    )
    try:
        yield World(rank, size), device
    finally:
        # The gradient reducer is part of reference cycles. If Python's shutdown collected it, its
        # threads would be cut off and abort a process that has finished.
        gc.collect()
        distributed.destroy_process_group()
