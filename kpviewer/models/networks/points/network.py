"""Point networks, which locate K points of one object by regression or heatmaps.

Each has a backbone (``networks.backbones.image``) and a head (``networks.points.heads``).
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.base import DecodedBatch
from kpviewer.models.names.architectures import IMAGE_BACKBONES
from kpviewer.models.networks.backbones.image import Backbone, build_backbone, stride_maps
from kpviewer.models.networks.boxes import clipped, constant, size_wh
from kpviewer.models.networks.points.heads import (
    FineHeatmapHead,
    HeatmapHead,
    HourglassHead,
    PointHead,
    RegressionHead,
)
from kpviewer.models.spec import ModelSpec

TTA_SHIFTS_PX = ((0, 0), (5, 5), (-5, -5))
"""x, y by which test-time augmentation shifts the image in each run. Odd, so that strides of 2 to
32 cut it anew."""

BOX_MIN_POINTS = 3
"""Fewest points that give a box; with fewer, the box is the whole image."""


class PointNetwork(nn.Module):
    """A backbone and a head, with the parameters of its crops.

    Args:
        backbone: network from images to feature maps.
        head: network from feature maps to points, or to heatmaps.
        tta_runs: runs on each image at inference, shifted by TTA_SHIFTS_PX, for the mean; at most
            one for each shift.
    """

    crop_margin: Tensor
    """() side of the crop over that of the object's box; 0: the input is the whole image."""
    box_extent: Tensor
    """(4,) box of the object around the mean of its points, in RMS radii of the points."""

    def __init__(self, backbone: Backbone, head: PointHead, tta_runs: int = 1) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.shifts = TTA_SHIFTS_PX[:tta_runs]
        self.register_buffer("crop_margin", torch.tensor(0.0))
        self.register_buffer("box_extent", torch.tensor([-2.0, -2.0, 2.0, 2.0]))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised RGB -> the head's output, TTA runs along dimension 1."""
        if self.training or len(self.shifts) == 1:
            return self.forward_once(images)
        raw = self.forward_once(torch.cat([_shifted(images, x, y) for x, y in self.shifts]))
        raw = raw.reshape(len(self.shifts), -1, *raw.shape[1:])  # (T, B, ...)
        return raw.transpose(0, 1).flatten(1, 2)

    def forward_once(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> the head's output of one run, without test-time augmentation."""
        raw: Tensor = self.head(stride_maps(self.backbone, images))
        return raw


class PointDetector:
    """A point network with its description and decoding.

    It assumes that the object is present: its only candidate always has score 1.
    """

    def __init__(self, spec: ModelSpec, network: PointNetwork) -> None:
        self.spec = spec
        self.network = network

    def points_n(self, raw: Tensor, input_hw: tuple[int, int]) -> Tensor:
        """Decode the network's output for inputs of ``input_hw`` px to points.

        Returns:
            (B, K, 2) float32, normalised; the mean of all TTA runs.
        """
        count = len(self.spec.keypoint_names)
        points = self.network.head.coordinates(raw.float())  # (B, T * K, 2)
        points = points.reshape(points.shape[0], -1, count, 2)
        shifts_px = TTA_SHIFTS_PX[: points.shape[1]]
        shifts = torch.stack([constant(points, *each) for each in shifts_px])[:, None]  # (T, 1, 2)
        size = size_wh(input_hw, points)
        return (points - shifts / size * 2).mean(1)

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode the network's output to points and the box around them.

        Args:
            raw: output for an input of ``input_hw``.
            input_hw: input size, px.

        Returns:
            One row per image, score 1. The box is estimated from the points and clipped to the
            input; with one or two points it is the whole input.
        """
        points = self.points_n(raw, input_hw)
        size = size_wh(input_hw, points)
        points = (points + 1) / 2 * size  # (B, K, 2)
        if points.shape[1] < BOX_MIN_POINTS:
            xyxy = torch.cat([size * 0, size]).expand(points.shape[0], 4)
        else:
            extent = self.network.box_extent.to(points.device, torch.float32)  # runners move copies
            xyxy = boxes_around(points, extent)
        xyxy = clipped(xyxy, input_hw)
        scores = xyxy.new_ones(points.shape[0], 1, len(self.spec.class_names))
        return DecodedBatch(xyxy[:, None], scores, points[:, None])


def without_tta(detector: PointDetector) -> PointDetector:
    """Return a detector of the same layers that runs once on each image."""
    network = copy.copy(detector.network)
    network.shifts = network.shifts[:1]
    return PointDetector(replace(detector.spec, tta_runs=1), network)


def _shifted(images: Tensor, x: int, y: int) -> Tensor:
    """Return (B, C, H, W) shifted right and down by x, y px, padded with 0, the mean colour."""
    height, width = images.shape[-2:]
    edge = max(abs(x), abs(y))
    wide = functional.pad(images, (edge, edge, edge, edge))
    return wide[..., edge - y : edge - y + height, edge - x : edge - x + width]


def boxes_around(points_xy: Tensor, extent: Tensor) -> Tensor:
    """Return boxes of objects from their points: (..., K, 2) and (4,) -> (..., 4) xyxy.

    A box is mean + radius * extent, where the radius is the RMS distance of the points from their
    mean. It follows the object smoothly, whereas the outermost points would jump.
    """
    centre = points_xy.mean(-2)
    radius = (points_xy - centre[..., None, :]).square().sum(-1).mean(-1, keepdim=True).sqrt()
    return torch.cat([centre, centre], -1) + radius * extent


def build_points(spec: ModelSpec, backbone: str, head: Callable[..., PointHead]) -> PointDetector:
    """Build a detector, with random weights.

    Args:
        spec: description, whose number of keypoints shapes the head.
        backbone: one of IMAGE_BACKBONES.
        head: builder of a head of ``models.networks.points.heads``.
    """
    layers, channels = build_backbone(backbone)
    network = PointNetwork(layers, head(channels, len(spec.keypoint_names)), spec.tta_runs)
    return PointDetector(spec, network)


_HEADS: Mapping[str, Callable[..., PointHead]] = {
    "points": RegressionHead,
    "bounded-points": partial(RegressionHead, is_bounded=True),
    "heatmap": HeatmapHead,
    "fine-heatmap": FineHeatmapHead,
    "hourglass": HourglassHead,
}

POINT_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], PointDetector]] = {
    f"{kind}-{backbone}": partial(build_points, backbone=backbone, head=head)
    for kind, head in _HEADS.items()
    for backbone in IMAGE_BACKBONES
}
"""Builders by architecture, for any number of points: "points-resnet18", "heatmap-light" ..."""
