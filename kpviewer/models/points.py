"""Networks that place K points in a picture of one object: by regression, or by heatmaps.

A trunk (``models.picture_trunk``) and one head. Coordinates that networks give and learn are
normalised: (-1, -1) is the outer corner of the top-left pixel, (1, 1) that of the bottom-right one,
whatever the input's size.

Sources: regression behind global average pooling, Toshev and Szegedy 2014, DeepPose
(arXiv:1312.4659), eq. 1; heatmaps from upsampled features, Xiao et al. 2018 (arXiv:1804.06208),
section 2; their mean as a coordinate, Nibali et al. 2018, DSNT (arXiv:1801.07372), eq. 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.base import DecodedBatch
from kpviewer.models.picture_trunk import PICTURE_TRUNKS, build_trunk
from kpviewer.models.spec import ModelSpec
from kpviewer.models.trunk import ConvUnit

HEAT_SHARPNESS = 14.0
"""Factor before the softmax over a heatmap. A peak of height 1 then outweighs a background of
32 x 32 cells a thousand times, and one of sigma 1.5 still spreads over enough cells for a mean."""
BOX_MIN_POINTS = 3
"""Of fewer points the extent says nothing of the object's; the box is the whole picture."""


class RegressionHead(nn.Module):
    """Average pooling and one linear layer.

    Args:
        channels: of the trunk's last map.
        num_keypoints: K.
        is_bounded: whether points can't leave the picture: y = 2 sigmoid(x) - 1, in [-1, 1].
    """

    def __init__(self, channels: int, num_keypoints: int, *, is_bounded: bool = False) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 2 * num_keypoints)
        self._shape = (num_keypoints, 2)
        self._is_bounded = is_bounded
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, K, 2) normalised x, y."""
        points: Tensor = self.linear(features.mean((2, 3))).reshape(-1, *self._shape)
        return 2 * points.sigmoid() - 1 if self._is_bounded else points

    def coordinates(self, raw: Tensor) -> Tensor:
        """Read what ``forward`` gave: it is the coordinates."""
        return raw

    @torch.no_grad()
    def start_at(self, points_n: Tensor) -> None:
        """Let an untrained head answer (K, 2) normalised points, such as the mean of the data."""
        points = points_n.clamp(-0.95, 0.95)
        start = torch.logit((points + 1) / 2) if self._is_bounded else points
        self.linear.bias.copy_(start.flatten())


class HeatmapHead(nn.Module):
    """Three times twice as large, then one heatmap a keypoint: stride 32 -> stride 4.

    Args:
        channels: of the trunk's last map.
        num_keypoints: K.
        width: channels of the maps in between.
    """

    def __init__(self, channels: int, num_keypoints: int, width: int = 64) -> None:
        super().__init__()
        self.units = nn.ModuleList(ConvUnit(inputs, width) for inputs in (channels, width, width))
        self.heat = nn.Conv2d(width, num_keypoints, 1)
        nn.init.normal_(self.heat.weight, std=0.01)
        assert self.heat.bias is not None
        nn.init.zeros_(self.heat.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, K, 8 h, 8 w): 1 at a point, 0 far from it."""
        for unit in self.units:
            features = unit(functional.interpolate(features, scale_factor=2.0, mode="nearest"))
        heat: Tensor = self.heat(features)
        return heat

    def coordinates(self, raw: Tensor) -> Tensor:
        """Take the mean place of each heatmap under its softmax: (B, K, 2) normalised."""
        return soft_argmax(raw)

    def start_at(self, points_n: Tensor) -> None:
        """Leave the head as it is: heatmaps have no bias by place."""


def soft_argmax(heat: Tensor, sharpness: float = HEAT_SHARPNESS) -> Tensor:
    """Mean place under softmax(sharpness * heat): (B, K, h, w) -> (B, K, 2) normalised x, y."""
    height, width = heat.shape[-2:]
    weight = (heat.float() * sharpness).flatten(2).softmax(-1).view(heat.shape)
    x = cell_centres(width, heat.device)
    y = cell_centres(height, heat.device)
    return torch.stack([(weight.sum(2) * x).sum(-1), (weight.sum(3) * y).sum(-1)], -1)


def cell_centres(count: int, device: torch.device) -> Tensor:
    """Middles of ``count`` cells along one side: (count,) float32 in (-1, 1)."""
    return (torch.arange(count, device=device, dtype=torch.float32) + 0.5) * (2 / count) - 1


