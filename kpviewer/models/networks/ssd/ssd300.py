"""SSD300: a 300 x 300 network on VGG16, with six maps and 8732 anchors.

Source: Liu et al. 2016, SSD, sections 2.2 and 3 (arXiv:1512.02325), and Liu et al. 2015, ParseNet
(arXiv:1506.04579), section 3.3, for the normalisation of conv4_3.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.networks.ssd.anchors import MapAnchors, aspect_sizes
from kpviewer.models.networks.ssd.detector import AnchorOutputs, SsdDetector, SsdNetwork
from kpviewer.models.spec import ModelSpec, Resize, Task

SIDE = 300
"""Side of the input, px."""
CHANNELS = (512, 1024, 512, 256, 256, 256)
"""Channels of the six maps."""
STRIDES = (8, 16, 32, 64, 100, 300)
"""Strides of the maps of 38, 19, 10, 5, 3 and 1 cells per side. Cells are centred on
(j + 0.5) * stride, as in the authors' code and torchvision; the paper's (j + 0.5) / cells differs
by up to 4 px if the stride doesn't divide 300."""
SIZES = ((0.1, 0.2), (0.2, 0.37), (0.37, 0.54), (0.54, 0.71), (0.71, 0.88), (0.88, 0.961))
"""Sides of the square anchors of each map over the input's; the first is used at every ratio."""
RATIOS = (
    (1, 2, 1 / 2),
    (1, 2, 1 / 2, 3, 1 / 3),
    (1, 2, 1 / 2, 3, 1 / 3),
    (1, 2, 1 / 2, 3, 1 / 3),
    (1, 2, 1 / 2),
    (1, 2, 1 / 2),
)
"""Ratios of width to height of each map's anchors."""

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip

SSD300_SPEC = ModelSpec(
    name="ssd300",
    architecture="ssd300-vgg16",
    task=Task.DETECT,
    class_names=VOC_CLASSES,
    input_hw=(SIDE, SIDE),
    resize=Resize.STRETCH,  # as in the authors' code and torchvision
)

_VGG = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
_POOLED = {1: False, 3: False, 6: True, 9: False}
"""Convolutions that 2 x 2 pooling follows, and whether it rounds up (75 to 38)."""
_CONV4_3 = 9
_EXTRAS = (
    (1024, 256, 1, 1, 0), (256, 512, 3, 2, 1),
    (512, 128, 1, 1, 0), (128, 256, 3, 2, 1),
    (256, 128, 1, 1, 0), (128, 256, 3, 1, 0),
    (256, 128, 1, 1, 0), (128, 256, 3, 1, 0),
)  # fmt: skip
"""Inputs, outputs, kernel, stride and padding of the extra convolutions; every second one outputs a
map."""


class L2Norm(nn.Module):
    """L2 normalisation of each position's channels, with a learned scale per channel."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), scale))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return functional.normalize(features) * self.weight[:, None, None]


class Ssd300Backbone(nn.Module):
    """VGG16 to conv5_3, its first two linear layers as convolutions, and four pairs of extras.

    Args:
        batch_norm: whether batch normalisation follows each convolution, which can be trained from
            scratch; without it, start from pretrained weights.
    """

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        inputs = (3, *_VGG)
        self.backbone = nn.ModuleList(
            _unit(nn.Conv2d(inputs[index], width, 3, padding=1), batch_norm)
            for index, width in enumerate(_VGG)
        )
        self.norm = L2Norm(512, 20.0)
        self.conv6 = _unit(nn.Conv2d(512, 1024, 3, padding=6, dilation=6), batch_norm)
        self.conv7 = _unit(nn.Conv2d(1024, 1024, 1), batch_norm)
        # the last map is one cell: a batch of one image has no variance there
        self.extras = nn.ModuleList(
            _unit(nn.Conv2d(*shape), batch_norm and index < len(_EXTRAS) - 1)
            for index, shape in enumerate(_EXTRAS)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, 300, 300) -> maps of 38, 19, 10, 5, 3 and 1 cells per side."""
        features, maps = images, []
        for index, unit in enumerate(self.backbone):
            features = unit(features)
            if index == _CONV4_3:
                maps.append(self.norm(features))
            if index in _POOLED:
                features = functional.max_pool2d(features, 2, ceil_mode=_POOLED[index])
        features = functional.max_pool2d(features, 3, 1, 1)
        features = self.conv7(self.conv6(features))
        maps.append(features)
        for index, unit in enumerate(self.extras):
            features = unit(features)
            if index % 2:
                maps.append(features)
        return maps

    def layers(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the names of convolutions and normalisations, and the layers, in forward order.

        ``norm`` isn't among them, as only the first map passes through it.
        """
        units = [
            *((f"backbone.{index}", unit) for index, unit in enumerate(self.backbone)),
            ("conv6", self.conv6),
            ("conv7", self.conv7),
            *((f"extras.{index}", unit) for index, unit in enumerate(self.extras)),
        ]
        for name, unit in units:
            for part, layer in unit.named_children():
                if not isinstance(layer, nn.ReLU):
                    yield f"{name}.{part}", layer


def _unit(conv: nn.Conv2d, batch_norm: bool) -> nn.Sequential:
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    norm = [nn.BatchNorm2d(conv.out_channels)] if batch_norm else []
    return nn.Sequential(conv, *norm, nn.ReLU(inplace=True))


def ssd300_maps() -> tuple[MapAnchors, ...]:
    """Return the anchors of the six maps, in px of a 300 x 300 input."""
    return tuple(
        MapAnchors(stride, aspect_sizes([SIDE * side for side in sides], ratios))
        for stride, sides, ratios in zip(STRIDES, SIZES, RATIOS, strict=True)
    )


def torchvision_maps() -> tuple[MapAnchors, ...]:
    """Return the anchors that torchvision's ssd300_vgg16 was trained with."""
    sides = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)
    maps = []
    for index, (stride, ratios) in enumerate(zip(STRIDES, RATIOS, strict=True)):
        side, following = SIDE * sides[index], SIDE * sides[index + 1]
        sizes = aspect_sizes([side, (side * following) ** 0.5], ratios)
        maps.append(MapAnchors(stride, tuple((min(w, SIDE), min(h, SIDE)) for w, h in sizes)))
    return tuple(maps)


def build_ssd300(
    spec: ModelSpec = SSD300_SPEC,
    maps: Callable[[], tuple[MapAnchors, ...]] = ssd300_maps,
    *,
    batch_norm: bool = False,
) -> SsdDetector:
    """Build SSD300 on VGG16, with random weights.

    Args:
        spec: description, whose number of classes shapes the heads.
        maps: function that returns the anchors.
        batch_norm: whether VGG16 has batch normalisation: then it can be trained from scratch;
            otherwise start training from ImageNet's weights.
    """
    outputs = AnchorOutputs(len(spec.class_names), len(spec.keypoint_names), has_background=True)
    return SsdDetector(spec, SsdNetwork(Ssd300Backbone(batch_norm), CHANNELS, maps(), outputs))


SSD300_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], SsdDetector]] = {
    "ssd300-vgg16": build_ssd300,
    "ssd300-vgg16-bn": partial(build_ssd300, batch_norm=True),
    "ssd300-torchvision": partial(build_ssd300, maps=torchvision_maps),
}
"""Builders by architecture; the last has the anchors that torchvision's weights were trained
with."""
