"""Batches for the training loop, loaded by worker processes."""

import os
import signal
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from kpviewer.errors import DatasetError
from kpviewer.system.cpu_threads import available_cores
from kpviewer.training.config import TrainConfig
from kpviewer.training.objective import Objective


def batches_of(
    objective: Objective,
    config: TrainConfig,
    input_hw: tuple[int, int],
    seed: int,
    device: torch.device,
) -> Iterator[Any]:
    """Return an endless iterator of batches.

    Samples are endless: there is no last batch to drop, and no second pass that would need
    persistent workers.
    """
    workers = config.workers
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")  # see ``worker_notes``
        loader = DataLoader(
            objective.dataset(input_hw, seed),
            batch_size=config.batch,
            num_workers=workers,
            collate_fn=objective.collate,
            pin_memory=device.type == "cuda",
            prefetch_factor=4 if workers else None,
            worker_init_fn=prepare_worker if workers else None,
        )
        return _with_plain_errors(iter(loader))


def worker_notes(config: TrainConfig) -> list[str]:
    """Return a sentence if more processes load images than there are cores."""
    cores = available_cores()
    if config.workers <= cores:
        return []
    return [
        f"workers={config.workers} starts more processes than the {cores} cores here can run at "
        f"once. Try --set workers={max(cores - 1, 0)}."
    ]


def _with_plain_errors(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield the batches; take the traceback from the message of an error in a worker."""
    try:
        yield from batches
    except DatasetError as error:
        raise DatasetError(str(error).rpartition(f"{DatasetError.__name__}: ")[2].strip()) from None


def prepare_worker(worker: int) -> None:
    """Limit a worker to one thread: it handles images singly, and others need the cores.

    A SIGTERM to the whole group, as of a batch system, ends it like an idle worker: torch takes a
    worker that a signal killed for a crash, and the main process couldn't save.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(1)
