"""Training of YOLOv3 detectors: classes and anchors from the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.files.catalogue import find_weights
from kpviewer.models.files.paths import model_path
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.darknet.architectures import DARKNET53_SPEC, TINY_SPEC
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.weights import start_from_darknet
from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.networks.yolov3.heads import by_map
from kpviewer.models.networks.yolov3.light import LIGHT_YOLO_SPEC
from kpviewer.models.spec import ModelSpec
from kpviewer.models.weights import read_state
from kpviewer.training.building import (
    box_spec,
    check_model,
    read_objects,
    size_notes,
    start_pretrained,
)
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.box_clusters import cluster_boxes, input_sizes, mean_best_iou
from kpviewer.training.data.datasets import Batch
from kpviewer.training.data.scenes import SceneObjective, SceneOptions
from kpviewer.training.losses.yolo import YoloLosses, YoloLossOptions, yolo_losses
from kpviewer.training.ranges import Positive

YOLO_SPECS: Mapping[str, ModelSpec] = {
    "yolov3-darknet53": DARKNET53_SPEC,
    "yolov3-light": LIGHT_YOLO_SPEC,
    "yolov3-tiny": TINY_SPEC,
}
"""Description of each ``model`` that a recipe may name; the classes are those of the data."""

Anchors: TypeAlias = Literal["auto", "coco"] | tuple[tuple[Positive, Positive], ...]


@dataclass(frozen=True, slots=True)
class YoloOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    name: str = ""
    """Name of the model and its file; empty: name of the architecture."""
    pretrained: str = ""
    """Weights to start from: for the light backbone, the name or file of another model that has it;
    for Darknet's networks, a .weights file such as darknet53.conv.74."""
    anchors: Anchors = "auto"
    """Anchors: "auto", clusters of the data's boxes; "coco", the paper's; or [width, height] of
    each, px at the largest input. With ``init``, they are those of its file."""
    scenes: SceneOptions = field(default_factory=SceneOptions)
    loss: YoloLossOptions = field(default_factory=YoloLossOptions)


class YoloObjective(SceneObjective):
    """Trains a YOLOv3 on annotated images."""

    detector: YoloDetector
    loss_names = YoloLosses._fields

    def __init__(self, detector: YoloDetector, data: AnnotationSet, options: YoloOptions) -> None:
        super().__init__(detector, data, options.scenes)
        self._options = options

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> YoloLosses:
        """Compute the losses of boxes, objectness and classes."""
        return yolo_losses(network(images), batch, self.detector.network, self._options.loss)


def yolov3_objective(config: TrainConfig, data_specs: Sequence[str]) -> YoloObjective:
    """Read the data, choose the anchors and build the objective of a recipe."""
    options = family_options(YoloOptions, config)
    check_model(config, YOLO_SPECS)
    data = read_objects(data_specs)
    spec = box_spec(YOLO_SPECS[config.model], config, options.name, data)
    detector = ARCHITECTURES[config.model](spec)
    assert isinstance(detector, YoloDetector)
    notes = _start(detector, config, options.pretrained)
    notes += size_notes(data, spec)
    notes.append(_choose_anchors(detector, data, options.anchors, config))
    objective = YoloObjective(detector, data, options)
    objective.notes += tuple(notes)
    return objective


def _start(detector: YoloDetector, config: TrainConfig, pretrained: str) -> list[str]:
    """Load pretrained weights, if the recipe names any; return sentences on them."""
    network = detector.network
    if isinstance(network, DarknetNetwork):
        return [str(start_from_darknet(network, model_path(pretrained)))] if pretrained else []
    start_pretrained(network.get_submodule("backbone"), config, pretrained)
    return []


def _choose_anchors(
    detector: YoloDetector, data: AnnotationSet, anchors: Anchors, config: TrainConfig
) -> str:
    """Set the anchors of a detector; return a sentence on them."""
    own = detector.network.anchors_wh
    origin = "the paper's, for COCO"
    kept = read_state(find_weights(config.init)).get("anchors_wh") if config.init else None
    if kept is not None and kept.shape == own.shape:
        if not isinstance(anchors, str):
            raise DatasetError(
                f"The heads of {config.init} are trained with its own anchors, and the recipe has "
                "others. Leave out anchors or init."
            )
        own.copy_(kept)
        origin = f"those of {config.init}"
    elif anchors == "auto":
        sizes_wh = input_sizes(data, detector.spec)
        before = mean_best_iou(sizes_wh, own.flatten(0, 1).numpy())
        clusters = cluster_boxes(sizes_wh, own.shape[0] * own.shape[1], config.seed)
        own.copy_(_split(clusters.sizes_wh.tolist(), own))
        origin = (
            f"clusters of the data's boxes, mean best IoU {clusters.mean_iou:.3f}; "
            f"COCO's: {before:.3f}"
        )
    elif not isinstance(anchors, str):
        own.copy_(_split(anchors, own))
        origin = "the recipe's"
    sizes = ", ".join(f"{width:.0f}x{height:.0f}" for width, height in own.flatten(0, 1).tolist())
    return f"Anchors, px: {sizes} ({origin})."


def _split(sizes_wh: Sequence[tuple[float, float]], own: Tensor) -> Tensor:
    """Return sizes as the anchors of each map, in the shape of the network's own."""
    maps, count = own.shape[:2]
    if len(sizes_wh) != maps * count:
        raise DatasetError(
            f"anchors must be {maps * count} pairs [width, height], {count} for each of {maps} "
            f"maps, got {len(sizes_wh)}."
        )
    return torch.tensor(by_map(sizes_wh, maps))
