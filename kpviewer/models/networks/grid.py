"""A grid keypoint detector: one coarse map, one size of target, no NMS.

Each cell of 32 x 32 px predicts whether a target is centred in it, its class, and its position. The
position is the mean of a heat map over a window around the cell. The network therefore only
predicts how much each 8 x 8 px patch resembles the centre of a target, and the mean follows the
target by fractions of a pixel. Predicting the position from the channels of a stride of 32 px would
need many more of them.

Sources: the single map with offsets, Redmon et al. 2016, YOLO (arXiv:1506.02640), section 2; the
mean of a heat map as a coordinate, Nibali et al. 2018, DSNT (arXiv:1801.07372), eq. 4.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.base import DecodedBatch
from kpviewer.models.networks.backbones.light import ConvUnit, start_small
from kpviewer.models.networks.boxes import size_wh
from kpviewer.models.spec import ModelSpec, Task

STRIDE = 32
"""Input px per cell."""
HEAT_STRIDE = 8
"""Input px per value of the heat map."""
WINDOW = 8
"""Side of the window around a cell, in values of the heat map: 64 px, centred on the cell. Targets
closer than about two cells blur each other's position."""
HEAT_BOUND = 6.0
"""Bound of the heat, which is in (-6, 6): a peak outweighs 160,000 values of background, and the
sum of a window of peaks, 64 * exp(6), still fits in half precision."""
MAX_CANDIDATES = 64
"""Candidates per image."""
TARGET_WH = (30.0, 30.0)
"""Width and height of a target's box, input px."""

STRIP_SPEC = ModelSpec(
    name="strip-grid",
    architecture="strip-grid",
    task=Task.DETECT_KEYPOINTS,
    class_names=("fi", "hb"),
    keypoint_names=("centre",),
    # a square limit, so that strips keep their size in either orientation
    input_hw=(1920, 1920),
    stride=STRIDE,
    licence="GPL-3.0-or-later",
)


class GridHeads(NamedTuple):
    """Predictions of each of the R x C cells of B images, for K classes."""

    offsets: Tensor
    """(B, 2, R, C) dx, dy from the cell's centre to the target's, in cells; within 0.875."""
    class_logits: Tensor
    """(B, 1 + K, R, C) logits; class 0 is the background."""


class GridNetwork(nn.Module):
    """A plain backbone to stride 32, with a heat map read at stride 8.

    Args:
        num_classes: number of classes K, without the background.
    """

    target_wh: Tensor
    """Width and height of every target's box, input px; stored with the weights."""
    _moments: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        # 4x4 patches, then stride 8 at once: at 1920 x 320 the first maps take most of the time
        stem = nn.Sequential(nn.Conv2d(3, 16, 4, 4, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.fine = nn.Sequential(stem, ConvUnit(16, 32, stride=2), ConvUnit(32, 32))
        self.coarse = nn.Sequential(
            ConvUnit(32, 32, stride=2), ConvUnit(32, 32),
            ConvUnit(32, 48, stride=2), ConvUnit(48, 48),
        )  # fmt: skip
        self.heat = nn.Conv2d(32, 1, 3, padding=1)  # each value sees 44 x 44 px
        self.classes = nn.Conv2d(48, 1 + num_classes, 1)
        self.register_buffer("target_wh", torch.tensor(TARGET_WH))
        self.register_buffer("_moments", _moment_kernels(), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Start every cell at a probability of 0.99 for background, as most cells are."""
        for layer in (self.heat, self.classes):
            start_small(layer)
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
    """Return kernels that sum x * weight, y * weight and weight over a window.

    Their shape is (3, 1, WINDOW, WINDOW). x and y are the centres of the heat map's patches, from
    the window's centre, in cells.
    """
    steps = (torch.arange(WINDOW) - (WINDOW - 1) / 2) * HEAT_STRIDE / STRIDE
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)])[:, None]


class GridDetector:
    """A grid network with its description and decoding."""

    def __init__(self, spec: ModelSpec, network: GridNetwork, *, best_only: bool = False) -> None:
        self.spec = spec
        self.network = network
        self._best_only = best_only

    def decode(self, raw: GridHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode the best cells to boxes of the target's size around the centres.

        Returns:
            M rows per image by descending best score, boxes clipped to the input. M is K with
            ``best_only``, else min(R * C, 64).
        """
        scores = raw.class_logits.float().softmax(1)[:, 1:]  # (B, K, R, C)
        kept = best_cells(scores) if self._best_only else local_maxima(scores)
        rows = kept.flatten(2).transpose(1, 2)  # (B, R * C, K)
        count = rows.shape[2] if self._best_only else MAX_CANDIDATES
        best = rows.amax(-1).topk(min(count, rows.shape[1]), dim=1).indices  # (B, M)
        centres = cell_centres(raw.offsets.shape[2:], raw.offsets.device)  # (R * C, 2)
        centres = (raw.offsets.float().flatten(2).transpose(1, 2) * STRIDE) + centres
        batch = torch.arange(best.shape[0], device=best.device)[:, None]
        points = centres[batch, best]  # (B, M, 2)
        half = self.network.target_wh.to(points.device, torch.float32) / 2  # runners move copies
        limit = size_wh(input_hw, points).repeat(2)  # here: the order is that of the shipped graph
        xyxy = torch.cat([points - half, points + half], -1).clamp(min=0)
        return DecodedBatch(torch.minimum(xyxy, limit), rows[batch, best], points[:, :, None])


def cell_centres(shape_rc: torch.Size | tuple[int, int], device: torch.device) -> Tensor:
    """Return the centres of the cells, row by row: (R * C, 2) float32 x, y, input px."""
    y, x = torch.meshgrid(
        *(torch.arange(side, device=device) + 0.5 for side in shape_rc), indexing="ij"
    )
    return torch.stack([x, y], -1).reshape(-1, 2) * STRIDE


def local_maxima(scores: Tensor) -> Tensor:
    """Keep the scores that none of the 8 neighbours of the same class exceeds; 0 elsewhere.

    Args:
        scores: (B, K, R, C) scores.
    """
    return scores * (scores >= functional.max_pool2d(scores, 3, 1, 1))


def best_cells(scores: Tensor) -> Tensor:
    """Keep the best score of each class; 0 elsewhere: (B, K, R, C) -> the same."""
    return scores * (scores >= scores.amax((2, 3), keepdim=True))


def build_strip_grid(spec: ModelSpec = STRIP_SPEC) -> GridDetector:
    """Build the detector of every local maximum, with random weights."""
    return GridDetector(spec, GridNetwork(len(spec.class_names)))


def build_strip_grid_single(spec: ModelSpec = STRIP_SPEC) -> GridDetector:
    """Build the detector of one candidate per class, its best cell, with random weights."""
    return GridDetector(spec, GridNetwork(len(spec.class_names)), best_only=True)


GRID_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], GridDetector]] = {
    "strip-grid": build_strip_grid,
    "strip-grid-single": build_strip_grid_single,
}
"""Builders by architecture: for many targets per class, and for one."""
