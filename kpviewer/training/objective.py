"""What a family of models brings to the training loop: its samples and its losses."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn
from torch.utils.data import IterableDataset

from kpviewer.models.base import Detector


class Objective(ABC):
    """One family's part of a training run; ``training.families.registry`` names them.

    Args:
        detector: detector to train; its description is saved with the weights.
        epoch_samples: samples in an epoch: images of the data set, or objects that are cut out.
    """

    detector: Detector

    loss_names: tuple[str, ...]
    """Names of the parts of the loss in the log."""

    notes: tuple[str, ...] = ()
    """Sentences on settings that come from the data, printed once before the first step."""

    def __init__(self, detector: Detector, epoch_samples: int) -> None:
        self.detector, self.epoch_samples = detector, epoch_samples
        self._step = 0

    def begin_at(self, step: int) -> None:
        """Enter the phase of a step: called before each call of ``losses``."""
        self._step = step

    @abstractmethod
    def dataset(self, input_hw: tuple[int, int], seed: int) -> IterableDataset[Any]:
        """Return an endless stream of samples of a size; the same seed yields the same samples.

        Raises:
            DatasetError: if the model can't be trained on inputs of that size.
        """

    @abstractmethod
    def collate(self, samples: list[Any]) -> tuple[Tensor, ...]:
        """Stack samples into a named tuple of tensors; the first is (B, 3, H, W) uint8 RGB."""

    @abstractmethod
    def losses(self, network: nn.Module, batch: Any, images: Tensor) -> tuple[Tensor, ...]:
        """Compare the predictions of a network with the ground truth.

        Args:
            network: the detector's network, perhaps wrapped.
            batch: result of ``collate``, on the network's device.
            images: images of the batch, (B, 3, H, W) normalised.

        Returns:
            One weighted scalar for each of ``loss_names``; their sum is minimised.
        """


def train_part(part: nn.Module, learns: bool) -> None:
    """Train a part of a network, or freeze its weights and batch statistics."""
    part.requires_grad_(learns).train(learns)
