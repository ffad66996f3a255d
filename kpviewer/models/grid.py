"""A grid keypoint detector: one coarse map, one size of target, no NMS.

Each cell of 32 x 32 px says whether a target is centred in it, of which class, and where. A cell
reads the place as the mean of a heat map over a window around it: the network only has to say how
much each 8 x 8 px patch looks like the middle of a target, and the mean moves by a fraction of a
pixel when the target does. A stride of 32 px that had to know the place by its channels alone
would need many more of them.

Sources: the single map with offsets, Redmon et al. 2016, YOLO (arXiv:1506.02640), section 2; the
mean of a heat map as a coordinate, Nibali et al. 2018, DSNT (arXiv:1801.07372), eq. 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.backbone import ConvUnit
from kpviewer.models.base import DecodedBatch
from kpviewer.models.spec import ModelSpec, Task

STRIDE = 32
"""Input px a cell."""
HEAT_STRIDE = 8
"""Input px a value of the heat map."""
WINDOW = 8
"""Side of the window that a cell looks at, in values of the heat map: 64 px, the cell in its
middle. Targets nearer to each other than about two cells blur each other's place."""
HEAT_BOUND = 6.0
"""Heat lies in (-6, 6): a peak outweighs 160,000 values of background, and the sum of a window of
peaks, 64 * exp(6), still fits in half precision."""
MAX_CANDIDATES = 64
TARGET_WH = (30.0, 30.0)

STRIP_SPEC = ModelSpec(
    name="strip-grid",
    architecture="strip-grid",
    task=Task.DETECT_KEYPOINTS,
    class_names=("fi", "hb"),
    keypoint_names=("centre",),
    # a square limit: strips keep their size either way round, and the input is as flat as they are
    input_hw=(1920, 1920),
    stride=STRIDE,
    licence="GPL-3.0-or-later",
)


class GridHeads(NamedTuple):
    """What each of the R x C cells says of B images, for K classes."""

    offsets: Tensor
    """(B, 2, R, C): (dx, dy) of the target's centre from the cell's, in cells; within 0.875."""
    class_logits: Tensor
    """(B, 1 + K, R, C); class 0 is background."""


