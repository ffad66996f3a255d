"""Multi-label classification of images: a backbone, pooling, one logit per class.

An image has one candidate, whose box is the whole input and whose scores are those of the classes.
The confidence threshold decides which of them are predicted.
"""

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor, nn

from kpviewer.models.base import DecodedBatch
from kpviewer.models.names.architectures import IMAGE_BACKBONES
from kpviewer.models.networks.backbones.image import build_backbone, pooled
from kpviewer.models.networks.boxes import constant
from kpviewer.models.spec import ModelSpec


class MultilabelNetwork(nn.Module):
    """A backbone and one linear layer on its pooled map."""

    def __init__(self, backbone: nn.Module, channels: int, num_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.classes = nn.Linear(2 * channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised RGB -> (B, C) logits."""
        logits: Tensor = self.classes(pooled(self.backbone(images)))
        return logits


class MultilabelDetector:
    """A multi-label network with its description and decoding."""

    def __init__(self, spec: ModelSpec, network: MultilabelNetwork) -> None:
        self.spec = spec
        self.network = network

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode (B, C) logits to one row per image: the whole input, and a sigmoid per class."""
        height, width = input_hw
        scores = raw.float().sigmoid()[:, None]  # (B, 1, C)
        xyxy = constant(scores, 0, 0, width, height).expand(len(scores), 1, 4)
        return DecodedBatch(xyxy, scores, scores.new_zeros(len(scores), 1, 0, 2))


def build_multilabel(spec: ModelSpec, backbone: str) -> MultilabelDetector:
    """Build the detector, with random weights."""
    layers, channels = build_backbone(backbone)
    return MultilabelDetector(spec, MultilabelNetwork(layers, channels[-1], len(spec.class_names)))


MULTILABEL_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], MultilabelDetector]] = {
    f"multilabel-{backbone}": partial(build_multilabel, backbone=backbone)
    for backbone in IMAGE_BACKBONES
}
"""Builders by architecture: "multilabel-light", "multilabel-resnet18" ..."""
