"""Protocol of what a family of models brings to the training loop: its samples and its losses."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.utils.data import IterableDataset

from kpviewer.models.base import Detector


class Objective(Protocol):
    """One family's part of a training run; ``training.families.registry`` names them."""

    @property
    def detector(self) -> Detector:
        """Detector to train: its network, and the description that is saved with the weights."""

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Names of the parts of the loss in the log."""

    def dataset(self, input_hw: tuple[int, int], seed: int) -> IterableDataset[Any]:
        """Return an endless stream of samples of a size; the same seed yields the same samples."""

    def collate(self, samples: list[Any]) -> tuple[Tensor, ...]:
        """Stack samples into a named tuple of tensors; the first is (B, 3, H, W) uint8 RGB."""

    def losses(self, network: nn.Module, batch: Any, images: Tensor) -> tuple[Tensor, ...]:
        """Compare the predictions of a network with the ground truth.

        Args:
            network: the detector's network, perhaps wrapped.
            batch: result of ``collate``, on the network's device.
            images: images of the batch, (B, 3, H, W) normalised.

        Returns:
            One weighted scalar for each of ``loss_names``; their sum is minimised.
        """


@runtime_checkable
class PhasedObjective(Protocol):
    """An objective whose work depends on the step, such as a backbone that is frozen at first."""

    def begin_at(self, step: int) -> None:
        """Enter the phase of a step: called before each call of ``losses``."""


@runtime_checkable
class CountedObjective(Protocol):
    """An objective with a number of samples per epoch."""

    @property
    def epoch_samples(self) -> int:
        """Number of samples in an epoch: images of the data set, or objects that are cut out."""


@runtime_checkable
class NotedObjective(Protocol):
    """An objective that derives settings from the data, which the user should know."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on these settings, printed once before the first step."""
