"""Heads of point networks: coordinates by regression, or the mean position of heatmaps.

Coordinates are normalised: (-1, -1) is the outer corner of the top-left pixel, (1, 1) that of the
bottom-right one, whatever the input's size.

Sources: regression behind global average pooling, Toshev and Szegedy 2014, DeepPose
(arXiv:1312.4659), eq. 1; heatmaps from upsampled features, Xiao et al. 2018 (arXiv:1804.06208),
section 2; lateral connections, Lin et al. 2017, FPN (arXiv:1612.03144), fig. 3; hourglasses, Newell
et al. 2016 (arXiv:1603.06937), fig. 3, begun as the identity as in Goyal et al. 2017
(arXiv:1706.02677), section 5.1; the mean of a heatmap as a coordinate, Nibali et al. 2018, DSNT
(arXiv:1801.07372), eq. 4.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.networks.backbones.light import ConvUnit, ResidualBlock, start_small

HEAT_SHARPNESS = 14.0
"""Factor before the softmax over a heatmap. A peak of height 1 then outweighs a background of
32 x 32 cells a thousand times, and one of sigma 1.5 still spreads over enough cells for a mean."""

_WIDTH = 64
"""Channels of upsampled maps."""
_HOURGLASS_WIDTHS = (96, 128, 128)
"""Channels of the hourglass at strides 8, 16 and 32."""


class PointHead(nn.Module, ABC):
    """Head that turns the maps of a backbone into predictions of K points."""

    @abstractmethod
    def coordinates(self, raw: Tensor) -> Tensor:
        """Decode the output of ``forward`` to (B, K, 2) normalised x, y."""

    def start_at(self, points_n: Tensor) -> None:
        """Make an untrained head predict (K, 2) normalised points, if it can."""


class RegressionHead(PointHead):
    """Average pooling and one linear layer.

    Args:
        channels: channels of the backbone's maps.
        num_keypoints: number of keypoints K.
        is_bounded: whether points can't leave the image: y = 2 sigmoid(x) - 1, in [-1, 1].
    """

    def __init__(
        self, channels: Sequence[int], num_keypoints: int, *, is_bounded: bool = False
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(channels[-1], 2 * num_keypoints)
        self._shape = (num_keypoints, 2)
        self._is_bounded = is_bounded
        start_small(self.linear)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps, of which the last, (B, channels, h, w), is used -> (B, K, 2) normalised x, y."""
        points: Tensor = self.linear(maps[-1].mean((2, 3))).reshape(-1, *self._shape)
        return 2 * points.sigmoid() - 1 if self._is_bounded else points

    def coordinates(self, raw: Tensor) -> Tensor:
        """Return ``raw``, which already is coordinates."""
        return raw

    @torch.no_grad()
    def start_at(self, points_n: Tensor) -> None:
        """Predict the given points for any image, such as the mean of the data."""
        points = points_n.clamp(-0.95, 0.95)
        start = torch.logit((points + 1) / 2) if self._is_bounded else points
        self.linear.bias.copy_(start.flatten())


class _FromHeatmaps(PointHead):
    """Head with one heatmap per keypoint."""

    def coordinates(self, raw: Tensor) -> Tensor:
        """Return the mean position of each heatmap under its softmax: (B, K, 2) normalised."""
        return soft_argmax(raw)


class HeatmapHead(_FromHeatmaps):
    """Three upsamplings by two, then one heatmap per keypoint: stride 32 -> stride 4.

    Args:
        channels: channels of the backbone's maps.
        num_keypoints: number of keypoints K.
    """

    def __init__(self, channels: Sequence[int], num_keypoints: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            ConvUnit(inputs, _WIDTH) for inputs in (channels[-1], _WIDTH, _WIDTH)
        )
        self.heat = _heat_layer(num_keypoints)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps, the last (B, channels, h, w) -> (B, K, 8 h, 8 w): 1 at a point, 0 far from it."""
        features = maps[-1]
        for unit in self.units:
            features = unit(_upsampled(features))
        heat: Tensor = self.heat(features)
        return heat


class FineHeatmapHead(_FromHeatmaps):
    """``HeatmapHead`` with lateral connections from the backbone's map of each size.

    Args:
        channels: channels of the backbone's maps.
        num_keypoints: number of keypoints K.
    """

    def __init__(self, channels: Sequence[int], num_keypoints: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, _WIDTH, 1) for inputs in channels[1:])
        self.units = nn.ModuleList(ConvUnit(_WIDTH, _WIDTH) for _ in channels[2:])
        self.heat = _heat_layer(num_keypoints)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps at strides 2 to 32 -> (B, K, H/4, W/4): 1 at a point, 0 far from it."""
        heat: Tensor = self.heat(self.features(maps))
        return heat

    def features(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps at strides 2 to 32 -> (B, width, H/4, W/4), the input of the heatmap layer."""
        *finer, coarsest = (layer(each) for layer, each in zip(self.lateral, maps[1:], strict=True))
        features: Tensor = coarsest
        for unit, own in zip(self.units, reversed(finer), strict=True):
            features = unit(_upsampled(features) + own)
        return features


class HourglassHead(FineHeatmapHead):
    """``FineHeatmapHead`` with an hourglass before the heatmap layer.

    It has the same tensor names, and an hourglass starts as the identity. It can therefore start
    from the weights of a ``FineHeatmapHead`` (``init``), with the same predictions at first.

    Args:
        channels: channels of the backbone's maps.
        num_keypoints: number of keypoints K.
    """

    def __init__(self, channels: Sequence[int], num_keypoints: int) -> None:
        super().__init__(channels, num_keypoints)
        self.hourglass = Hourglass(_WIDTH, _HOURGLASS_WIDTHS)

    def features(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps at strides 2 to 32 -> (B, width, H/4, W/4), after the hourglass."""
        features: Tensor = self.hourglass(super().features(maps))
        return features


class Hourglass(nn.Module):
    """Hourglass: downsampling, an inner hourglass, upsampling, added to the input.

    Args:
        channels: channels of input and output.
        widths: channels at half the size, a quarter and so on; at least one.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        width, *narrower = widths
        self.down = ConvUnit(channels, width, 2)
        self.block = ResidualBlock(width)
        self.inner = Hourglass(width, narrower) if narrower else ResidualBlock(width)
        self.up = nn.Conv2d(width, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same; h and w are multiples of 2 for each of ``widths``."""
        inner = self.inner(self.block(self.down(features)))
        added: Tensor = self.norm(self.up(_upsampled(inner)))
        return features + added


def _heat_layer(num_keypoints: int) -> nn.Conv2d:
    layer = nn.Conv2d(_WIDTH, num_keypoints, 1)
    start_small(layer)
    return layer


def _upsampled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def soft_argmax(heat: Tensor) -> Tensor:
    """Return the mean position under softmax(HEAT_SHARPNESS * heat).

    (B, K, h, w) -> (B, K, 2) normalised x, y.
    """
    height, width = heat.shape[-2:]
    weight = (heat.float() * HEAT_SHARPNESS).flatten(2).softmax(-1).view(heat.shape)
    x = cell_centres(width, heat.device)
    y = cell_centres(height, heat.device)
    return torch.stack([(weight.sum(2) * x).sum(-1), (weight.sum(3) * y).sum(-1)], -1)


def cell_centres(count: int, device: torch.device) -> Tensor:
    """Return the centres of ``count`` cells along one side: (count,) float32 in (-1, 1)."""
    return (torch.arange(count, device=device, dtype=torch.float32) + 0.5) * (2 / count) - 1