class PointNetwork(nn.Module):
    """A trunk and a head, with what must be known to cut pictures for it.

    Args:
        trunk: pictures to one feature map.
        head: feature map to points, or to heatmaps.
    """

    crop_margin: Tensor
    """() side of the crop over the side of the object's box; 0: it looks at whole pictures."""
    box_extent: Tensor
    """(4,) box of the object about the mean of its points, in RMS radii of the points."""

    def __init__(self, trunk: nn.Module, head: RegressionHead | HeatmapHead) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.register_buffer("crop_margin", torch.tensor(0.0))
        self.register_buffer("box_extent", torch.tensor([-2.0, -2.0, 2.0, 2.0]))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised RGB -> what the head gives."""
        raw: Tensor = self.head(self.trunk(images))
        return raw


class PointDetector:
    """A point network with its description and its decoding.

    It takes for granted that the object is there: its one candidate always has score 1.
    """

    def __init__(self, spec: ModelSpec, network: PointNetwork) -> None:
        self.spec = spec
        self.network = network

    def points_n(self, raw: Tensor) -> Tensor:
        """Read normalised points, (B, K, 2) float32, from what the network gave."""
        return self.network.head.coordinates(raw.float())

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        """Turn what the network gave into points and the box around them.

        Args:
            raw: for an input of ``input_hw``.
            input_hw: input size, px.

        Returns:
            One row a picture, score 1. The box is that of the object as far as its points tell,
            clipped to the input; with one or two points it is the whole input.
        """
        height, width = input_hw
        size = raw.new_tensor([width, height], dtype=torch.float32)
        points = (self.points_n(raw) + 1) / 2 * size  # (B, K, 2)
        limit = torch.cat([size, size])
        if points.shape[1] < BOX_MIN_POINTS:
            xyxy = (limit * limit.new_tensor([0, 0, 1, 1])).expand(len(points), 4)
        else:
            extent = self.network.box_extent.to(points.device, torch.float32)  # runners move copies
            xyxy = boxes_around(points, extent)
        xyxy = torch.minimum(xyxy.clamp(min=0), limit)
        scores = xyxy.new_ones(len(points), 1, len(self.spec.class_names))
        return DecodedBatch(xyxy[:, None], scores, points[:, None])


def boxes_around(points_xy: Tensor, extent: Tensor) -> Tensor:
    """Boxes of objects from their points: (..., K, 2) and (4,) -> (..., 4) xyxy.

    A box is mean + radius * extent, the radius being the RMS distance of the points from their
    mean: it turns and shrinks with the object, where the outermost points would jump.
    """
    centre = points_xy.mean(-2)
    radius = (points_xy - centre[..., None, :]).square().sum(-1).mean(-1, keepdim=True).sqrt()
    return torch.cat([centre, centre], -1) + radius * extent


def mirrored_by_name(names: Sequence[str]) -> tuple[int, ...]:
    """Index that each keypoint takes in a mirrored picture: left_eye and right_eye swap.

    A name without "left" or "right", or whose partner is missing, stays where it is.
    """
    index = {name: row for row, name in enumerate(names)}
    swap = {"left": "right", "right": "left"}

    def partner(name: str) -> str:
        return "_".join(swap.get(part, part) for part in name.split("_"))

    return tuple(index.get(partner(name), row) for row, name in enumerate(names))


def build_points(spec: ModelSpec, trunk: str, head: Callable[..., nn.Module]) -> PointDetector:
    """Build a detector, with random weights.

    Args:
        spec: its number of keypoints shapes the head.
        trunk: one of PICTURE_TRUNKS.
        head: RegressionHead or HeatmapHead, or such with arguments.
    """
    layers, channels = build_trunk(trunk)
    made = head(channels, len(spec.keypoint_names))
    assert isinstance(made, RegressionHead | HeatmapHead)
    return PointDetector(spec, PointNetwork(layers, made))


_HEADS: Mapping[str, Callable[..., nn.Module]] = {
    "points": RegressionHead,
    "bounded-points": partial(RegressionHead, is_bounded=True),
    "heatmap": HeatmapHead,
}

POINT_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], PointDetector]] = {
    f"{kind}-{trunk}": partial(build_points, trunk=trunk, head=head)
    for kind, head in _HEADS.items()
    for trunk in PICTURE_TRUNKS
}
"""Builders by architecture, for any number of points: "points-resnet18", "heatmap-light" ..."""
