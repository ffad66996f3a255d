"""Batches for the training loop: an objective's samples, made by other processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from kpviewer.training.config import TrainConfig
from kpviewer.training.objective import Objective


def batches_of(
    objective: Objective,
    config: TrainConfig,
    input_hw: tuple[int, int],
    seed: int,
    device: torch.device,
) -> Iterator[Any]:
    """Give batches for ever.

    The samples are endless: there is no last batch to drop, and no second pass for which workers
    would have to stay.

    Args:
        objective: whose samples.
        config: batch and workers.
        input_hw: size of the images, px.
        seed: of the samples.
        device: that the batches go to.
    """
    workers = config.workers
    loader = DataLoader(
        objective.dataset(input_hw, seed),
        batch_size=config.batch,
        num_workers=workers,
        collate_fn=objective.collate,
        pin_memory=device.type == "cuda",
        prefetch_factor=4 if workers else None,
        worker_init_fn=_single_thread if workers else None,
    )
    return iter(loader)


def height_width(size: Any) -> tuple[int, int]:
    """Read an input size of a recipe: a side, or [height, width]."""
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _single_thread(worker: int) -> None:
    """A worker composes images one by one: more threads would only take the trainer's cores."""
    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(1)
