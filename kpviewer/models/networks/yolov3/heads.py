"""Raw predictions of YOLOv3, and the boxes that they stand for.

Source: Redmon & Farhadi 2018, YOLOv3 (arXiv:1804.02767), section 2.1; eq. of the boxes, figure 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kpviewer.models.networks.backbones.light import start_small

Sizes = Sequence[tuple[float, float]]
"""Widths and heights, input px."""

COCO_ANCHORS: Sizes = (
    (10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326),
)  # fmt: skip
"""Clusters of COCO's boxes at 416 px (arXiv:1804.02767, section 2.3)."""
BOX_VALUES = 5
"""Values of an anchor before those of its classes: tx, ty, tw, th and the logit of objectness."""


class YoloHeads(NamedTuple):
    """Raw predictions of B images: the log-odds and logarithms that the convolutions compute."""

    maps: list[Tensor]
    """(B, A, h, w, 5 + C) for each map, fine to coarse, for A anchors a cell and C classes: tx, ty,
    tw, th, the log-odds of objectness, and those of each class."""

    def rows(self) -> Tensor:
        """Return all predictions: (B, P, 5 + C), by map, then anchor, row and column of the cell.

        ``anchor_cells`` has the same order.
        """
        return torch.cat([each.flatten(1, 3) for each in self.maps], 1).float()


class YoloNetwork(nn.Module):
    """Base of the networks: their forward pass returns ``YoloHeads``.

    Args:
        strides: input px per cell of each map, fine to coarse.
        anchors_wh: width and height of the A anchors of each map, input px.
        scales_xy: factor of the range of centres of each map (``AnchorCells.scale_xy``); 1 for
            all if empty.
    """

    anchors_wh: Tensor
    """(L, A, 2) float, input px: the anchors of each of L maps. Saved with the weights."""

    def __init__(
        self,
        strides: Sequence[int],
        anchors_wh: Sequence[Sequence[tuple[float, float]]],
        scales_xy: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.scales_xy = tuple(scales_xy) or (1.0,) * len(self.strides)
        self.register_buffer("anchors_wh", torch.tensor(anchors_wh, dtype=torch.float32))

    def cells(self, heads: YoloHeads) -> AnchorCells:
        """Return the cell and the anchor of each of the rows of ``heads``."""
        shapes_hw = [(each.shape[2], each.shape[3]) for each in heads.maps]
        anchors_wh = self.anchors_wh.to(heads.maps[0].device, torch.float32)  # runners move copies
        return anchor_cells(anchors_wh, self.strides, shapes_hw, self.scales_xy)


def initialise_predictions(convolution: nn.Module, row: int) -> None:
    """Start every objectness at 0.01, so that the background doesn't dominate at first.

    Source: Lin et al. 2017, focal loss, section 4.1 (arXiv:1708.02002).
    """
    assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
    start_small(convolution)
    with torch.no_grad():
        convolution.bias.view(-1, row)[:, BOX_VALUES - 1] = -math.log(99.0)


def by_map(sizes_wh: Sizes, maps: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Split sizes evenly over maps, the smallest areas to the finest map.

    Args:
        sizes_wh: widths and heights in any order, a multiple of ``maps``.
        maps: number of maps, fine to coarse.

    Raises:
        ValueError: if they can't be split evenly.
    """
    if not sizes_wh or len(sizes_wh) % maps:
        raise ValueError(f"{len(sizes_wh)} anchors can't be split evenly over {maps} maps")
    ordered = sorted(sizes_wh, key=lambda size: (size[0] * size[1], size))
    count = len(ordered) // maps
    return tuple(tuple(ordered[first : first + count]) for first in range(0, len(ordered), count))


def as_predictions(features: Tensor, row: int) -> Tensor:
    """Return the output of a convolution as predictions: (B, A * row, h, w) -> (B, A, h, w, row).

    The channels are those of Darknet: anchor by anchor, and in it tx, ty, tw, th, objectness and
    the classes.
    """
    batch, channels, height, width = features.shape
    split = features.reshape(batch, channels // row, row, height, width)
    return split.permute(0, 1, 3, 4, 2)


class AnchorCells(NamedTuple):
    """Cell and anchor of P predictions, or of (B, M) chosen ones."""

    corner_xy: Tensor
    """(..., 2) column and row of the cell: its top left corner, in cells."""
    stride: Tensor
    """(..., 1) input px per cell."""
    anchor_wh: Tensor
    """(..., 2) width and height of the anchor, input px."""
    scale_xy: Tensor
    """(..., 1) factor s of the range of centres, s * sigmoid(t) - (s - 1) / 2 cells: 1 in YOLOv3;
    above it, centres on a cell's edge need no infinite t (Darknet's ``scale_x_y``)."""

    def chosen(self, index: Tensor) -> AnchorCells:
        """Return those of an index of any shape."""
        return AnchorCells(*(each[index] for each in self))


def anchor_cells(
    anchors_wh: Tensor,
    strides: Sequence[int],
    shapes_hw: Sequence[tuple[int, int]],
    scales_xy: Sequence[float],
) -> AnchorCells:
    """Return the cell and the anchor of every prediction, in the order of ``YoloHeads.rows``.

    Args:
        anchors_wh: (L, A, 2) anchors of each map, input px.
        strides: input px per cell, by map.
        shapes_hw: rows and columns of cells, by map.
        scales_xy: factor of the range of centres, by map.
    """
    device, count = anchors_wh.device, anchors_wh.shape[1]
    corners, steps, sizes, scales = [], [], [], []
    maps = zip(anchors_wh, strides, shapes_hw, scales_xy, strict=True)
    for anchors, stride, (height, width), scale in maps:
        y, x = torch.meshgrid(
            torch.arange(height, dtype=torch.float32, device=device),
            torch.arange(width, dtype=torch.float32, device=device),
            indexing="ij",
        )
        corner = torch.stack([x, y], -1).reshape(1, -1, 2).expand(count, -1, -1)
        corners.append(corner.reshape(-1, 2))
        steps.append(torch.full((count * height * width, 1), float(stride), device=device))
        scales.append(torch.full((count * height * width, 1), float(scale), device=device))
        sizes.append(anchors[:, None].expand_as(corner).reshape(-1, 2))
    return AnchorCells(torch.cat(corners), torch.cat(steps), torch.cat(sizes), torch.cat(scales))


def decode_boxes(rows: Tensor, cells: AnchorCells) -> Tensor:
    """Decode predictions to boxes: b = (sigmoid(t_xy) + cell) * stride, and anchor * exp(t_wh).

    With ``cells.scale_xy`` above 1, the sigmoid covers a little more than the cell.

    Args:
        rows: (..., 4 or more) tx, ty, tw, th.
        cells: cell and anchor of each.

    Returns:
        (..., 4) float cxcywh, input px; not clipped. Sizes of wild networks may be infinite.
    """
    scale = cells.scale_xy
    within = scale * rows[..., :2].sigmoid() - (scale - 1) / 2  # of the cell
    centre = (within + cells.corner_xy) * cells.stride
    size = cells.anchor_wh * rows[..., 2:4].exp()
    return torch.cat([centre, size], -1)
