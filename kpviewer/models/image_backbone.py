"""Backbones of models with one prediction per image or crop."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from kpviewer.errors import WeightsError
from kpviewer.models.backbone import PyramidBackbone
from kpviewer.models.imagenet_backbone import fill_backbone
from kpviewer.models.light_ssd import LIGHT_BACKBONE

IMAGE_BACKBONES = ("light", "mobilenet", "resnet18")
STRIDE = 32
"""Stride of all backbones, px: inputs are multiples of it, so that cells cover them exactly."""

_CHANNELS: Mapping[str, tuple[int, ...]] = {
    "light": (LIGHT_BACKBONE.stem, *LIGHT_BACKBONE.widths[:4]),
    "mobilenet": (16, 16, 24, 48, 576),
    "resnet18": (64, 64, 128, 256, 512),
}
"""Channels of the last map at strides 2, 4, 8, 16 and 32, by backbone."""


class LightBackbone(nn.Module):
    """The backbone of light-ssd without its pyramid, down to stride 32.

    Its tensors have the same names, so that it can start from a light-ssd of the same data
    (``init``).
    """

    def __init__(self) -> None:
        super().__init__()
        whole = PyramidBackbone(LIGHT_BACKBONE)
        self.stem = whole.stem
        self.stages = whole.stages[:4]  # strides 4, 8, 16, 32

    def __iter__(self) -> Iterator[nn.Module]:
        """Iterate over the layers in order, as in the other backbones."""
        return iter((self.stem, *self.stages))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H/32, W/32)."""
        features = images
        for layer in self:
            features = layer(features)
        return features


Backbone = LightBackbone | nn.Sequential


def stride_maps(backbone: Backbone, images: Tensor) -> list[Tensor]:
    """Run a backbone and return its last map of each size, the largest first.

    Returns:
        Maps at strides 2, 4, 8, 16 and 32 of (B, 3, H, W).
    """
    maps: list[Tensor] = []
    features = images
    for layer in backbone:
        features = layer(features)
        if maps and features.shape[-1] == maps[-1].shape[-1]:
            maps.pop()
        maps.append(features)
    return maps


def build_backbone(kind: str) -> tuple[Backbone, tuple[int, ...]]:
    """Build a backbone with random weights.

    Args:
        kind: one of IMAGE_BACKBONES: "light", "mobilenet" (MobileNetV3-small) or "resnet18". The
            last two have torchvision's tensor names, so that files of ImageNet weights fit.

    Returns:
        A module (B, 3, H, W) -> (B, channels, H/32, W/32), and the channels of its last map at
        strides 2, 4, 8, 16 and 32.
    """
    if kind == "light":
        return LightBackbone(), _CHANNELS[kind]
    from torchvision.models import mobilenet_v3_small, resnet18  # noqa: PLC0415 - takes seconds

    if kind == "mobilenet":
        return mobilenet_v3_small(weights=None).features, _CHANNELS[kind]
    layers = list(resnet18(weights=None).named_children())
    without_pooling_and_classes = OrderedDict(layers[:-2])
    return nn.Sequential(without_pooling_and_classes), _CHANNELS[kind]


def start_backbone(backbone: nn.Module, kind: str, source: str) -> None:
    """Load the weights that ``pretrained`` of a recipe names into a backbone.

    Args:
        backbone: backbone from ``build_backbone``.
        kind: one of IMAGE_BACKBONES.
        source: "imagenet", or a .pt or .pth file of torchvision's classifier.

    Raises:
        WeightsError: if the weights aren't available, or don't fit.
    """
    if kind == "light":
        raise WeightsError(
            "torchvision has no weights for the light backbone: pretrained needs a mobilenet or "
            "resnet18 model. Start a light one from a light-ssd with init."
        )
    fill_backbone(backbone, kind, source)


def pooled(features: Tensor) -> Tensor:
    """Return mean and maximum over the image, concatenated: (B, C, h, w) -> (B, 2 C).

    The mean describes what fills the image, the maximum what is small in it.
    """
    return torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
