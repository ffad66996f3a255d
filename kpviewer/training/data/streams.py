"""Functions shared by streams of samples: random numbers of a worker, changes of colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from kpviewer.training.data.samples import Sample


def worker_rng(seed: int, *key: int) -> np.random.Generator:
    """Return this worker's random number generator; seed torch's, which torchvision uses.

    Args:
        seed: seed of the stream.
        key: numbers that distinguish streams of one seed.
    """
    worker = get_worker_info()
    number = worker.id if worker else 0
    torch.manual_seed(seed * 1000 + number)
    return np.random.default_rng([*key, seed, number])


def recoloured(sample: Sample, change: nn.Module) -> Sample:
    """Return the sample with its image changed by a module of (3, H, W) uint8 images."""
    changed: Tensor = change(torch.from_numpy(sample.rgb).permute(2, 0, 1))
    return replace(sample, rgb=changed.permute(1, 2, 0).contiguous().numpy())
