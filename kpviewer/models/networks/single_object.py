"""Class and box of the only object of an image: one backbone, two heads.

The class comes from the pooled map. The box is the weighted mean of every cell's prediction, as
pooling first would lose the object's position. The weights are a softmax over positions, as in
Nibali et al. 2018, DSNT (arXiv:1801.07372), section 4.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kpviewer.models.base import DecodedBatch
from kpviewer.models.names.architectures import IMAGE_BACKBONES
from kpviewer.models.networks.backbones.image import build_backbone, pooled
from kpviewer.models.networks.backbones.light import ConvUnit, start_small
from kpviewer.models.networks.boxes import constant, cxcywh_to_xyxy
from kpviewer.models.networks.points.heads import cell_centres
from kpviewer.models.spec import ModelSpec

HEAD_WIDTH = 64
"""Channels of the box head."""


class ObjectOutput(NamedTuple):
    """Outputs of the network for B images."""

    logits: Tensor
    """(B, C) class logits."""
    cxcywh_n: Tensor
    """(B, 4) box in shares of the input's width and height."""


class BoxHead(nn.Module):
    """Head whose box is the weighted mean of the boxes that the cells predict."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.unit = ConvUnit(channels, HEAD_WIDTH)
        self.out = nn.Conv2d(HEAD_WIDTH, 5, 1)  # weight, offset x, y, width, height
        start_small(self.out)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, 4) cx, cy, w, h in shares of the image."""
        height, width = features.shape[-2:]
        cells = self.out(self.unit(features)).float()
        weight = cells[:, 0].flatten(1).softmax(1).reshape(-1, 1, height, width)  # (B, 1, h, w)
        mean = (cells[:, 1:] * weight).sum((2, 3))  # (B, 4)
        across = (weight[:, 0].sum(1) * cell_centres(width, features.device)).sum(1)
        down = (weight[:, 0].sum(2) * cell_centres(height, features.device)).sum(1)
        centre = (torch.stack([across, down], 1) + 1) / 2  # (B, 2) in [0, 1]
        return torch.cat([centre + mean[:, :2], mean[:, 2:].sigmoid()], 1)


class SingleObjectNetwork(nn.Module):
    """A backbone, a class head and a box head."""

    def __init__(self, backbone: nn.Module, channels: int, num_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.classes = nn.Linear(2 * channels, num_classes)
        self.box = BoxHead(channels)

    def forward(self, images: Tensor) -> ObjectOutput:
        """(B, 3, H, W) normalised RGB -> logits (B, C) and boxes (B, 4)."""
        features = self.backbone(images)
        return ObjectOutput(self.classes(pooled(features)), self.box(features))


class SingleObjectDetector:
    """A single-object network with its description and decoding.

    It assumes that there is one object: its scores sum to 1 in any image.
    """

    def __init__(self, spec: ModelSpec, network: SingleObjectNetwork) -> None:
        self.spec = spec
        self.network = network

    def decode(self, raw: ObjectOutput, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode the outputs to one row per image: the box, and the softmax of the logits."""
        logits, cxcywh_n = raw[0].float(), raw[1].float()
        height, width = input_hw
        limit = constant(cxcywh_n, width, height, width, height)
        xyxy = cxcywh_to_xyxy(cxcywh_n).clamp(0, 1) * limit
        points = xyxy.new_zeros(len(xyxy), 1, 0, 2)
        return DecodedBatch(xyxy[:, None], logits.softmax(1)[:, None], points)


def build_single_object(spec: ModelSpec, backbone: str) -> SingleObjectDetector:
    """Build the detector, with random weights."""
    layers, channels = build_backbone(backbone)
    network = SingleObjectNetwork(layers, channels[-1], len(spec.class_names))
    return SingleObjectDetector(spec, network)


SINGLE_OBJECT_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], SingleObjectDetector]] = {
    f"single-object-{backbone}": partial(build_single_object, backbone=backbone)
    for backbone in IMAGE_BACKBONES
}
"""Builders by architecture: "single-object-light", "single-object-resnet18" ..."""
