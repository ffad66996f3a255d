"""Anchors: positions and sizes at which an SSD predicts objects ("default boxes" in its paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class MapAnchors:
    """Anchors of one feature map."""

    stride: int
    """Stride of the map: input px per cell."""
    sizes_wh: tuple[tuple[float, float], ...]
    """Width and height of each anchor of a cell, input px."""


def aspect_sizes(
    sides: Sequence[float], ratios: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Return widths and heights of n + m - 1 boxes with the areas of squares.

    Args:
        sides: n sides of squares, px; each is used with the first ratio.
        ratios: m ratios of width to height; each is used with the first side.

    Returns:
        Every side at the first ratio, then the first side at the other ratios.
    """
    shapes = [(side, ratios[0]) for side in sides] + [(sides[0], ratio) for ratio in ratios[1:]]
    return tuple((side * ratio**0.5, side / ratio**0.5) for side, ratio in shapes)


def anchor_boxes(maps: tuple[MapAnchors, ...], input_hw: tuple[int, int]) -> Tensor:
    """Return the anchors of every map for an input size.

    Args:
        maps: maps from fine to coarse; each has ceil(side / stride) cells per side.
        input_hw: input size, px.

    Returns:
        (P, 4) float32 cxcywh, input px: map by map, row by row, cell by cell, then by size. Cell
        (row i, column j) is centred on ((j + 0.5) * stride, (i + 0.5) * stride).

    Source: Liu et al. 2016, SSD, section 2.2 (arXiv:1512.02325).
    """
    return torch.cat([_map_boxes(anchors, input_hw) for anchors in maps])


def _map_boxes(anchors: MapAnchors, input_hw: tuple[int, int]) -> Tensor:
    rows, columns = ((side + anchors.stride - 1) // anchors.stride for side in input_hw)
    centre_y = (torch.arange(rows, dtype=torch.float32) + 0.5) * anchors.stride
    centre_x = (torch.arange(columns, dtype=torch.float32) + 0.5) * anchors.stride
    sizes = torch.tensor(anchors.sizes_wh, dtype=torch.float32)  # (A, 2)
    grid_y, grid_x = torch.meshgrid(centre_y, centre_x, indexing="ij")
    centres = torch.stack([grid_x, grid_y], -1)  # (rows, columns, 2)
    shape = (rows, columns, len(sizes), 2)
    boxes = torch.cat([centres[:, :, None].expand(shape), sizes.expand(shape)], -1)
    return boxes.reshape(-1, 4)
