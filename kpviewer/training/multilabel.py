"""Which classes are in an image: one label set an image, binary cross-entropy a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.annotations.labels import LabelSet, label_set
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.metrics.multilabel import SWEEP_METRICS
from kpviewer.models.image_backbone import start_backbone
from kpviewer.models.multilabel import MULTILABEL_ARCHITECTURES, MultilabelDetector
from kpviewer.models.spec import Task
from kpviewer.training.building import check_model, read_objects
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.crops import JitterOptions
from kpviewer.training.whole_images import WholeImageStream, whole_image_spec


@dataclass(frozen=True, slots=True)
class MultilabelOptions:
    """What a recipe of this family may say beside ``TrainConfig``."""

    name: str = ""
    """Of the model and its file; none: the architecture's."""
    pretrained: str = ""
    """Where the backbone starts: "imagenet", or a .pt or .pth file of torchvision's classifier."""
    positive_weight: float = 1.0
    """Of a class that is there against one that isn't: above 1 where classes are seldom there."""
    sweep: str = SWEEP_METRICS[0]
    """What the threshold is chosen by on the data of ``--val``: "f1" or "accuracy_multi"."""
    jitter: JitterOptions = field(default_factory=JitterOptions)

    def __post_init__(self) -> None:
        """Check what is used at the end of a run, before it begins."""
        if self.sweep not in SWEEP_METRICS:
            raise DatasetError(
                f"sweep must be one of {', '.join(SWEEP_METRICS)}, got {self.sweep!r}."
            )
        if self.positive_weight <= 0:
            raise DatasetError(f"positive_weight must be positive, got {self.positive_weight}.")


class MultilabelBatch(NamedTuple):
    """B images and their label sets."""

    images: Tensor
    """(B, 3, H, W) uint8 RGB."""
    present: Tensor
    """(B, C) float32: 1 where the class is in the image."""
    known: Tensor
    """(B, C) bool: whether that can be told."""


class MultilabelObjective:
    """Trains the classes of whole images.

    Args:
        detector: with the classes of the data.
        data: annotated objects; what an image shows is the set of their classes.
        options: how.
    """

    loss_names = ("labels",)

    def __init__(
        self, detector: MultilabelDetector, data: AnnotationSet, options: MultilabelOptions
    ) -> None:
        self.detector = detector
        self._data, self._options = data, options

    def dataset(self, input_hw: tuple[int, int], seed: int) -> WholeImageStream:
        """Jittered images with what of their objects is still in sight.

        Raises:
            DatasetError: if a side isn't a multiple of 32.
        """
        return WholeImageStream(self._data.images, input_hw, seed, self._options.jitter)

    @property
    def epoch_samples(self) -> int:
        """Images of the set."""
        return len(self._data)

    def collate(self, samples: list[Any]) -> MultilabelBatch:
        """Stack images of one size and write down what is on them."""
        classes = len(self.detector.spec.class_names)
        labels: list[LabelSet] = [
            label_set(sample.class_ids, sample.ignore, classes) for sample in samples
        ]
        images = torch.from_numpy(np.stack([sample.rgb for sample in samples]))
        return MultilabelBatch(
            images.permute(0, 3, 1, 2),
            torch.from_numpy(np.stack([one.present for one in labels])).float(),
            torch.from_numpy(np.stack([one.known for one in labels])),
        )

    def losses(self, network: nn.Module, batch: MultilabelBatch, images: Tensor) -> tuple[Tensor]:
        """Binary cross-entropy of what is known, its mean over images and classes."""
        return (label_loss(network(images), batch, self._options.positive_weight),)


def label_loss(logits: Tensor, batch: MultilabelBatch, positive_weight: float = 1.0) -> Tensor:
    """Binary cross-entropy with logits: (B, C) and the ground truth -> a scalar."""
    weight = logits.new_full((logits.shape[1],), positive_weight)
    losses = functional.binary_cross_entropy_with_logits(
        logits, batch.present, reduction="none", pos_weight=weight
    )
    return (losses * batch.known).sum() / batch.known.sum().clamp(min=1)


def multilabel_objective(config: TrainConfig, data_specs: Sequence[str]) -> MultilabelObjective:
    """Read the data and build the detector that a recipe asks for.

    Raises:
        DatasetError: if the data can't be read or have no object, or the recipe has a key or model
            that isn't known.
        WeightsError: if the weights of the backbone can't be had, or don't fit.
    """
    options = family_options(MultilabelOptions, config)
    check_model(config, MULTILABEL_ARCHITECTURES)
    data = read_objects(data_specs)
    spec = whole_image_spec(config, options.name, Task.CLASSIFY, data)
    detector = MULTILABEL_ARCHITECTURES[config.model](spec)
    if options.pretrained:
        kind = config.model.split("-")[-1]
        start_backbone(detector.network.backbone, kind, options.pretrained)
    return MultilabelObjective(detector, data, options)
