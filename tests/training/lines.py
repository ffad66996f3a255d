"""The smallest objective: a convolution that learns the brightness of its images.

Without batch statistics, so that the mean of gradients is the gradient of the mean.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from kpviewer.training.objective import Objective


class LineBatch(NamedTuple):
    images: Tensor
    target: Tensor


class Images(IterableDataset[tuple[Tensor, Tensor]]):
    """Stream of every ``stride``-th image of an endless row."""

    def __init__(self, first: int, stride: int) -> None:
        super().__init__()
        self._first, self._stride = first, stride

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        number = self._first
        while True:
            chance = torch.Generator().manual_seed(number)
            image = torch.randint(0, 256, (3, 8, 8), generator=chance, dtype=torch.uint8)
            yield image, image.float().mean() / 255
            number += self._stride


class LineObjective(Objective):
    """Objective with two losses, which counts its calls."""

    loss_names = ("square", "distance")

    def __init__(self, first: int = 0, stride: int = 1) -> None:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 6))
        spec = SimpleNamespace(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
        detector: Any = SimpleNamespace(network=network, spec=spec)
        super().__init__(detector, 10)
        self.seeds: list[int] = []
        self.steps: list[int] = []
        self._first, self._stride = first, stride

    def begin_at(self, step: int) -> None:
        self.steps.append(step)

    def dataset(self, input_hw: tuple[int, int], seed: int) -> Images:
        self.seeds.append(seed)
        return Images(self._first, self._stride)

    def collate(self, samples: list[Any]) -> LineBatch:
        images, target = zip(*samples, strict=True)
        return LineBatch(torch.stack(images), torch.stack(target))

    def losses(self, network: nn.Module, batch: LineBatch, images: Tensor) -> tuple[Tensor, Tensor]:
        off = network(images)[:, 0, 0, 0].float() - batch.target
        return off.square().mean(), off.abs().mean()
