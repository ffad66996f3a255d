"""Training of box detectors: classes from the data, plain scenes, light-ssd or SSD300."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.ssd.detector import SsdDetector
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC
from kpviewer.models.networks.ssd.ssd300 import SSD300_SPEC
from kpviewer.models.opening.import_ssd import start_from_file, start_from_imagenet
from kpviewer.models.spec import ModelSpec
from kpviewer.training.building import box_spec, check_model, read_objects, size_notes
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.datasets import Batch
from kpviewer.training.data.scenes import SceneObjective, SceneOptions
from kpviewer.training.losses.objects import ObjectLosses, ObjectLossOptions, object_losses
from kpviewer.training.objective import train_part
from kpviewer.training.ranges import CountOrZero, NotNegative

OBJECT_SPECS: Mapping[str, ModelSpec] = {
    "light-ssd": LIGHT_SPEC,
    "ssd300-vgg16": SSD300_SPEC,
    "ssd300-vgg16-bn": SSD300_SPEC,
    "ssd300-torchvision": SSD300_SPEC,
}
"""Description of each ``model`` that a recipe may name; the classes are those of the data."""

IMAGENET = "imagenet"


@dataclass(frozen=True, slots=True)
class ObjectsOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    name: str = ""
    """Name of the model and its file; empty: name of the architecture."""
    pretrained: str = ""
    """Weights of an SSD300: "imagenet", which torchvision downloads, or a .pt file of torchvision's
    vgg16 or of an SSD300 (``models.opening.import_ssd``). For other models, use
    ``TrainConfig.init``."""
    frozen_steps: CountOrZero = 0
    """Number of first steps in which the backbone (of SSD300: its VGG16 layers) is frozen."""
    class_weights: Mapping[str, NotNegative] = field(default_factory=dict)
    """Weights in the class loss by name, such as person = 0.4 if people are frequent; default 1."""
    scenes: SceneOptions = field(default_factory=SceneOptions)
    loss: ObjectLossOptions = field(default_factory=ObjectLossOptions)


class ObjectsObjective(SceneObjective):
    """Trains an SSD of boxes on annotated images.

    Raises:
        DatasetError: if ``class_weights`` names a class that the detector doesn't have.
    """

    detector: SsdDetector
    loss_names = ObjectLosses._fields

    def __init__(self, detector: SsdDetector, data: AnnotationSet, options: ObjectsOptions) -> None:
        super().__init__(detector, data, options.scenes)
        self._options = options
        names = detector.spec.class_names
        unknown = sorted(set(options.class_weights) - set(names))
        if unknown:
            raise DatasetError(
                f"class_weights must name classes of the data ({', '.join(names)}), "
                f"got {unknown[0]!r}."
            )
        # (C,), in the order of the classes
        self.class_weights = torch.tensor([float(options.class_weights.get(n, 1.0)) for n in names])

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> ObjectLosses:
        """Compute the class and box losses."""
        if self._options.frozen_steps:
            backbone = self.detector.network.backbone
            part = getattr(backbone, "backbone", backbone)
            train_part(part, self._step >= self._options.frozen_steps)
        input_hw = (images.shape[2], images.shape[3])
        anchors = self.detector.network.anchors(input_hw, images.device)
        weights = self.class_weights.to(images.device)
        return object_losses(network(images), batch, anchors, weights, self._options.loss)


def objects_objective(config: TrainConfig, data_specs: Sequence[str]) -> ObjectsObjective:
    """Read the data and build the objective of a recipe."""
    options = family_options(ObjectsOptions, config)
    check_model(config, OBJECT_SPECS)
    data = read_objects(data_specs)
    detector = ARCHITECTURES[config.model](
        box_spec(OBJECT_SPECS[config.model], config, options.name, data)
    )
    assert isinstance(detector, SsdDetector)
    if options.pretrained == IMAGENET:
        start_from_imagenet(detector)
    elif options.pretrained:
        start_from_file(detector, options.pretrained)
    objective = ObjectsObjective(detector, data, options)
    objective.notes += tuple(size_notes(data, detector.spec))
    return objective
