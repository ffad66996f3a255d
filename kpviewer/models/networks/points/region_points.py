"""Region head: keypoints from a grid of features over each box (RoI), once boxes are known.

One 3x3 convolution covers too little of a large object to locate its points well. A grid that spans
the box covers all of it, at the same scale for any object size.

Source: He et al. 2017, Mask R-CNN, sections 3 (RoIAlign, here with one sample a bin) and 4.1
(arXiv:1703.06870).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.networks.backbones.light import start_small
from kpviewer.models.networks.boxes import xyxy_to_cxcywh

GRID = 8
"""Bins per side of the grid."""
_MARGIN = 1.15
"""Side of the grid over that of the box, as boxes cut chins off."""


class RegionPoints(nn.Module):
    """Head that predicts offsets of K keypoints from each of R boxes.

    Args:
        channels: channels of every feature map.
        num_maps: number of feature maps to use, finest first, each twice as coarse as the one
            before.
        num_keypoints: number of keypoints K.
        width: channels of a sample.
        hidden: units between the grid and the offsets.
    """

    def __init__(
        self, channels: int, num_maps: int, num_keypoints: int, width: int = 48, hidden: int = 128
    ) -> None:
        super().__init__()
        self.num_keypoints = num_keypoints
        # merged before sampling: a grid sample costs more than a cell
        self.reduce = nn.ModuleList(nn.Conv2d(channels, width, 1) for _ in range(num_maps))
        self.hidden = nn.Linear(width * GRID * GRID, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.offsets = nn.Linear(hidden, 2 * num_keypoints)
        start_small(self.offsets)

    def forward(self, maps: Sequence[Tensor], xyxy: Tensor, input_hw: tuple[int, int]) -> Tensor:
        """Predict the keypoints of boxes.

        Args:
            maps: (B, channels, h, w) each, of the whole input; only the ``num_maps`` finest are
                used.
            xyxy: (B, R, 4) boxes, input px.
            input_hw: input size, px.

        Returns:
            (B, R, K, 2) offsets from the boxes, as ``networks.boxes.encode_points`` defines them.
        """
        batch, regions = xyxy.shape[:2]
        grid = sampling_grid(xyxy, input_hw).reshape(batch, regions * GRID, GRID, 2)
        seen = functional.grid_sample(
            self._merged(maps).float(), grid, padding_mode="border", align_corners=False
        )  # (B, width, R * GRID, GRID)
        bins = functional.relu(seen).reshape(batch, -1, regions, GRID * GRID)
        rows = bins.transpose(1, 2).flatten(2)  # (B, R, width * GRID * GRID)
        hidden = functional.relu(self.norm(self.hidden(rows)))
        offsets: Tensor = self.offsets(hidden)
        return offsets.reshape(batch, regions, self.num_keypoints, 2)

    def _merged(self, maps: Sequence[Tensor]) -> Tensor:
        """Upsample the maps to the size of the finest and add them: (B, width, h, w)."""
        coarsest = len(self.reduce) - 1
        merged: Tensor = self.reduce[coarsest](maps[coarsest])
        for level in range(coarsest - 1, -1, -1):
            up = functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = self.reduce[level](maps[level]) + up
        return merged


def sampling_grid(xyxy: Tensor, input_hw: tuple[int, int]) -> Tensor:
    """Return the bins' centres of (..., 4) boxes: (..., GRID, GRID, 2), in [-1, 1] of the input."""
    cxcywh = xyxy_to_cxcywh(xyxy)
    steps = (torch.arange(GRID, device=xyxy.device, dtype=xyxy.dtype) + 0.5) / GRID - 0.5
    spans = cxcywh[..., 2:, None] * steps * _MARGIN  # (..., 2, GRID)
    centres = cxcywh[..., :2, None] + spans  # (..., 2, GRID)
    height, width = input_hw
    x = centres[..., None, 0, :] * (2 / width) - 1  # (..., 1, GRID)
    y = centres[..., 1, :, None] * (2 / height) - 1  # (..., GRID, 1)
    return torch.stack([x + 0 * y, y + 0 * x], -1)
