"""Training of multi-label models: a label set per image, binary cross-entropy per class."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.annotations.derived.labels import LabelSet, label_set
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.models.networks.multilabel import MULTILABEL_ARCHITECTURES, MultilabelDetector
from kpviewer.models.spec import Task
from kpviewer.training.building import check_model, read_objects, start_pretrained
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.crops import JitterOptions
from kpviewer.training.data.samples import images_of
from kpviewer.training.data.whole_images import WholeImageStream, whole_image_spec
from kpviewer.training.objective import Objective
from kpviewer.training.ranges import Positive


@dataclass(frozen=True, slots=True)
class MultilabelOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    name: str = ""
    """Name of the model and its file; empty: name of the architecture."""
    pretrained: str = ""
    """Weights of the backbone: "imagenet", or a .pt or .pth file of torchvision's classifier."""
    positive_weight: Positive = 1.0
    """Weight of present classes relative to absent ones: above 1 if classes are rare."""
    sweep: Literal["f1", "accuracy_multi"] = "f1"
    """Score that the threshold is chosen by on the data of ``--val``."""
    jitter: JitterOptions = field(default_factory=JitterOptions)


class MultilabelBatch(NamedTuple):
    """B images and their label sets."""

    images: Tensor
    """(B, 3, H, W) uint8 RGB."""
    present: Tensor
    """(B, C) float32: 1 where the class is in the image."""
    known: Tensor
    """(B, C) bool: whether the class's presence is known."""


class MultilabelObjective(Objective):
    """Trains the class scores of whole images.

    Args:
        detector: with the classes of the data.
        data: annotated objects; the label set of an image is the set of their classes.
        options: options of the recipe.
    """

    detector: MultilabelDetector
    loss_names = ("labels",)

    def __init__(
        self, detector: MultilabelDetector, data: AnnotationSet, options: MultilabelOptions
    ) -> None:
        super().__init__(detector, len(data))
        self._data, self._options = data, options

    def dataset(self, input_hw: tuple[int, int], seed: int) -> WholeImageStream:
        """Return a stream of jittered images with their objects that are still inside."""
        return WholeImageStream(self._data.images, input_hw, seed, self._options.jitter)

    def collate(self, samples: list[Any]) -> MultilabelBatch:
        """Stack images of one size and their label sets."""
        classes = len(self.detector.spec.class_names)
        labels: list[LabelSet] = [
            label_set(sample.class_ids, sample.ignore, classes) for sample in samples
        ]
        return MultilabelBatch(
            images_of(samples),
            torch.from_numpy(np.stack([one.present for one in labels])).float(),
            torch.from_numpy(np.stack([one.known for one in labels])),
        )

    def losses(self, network: nn.Module, batch: MultilabelBatch, images: Tensor) -> tuple[Tensor]:
        """Return the mean binary cross-entropy over images and known classes."""
        return (label_loss(network(images), batch, self._options.positive_weight),)


def label_loss(logits: Tensor, batch: MultilabelBatch, positive_weight: float = 1.0) -> Tensor:
    """Compute the mean binary cross-entropy of (B, C) logits over known classes: a scalar."""
    weight = logits.new_full((logits.shape[1],), positive_weight)
    losses = functional.binary_cross_entropy_with_logits(
        logits, batch.present, reduction="none", pos_weight=weight
    )
    return (losses * batch.known).sum() / batch.known.sum().clamp(min=1)


def multilabel_objective(config: TrainConfig, data_specs: Sequence[str]) -> MultilabelObjective:
    """Read the data and build the objective of a recipe."""
    options = family_options(MultilabelOptions, config)
    check_model(config, MULTILABEL_ARCHITECTURES)
    data = read_objects(data_specs)
    spec = whole_image_spec(config, options.name, Task.CLASSIFY, data)
    detector = MULTILABEL_ARCHITECTURES[config.model](spec)
    start_pretrained(detector.network.backbone, config, options.pretrained)
    return MultilabelObjective(detector, data, options)
