"""Feature maps of an image: what models with one answer an image, or a crop, stand on."""

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
"""Of all of them: inputs are multiples of it, so that cells cover them exactly."""

_CHANNELS: Mapping[str, tuple[int, ...]] = {
    "light": (LIGHT_BACKBONE.stem, *LIGHT_BACKBONE.widths[:4]),
    "mobilenet": (16, 16, 24, 48, 576),
    "resnet18": (64, 64, 128, 256, 512),
}
"""Of the last map at strides 2, 4, 8, 16 and 32."""


class LightBackbone(nn.Module):
    """The backbone of light-ssd without its pyramid, down to stride 32.

    Its tensors are called as there, so that a light-ssd of the same data can be what it starts
    from (``init``).
    """

    def __init__(self) -> None:
        super().__init__()
        whole = PyramidBackbone(LIGHT_BACKBONE)
        self.stem = whole.stem
        self.stages = whole.stages[:4]  # strides 4, 8, 16, 32

    def __iter__(self) -> Iterator[nn.Module]:
        """Give the layers in order, as the other backbones do."""
        return iter((self.stem, *self.stages))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H/32, W/32)."""
        features = images
        for layer in self:
            features = layer(features)
        return features


Backbone = LightBackbone | nn.Sequential


def stride_maps(backbone: Backbone, images: Tensor) -> list[Tensor]:
    """Run a backbone, and keep its last map of each size, the largest first.

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
        kind: one of IMAGE_BACKBONES: "light"; "mobilenet" (MobileNetV3-small) or "resnet18", whose
            tensors are called as in torchvision, so that the files of ImageNet weights fit.

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
    """Give a backbone the weights that ``pretrained`` of a recipe names.

    Args:
        backbone: as ``build_backbone`` makes it.
        kind: one of IMAGE_BACKBONES.
        source: "imagenet", or a .pt or .pth file of torchvision's classifier.

    Raises:
        WeightsError: if the weights can't be had, or don't fit.
    """
    if kind == "light":
        raise WeightsError(
            "torchvision has no weights for the light backbone: pretrained needs a mobilenet or "
            "resnet18 model. Start a light one from a light-ssd with init."
        )
    fill_backbone(backbone, kind, source)


def pooled(features: Tensor) -> Tensor:
    """Mean and maximum over the image, side by side: (B, C, h, w) -> (B, 2 C).

    The mean tells what fills the image; the maximum, what is small in it.
    """
    return torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
