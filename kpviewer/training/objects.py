"""Detectors of boxes of any kind: classes from the data, plain scenes, light-ssd or SSD300."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.import_ssd import start_from_file, start_from_imagenet
from kpviewer.models.light_ssd import LIGHT_SPEC
from kpviewer.models.spec import ModelSpec, Resize
from kpviewer.models.ssd import SsdDetector
from kpviewer.models.ssd300 import SSD300_SPEC
from kpviewer.models.weights import ARCHITECTURES
from kpviewer.training.building import check_model, largest_input, read_objects, sources_of
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.datasets import Batch, collate
from kpviewer.training.object_losses import ObjectLosses, ObjectLossOptions, object_losses
from kpviewer.training.scenes import SceneOptions, SceneStream

OBJECT_SPECS: Mapping[str, ModelSpec] = {
    "light-ssd": LIGHT_SPEC,
    "ssd300-vgg16": SSD300_SPEC,
    "ssd300-vgg16-bn": SSD300_SPEC,
    "ssd300-torchvision": SSD300_SPEC,
}
"""What a recipe's ``model`` may be; the data give the classes."""

IMAGENET = "imagenet"


@dataclass(frozen=True, slots=True)
class ObjectsOptions:
    """What a recipe of this family may say beside ``TrainConfig``."""

    name: str = ""
    """Of the model and its file; none: the architecture's."""
    pretrained: str = ""
    """For SSD300: "imagenet", which torchvision downloads, or a .pt file of torchvision's vgg16 or
    of an SSD300 (``models.import_ssd``). Any model: ``init`` of ``TrainConfig``."""
    frozen_steps: int = 0
    """First steps in which the backbone (of SSD300: VGG16's part of it) stays as it is."""
    # a table of names, not of options: the lambda keeps ``config`` from filling a dataclass
    class_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Weights in the class loss by name, for crowded classes: person = 0.4; others weigh 1."""
    scenes: SceneOptions = field(default_factory=SceneOptions)
    loss: ObjectLossOptions = field(default_factory=ObjectLossOptions)


class ObjectsObjective:
    """Trains an SSD of boxes on annotated images.

    Args:
        detector: without keypoints.
        data: with the detector's classes, in its order.
        options: how.

    Raises:
        DatasetError: if a class that has a weight isn't the detector's.
    """

    loss_names = ObjectLosses._fields

    def __init__(self, detector: SsdDetector, data: AnnotationSet, options: ObjectsOptions) -> None:
        self.detector = detector
        self._data, self._options = data, options
        names = detector.spec.class_names
        unknown = sorted(set(options.class_weights) - set(names))
        if unknown:
            raise DatasetError(
                f"class_weights must name classes of the data ({', '.join(names)}), "
                f"got {unknown[0]!r}."
            )
        # (C,), in the order of the classes
        self.class_weights = torch.tensor([float(options.class_weights.get(n, 1.0)) for n in names])
        self._step = 0

    def begin_at(self, step: int) -> None:
        """Go to the phase of a step."""
        self._step = step

    def dataset(self, input_hw: tuple[int, int], seed: int) -> SceneStream:
        """Scenes of any size that the architecture takes.

        Raises:
            DatasetError: if it doesn't take this one.
        """
        spec = self.detector.spec
        step = spec.stride
        if (input_hw != spec.input_hw) if step is None else any(side % step for side in input_hw):
            rule = f"{spec.input_hw}" if step is None else f"multiples of {step}"
            raise DatasetError(f"Inputs of {spec.architecture} must be {rule}, got {input_hw}.")
        stretch = spec.resize is Resize.STRETCH
        return SceneStream(self._data, input_hw, seed, self._options.scenes, stretch=stretch)

    @property
    def epoch_samples(self) -> int:
        """Images of the set."""
        return len(self._data)

    def collate(self, samples: list[Any]) -> Batch:
        """Stack images and pad their objects."""
        return collate(samples)

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> ObjectLosses:
        """Class and box losses."""
        self._freeze(self._step < self._options.frozen_steps)
        input_hw = (images.shape[2], images.shape[3])
        anchors = self.detector.network.anchors(input_hw, images.device)
        weights = self.class_weights.to(images.device)
        return object_losses(network(images), batch, anchors, weights, self._options.loss)

    def _freeze(self, frozen: bool) -> None:
        """Hold, or free, the weights and the batch statistics of the backbone."""
        backbone = self.detector.network.backbone
        part = getattr(backbone, "backbone", backbone)
        if self._options.frozen_steps and isinstance(part, nn.Module):
            part.requires_grad_(not frozen)
            part.train(not frozen)


def objects_objective(config: TrainConfig, data_specs: Sequence[str]) -> ObjectsObjective:
    """Read the data and build the detector that a recipe asks for.

    Raises:
        DatasetError: if the data can't be read, or the recipe has a key or model that isn't known.
        WeightsError: if the weights to start from can't be had, or don't fit.
    """
    options = family_options(ObjectsOptions, config)
    check_model(config, OBJECT_SPECS)
    data = read_objects(data_specs)
    detector = ARCHITECTURES[config.model](_spec(config, options, data))
    assert isinstance(detector, SsdDetector)
    if options.pretrained == IMAGENET:
        start_from_imagenet(detector)
    elif options.pretrained:
        start_from_file(detector, options.pretrained)
    return ObjectsObjective(detector, data, options)


def _spec(config: TrainConfig, options: ObjectsOptions, data: AnnotationSet) -> ModelSpec:
    base = OBJECT_SPECS[config.model]
    largest = max(largest_input(config))
    return dataclasses.replace(
        base,
        name=options.name or config.model,
        architecture=config.model,
        class_names=data.class_names,
        input_hw=base.input_hw if base.stride is None else (largest, largest),
        trained_on=sources_of(data),
    )