class GridNetwork(nn.Module):
    """A plain backbone to stride 32, with a heat map read at stride 8.

    Args:
        num_classes: K, without background.
        target_wh: width and height of every target's box, input px; stored with the weights.
    """

    target_wh: Tensor
    _moments: Tensor

    def __init__(self, num_classes: int, target_wh: tuple[float, float] = TARGET_WH) -> None:
        super().__init__()
        # patches side by side, then stride 8 at once: at 1920 x 320 the first maps are the cost
        stem = nn.Sequential(nn.Conv2d(3, 16, 4, 4, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.fine = nn.Sequential(stem, ConvUnit(16, 32, stride=2), ConvUnit(32, 32))
        self.coarse = nn.Sequential(
            ConvUnit(32, 32, stride=2), ConvUnit(32, 32),
            ConvUnit(32, 48, stride=2), ConvUnit(48, 48),
        )  # fmt: skip
        self.heat = nn.Conv2d(32, 1, 3, padding=1)  # each value sees 44 x 44 px
        self.classes = nn.Conv2d(48, 1 + num_classes, 1)
        self.register_buffer("target_wh", torch.tensor(target_wh))
        self.register_buffer("_moments", _moment_kernels(), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Start every cell at a probability of 0.99 for background: most cells are."""
        for layer in (self.heat, self.classes):
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            assert self.classes.bias is not None
            self.classes.bias[0] = math.log(99.0 * (len(self.classes.bias) - 1))

    def forward(self, images: Tensor) -> GridHeads:
        """(B, 3, H, W) normalised RGB, sides multiples of 32 -> heads of H/32 x W/32 cells."""
        fine = self.fine(images)  # (B, 32, H/8, W/8)
        heat = HEAT_BOUND * torch.tanh(self.heat(fine) / HEAT_BOUND)
        margin = (WINDOW - STRIDE // HEAT_STRIDE) // 2
        sums = functional.conv2d(
            heat.exp(), self._moments, stride=STRIDE // HEAT_STRIDE, padding=margin
        )  # (B, 3, R, C)
        return GridHeads(sums[:, :2] / sums[:, 2:], self.classes(self.coarse(fine)))


def _moment_kernels() -> Tensor:
    """Kernels that sum x * weight, y * weight and weight over a window: (3, 1, WINDOW, WINDOW).

    x and y are the middles of the heat map's patches, from the window's centre, in cells.
    """
    place = (torch.arange(WINDOW) - (WINDOW - 1) / 2) * HEAT_STRIDE / STRIDE
    y, x = torch.meshgrid(place, place, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)])[:, None]


class GridDetector:
    """A grid network with its description and its decoding.

    Args:
        spec: of the network; one keypoint, the centre.
        network: its network.
        best_only: whether one cell a class is kept, the best one; else every local maximum is.
    """

    def __init__(self, spec: ModelSpec, network: GridNetwork, *, best_only: bool = False) -> None:
        self.spec = spec
        self.network = network
        self._best_only = best_only

    def decode(self, raw: GridHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Turn the cells that are worth it into boxes of the target's size around the centres.

        Args:
            raw: heads for an input of ``input_hw``.
            input_hw: input size, px; multiples of 32.

        Returns:
            M = K rows an image where only the best cell counts, else min(R * C, 64), by
            descending best score; boxes clipped to the input.
        """
        scores = raw.class_logits.float().softmax(1)[:, 1:]  # (B, K, R, C)
        kept = best_cells(scores) if self._best_only else local_maxima(scores)
        rows = kept.flatten(2).transpose(1, 2)  # (B, R * C, K)
        count = rows.shape[2] if self._best_only else MAX_CANDIDATES
        best = rows.amax(-1).topk(min(count, rows.shape[1]), dim=1).indices  # (B, M)
        centres = cell_centres(raw.offsets.shape[2:], raw.offsets.device)  # (R * C, 2)
        centres = (raw.offsets.float().flatten(2).transpose(1, 2) * STRIDE) + centres
        batch = torch.arange(len(best), device=best.device)[:, None]
        points = centres[batch, best]  # (B, M, 2)
        half = self.network.target_wh.to(points.device, torch.float32) / 2  # runners move copies
        height, width = input_hw
        limit = points.new_tensor([width, height, width, height])
        xyxy = torch.cat([points - half, points + half], -1).clamp(min=0)
        return DecodedBatch(torch.minimum(xyxy, limit), rows[batch, best], points[:, :, None])


def cell_centres(shape_rc: torch.Size | tuple[int, int], device: torch.device) -> Tensor:
    """Middles of the cells, row by row: (R * C, 2) float32 x, y, input px."""
    y, x = torch.meshgrid(
        *(torch.arange(side, device=device) + 0.5 for side in shape_rc), indexing="ij"
    )
    return torch.stack([x, y], -1).reshape(-1, 2) * STRIDE


def local_maxima(scores: Tensor) -> Tensor:
    """Keep the scores that none of the 8 neighbours of the same class exceeds, 0 elsewhere.

    Args:
        scores: (B, K, R, C).
    """
    return scores * (scores >= functional.max_pool2d(scores, 3, 1, 1))


def best_cells(scores: Tensor) -> Tensor:
    """Keep the best score of each class, 0 elsewhere: (B, K, R, C) -> the same."""
    return scores * (scores >= scores.amax((2, 3), keepdim=True))


def build_strip_grid(spec: ModelSpec = STRIP_SPEC) -> GridDetector:
    """Build the detector that gives every local maximum, with random weights.

    Args:
        spec: its number of classes shapes the head.
    """
    return GridDetector(spec, GridNetwork(len(spec.class_names)))


def build_strip_grid_single(spec: ModelSpec = STRIP_SPEC) -> GridDetector:
    """Build the detector that gives one candidate a class: its best cell."""
    return GridDetector(spec, GridNetwork(len(spec.class_names)), best_only=True)


GRID_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], GridDetector]] = {
    "strip-grid": build_strip_grid,
    "strip-grid-single": build_strip_grid_single,
}
"""Builders by architecture: of many targets a class, and of one."""
