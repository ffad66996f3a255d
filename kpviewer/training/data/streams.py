"""Functions shared by streams of samples: random numbers of a worker, changes of colours."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from kpviewer.errors import DatasetError
from kpviewer.training.data.placement import MIN_SIDE_PX
from kpviewer.training.data.samples import Sample

MOST_UNUSABLE = 500
"""Number of samples in a row after which no other one can be expected to be usable."""


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


def usable(samples: Iterator[Sample], is_usable: Callable[[Sample], bool]) -> Iterator[Sample]:
    """Yield the usable ones of endless samples.

    Raises:
        DatasetError: if none of MOST_UNUSABLE in a row can be used.
    """
    unusable = 0
    for sample in samples:
        unusable = 0 if is_usable(sample) else unusable + 1
        if unusable == MOST_UNUSABLE:
            raise DatasetError(
                f"None of {unusable} images drawn one after the other shows what is annotated: it "
                f"is below {MIN_SIDE_PX:g} px in the input, or outside. Check the labels, or set "
                "larger inputs."
            )
        if not unusable:
            yield sample


def recoloured(sample: Sample, change: nn.Module) -> Sample:
    """Return the sample with its image changed by a module of (3, H, W) uint8 images."""
    changed: Tensor = change(torch.from_numpy(sample.rgb).permute(2, 0, 1))
    return replace(sample, rgb=changed.permute(1, 2, 0).contiguous().numpy())
