"""What a family of models is trained to do: its images and its losses. The loop knows no more."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.utils.data import IterableDataset

from kpviewer.models.base import Detector


class Objective(Protocol):
    """One family's part of a training run; ``training.families`` names them."""

    @property
    def detector(self) -> Detector:
        """What is trained: its network, and the description that is saved with the weights."""

    @property
    def loss_names(self) -> tuple[str, ...]:
        """What the parts of the loss are called in the log."""

    def dataset(self, input_hw: tuple[int, int], seed: int) -> IterableDataset[Any]:
        """Give endless samples of a size; the same seed gives the same ones."""

    def collate(self, samples: list[Any]) -> tuple[Tensor, ...]:
        """Stack samples into a named tuple of tensors; the first is (B, 3, H, W) uint8 RGB."""

    def losses(self, network: nn.Module, batch: Any, images: Tensor) -> tuple[Tensor, ...]:
        """Compare what a network says with the ground truth.

        Args:
            network: the detector's, perhaps wrapped.
            batch: what ``collate`` gave, on the network's device.
            images: its images, (B, 3, H, W) normalised.

        Returns:
            One weighted scalar for each of ``loss_names``; their sum is minimised.
        """


@runtime_checkable
class PhasedObjective(Protocol):
    """An objective whose work depends on the step, such as a backbone that is frozen at first."""

    def begin_at(self, step: int) -> None:
        """Go to the phase of a step: called before each call of ``losses``."""


@runtime_checkable
class CountedObjective(Protocol):
    """An objective whose data can be counted: what ``epochs`` are of."""

    @property
    def epoch_samples(self) -> int:
        """Samples that make an epoch: images of the data set, or objects that are cut out."""
