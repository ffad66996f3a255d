"""What endless streams of samples share: the chances of a worker, and colours that change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from kpviewer.structures import ImageArray
from kpviewer.training.samples import Sample


def chances_of_worker(seed: int, *key: int) -> np.random.Generator:
    """Give this worker's source of chance, and seed torch's, which torchvision draws from.

    Args:
        seed: of the stream.
        key: keeps streams of one seed apart.
    """
    worker = get_worker_info()
    number = worker.id if worker else 0
    torch.manual_seed(seed * 1000 + number)
    return np.random.default_rng([*key, seed, number])


def recoloured(sample: Sample, change: nn.Module) -> Sample:
    """The same objects on an image of other colours."""
    return replace(sample, rgb=recoloured_rgb(sample.rgb, change))


def recoloured_rgb(rgb: ImageArray, change: nn.Module) -> ImageArray:
    """(H, W, 3) uint8 through a module that takes (3, H, W) uint8."""
    changed: Tensor = change(torch.from_numpy(rgb).permute(2, 0, 1))
    pixels: ImageArray = changed.permute(1, 2, 0).contiguous().numpy()
    return pixels
