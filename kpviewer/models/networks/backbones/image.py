"""Backbones of models that may start from ImageNet's weights, and the light one."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from kpviewer.models.networks.backbones.light import STAGE_CHANNELS, STEM_CHANNELS, PyramidBackbone

STRIDE = 32
"""Stride of all backbones, px: inputs are multiples of it, so that cells cover them exactly."""

_CHANNELS: Mapping[str, tuple[int, ...]] = {
    "light": (STEM_CHANNELS, *STAGE_CHANNELS[:4]),
    "mobilenet": (16, 16, 24, 48, 576),
    "resnet18": (64, 64, 128, 256, 512),
    "vgg16": (128, 256, 512, 512, 512),
}
"""Channels of the last map at strides 2, 4, 8, 16 and 32, by backbone."""
_LAYERS_TO_STRIDE_16: Mapping[str, int] = {"mobilenet": 9, "resnet18": 7, "vgg16": 30}
"""Number of first layers whose last map has stride 16, by torchvision's backbone."""


class LightBackbone(nn.Module):
    """The backbone of light-ssd without its pyramid, down to stride 32 or 16.

    Its tensors have the same names, so that it can start from a light-ssd or face-ssd.

    Args:
        stages: number of stages after the stem, of strides 4, 8, 16 and 32.
    """

    def __init__(self, stages: int = 4) -> None:
        super().__init__()
        whole = PyramidBackbone()
        self.stem = whole.stem
        self.stages = whole.stages[:stages]

    def __iter__(self) -> Iterator[nn.Module]:
        """Iterate over the layers in order, as in the other backbones."""
        return iter((self.stem, *self.stages))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, h, w), the last map."""
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
    return maps[-5:]  # VGG16 begins at stride 1


def build_backbone(kind: str) -> tuple[Backbone, tuple[int, ...]]:
    """Build a backbone with random weights.

    Args:
        kind: one of IMAGE_BACKBONES: "light", "mobilenet" (MobileNetV3-small), "resnet18" or
            "vgg16". All but the first have torchvision's tensor names, so that files of ImageNet
            weights fit.

    Returns:
        A module (B, 3, H, W) -> (B, channels, H/32, W/32), and the channels of its last map at
        strides 2, 4, 8, 16 and 32.
    """
    if kind == "light":
        return LightBackbone(), _CHANNELS[kind]
    if kind == "vgg16":
        return _vgg16(), _CHANNELS[kind]
    from torchvision.models import mobilenet_v3_small, resnet18  # noqa: PLC0415 - takes seconds

    if kind == "mobilenet":
        return mobilenet_v3_small(weights=None).features, _CHANNELS[kind]
    layers = list(resnet18(weights=None).named_children())
    without_pooling_and_classes = OrderedDict(layers[:-2])
    return nn.Sequential(without_pooling_and_classes), _CHANNELS[kind]


def build_stride_16_backbone(kind: str) -> tuple[Backbone, int]:
    """Build a backbone that ends at stride 16: of VGG16 at conv5_3, of ResNet18 at conv4_x.

    Returns:
        A module (B, 3, H, W) -> (B, channels, H/16, W/16), and the number of channels.
    """
    if kind == "light":
        return LightBackbone(stages=3), _CHANNELS[kind][3]
    whole, channels = build_backbone(kind)
    first = list(whole.named_children())[: _LAYERS_TO_STRIDE_16[kind]]
    return nn.Sequential(OrderedDict(first)), channels[3]


def _vgg16() -> nn.Sequential:
    """Build torchvision's VGG16 without its classifier, whose 120 million weights take seconds."""
    from torchvision.models.vgg import cfgs, make_layers  # noqa: PLC0415 - takes seconds

    layers: nn.Sequential = make_layers(cfgs["D"])
    for layer in layers:
        if isinstance(layer, nn.Conv2d):  # as torchvision starts them
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return layers


def pooled(features: Tensor) -> Tensor:
    """Return mean and maximum over the image, concatenated: (B, C, h, w) -> (B, 2 C).

    The mean describes what fills the image, the maximum what is small in it.
    """
    return torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
