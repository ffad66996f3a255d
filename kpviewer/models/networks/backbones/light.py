"""A light convolutional backbone with a small top-down pyramid, for detectors that run on a CPU.

It has plain residual 3x3 convolutions; docs/adr/0004 gives the reasons.
"""

from torch import Tensor, nn
from torch.nn import functional

STEM_CHANNELS = 16
"""Channels at stride 2."""
STAGE_CHANNELS = (32, 48, 64, 96, 96)
"""Channels at strides 4, 8, 16, 32 and 64."""
PYRAMID_CHANNELS = 48
"""Channels of every output map."""
_BLOCKS = (0, 2, 2, 2, 1)
"""Residual blocks at strides 4, 8, 16, 32 and 64."""


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


def start_small(layer: nn.Conv2d | nn.Linear) -> None:
    """Start a layer that predicts with weights near 0 and biases of 0."""
    assert layer.bias is not None
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around an identity (He et al. 2016, arXiv:1512.03385, fig. 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return functional.relu(features + self.second(self.first(features)))


class PyramidBackbone(nn.Module):
    """Backbone with feature maps at strides 8, 16, 32 and 64, each merged with the coarser ones.

    Source of the top-down path: Lin et al. 2017, FPN (arXiv:1612.03144).
    """

    strides = (8, 16, 32, 64)

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvUnit(3, STEM_CHANNELS, 2)
        stages = []
        inputs = STEM_CHANNELS
        for width, depth in zip(STAGE_CHANNELS, _BLOCKS, strict=True):
            blocks = [ResidualBlock(width) for _ in range(depth)]
            stages.append(nn.Sequential(ConvUnit(inputs, width, 2), *blocks))
            inputs = width
        self.stages = nn.ModuleList(stages)
        out = PYRAMID_CHANNELS
        self.lateral = nn.ModuleList(nn.Conv2d(width, out, 1) for width in STAGE_CHANNELS[1:])
        self.smooth = nn.ModuleList(ConvUnit(out, out) for _ in STAGE_CHANNELS[1:])

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W), multiples of 32 -> (B, pyramid, ceil(H/s), ceil(W/s)) for s in strides."""
        features = self.stem(images)
        maps = []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        merged = self.lateral[-1](maps[-1])
        outputs = [self.smooth[-1](merged)]
        for level in range(len(self.lateral) - 2, -1, -1):
            fine = self.lateral[level](maps[level + 1])
            merged = fine + functional.interpolate(merged, fine.shape[-2:], mode="nearest")
            outputs.insert(0, self.smooth[level](merged))
        return outputs
