"""What a grid keypoint detector is trained to do: the targets of each cell and the losses on them.

loss = MSE(offsets of positive cells) + u * cross-entropy(positives and hardest negatives)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.grid import STRIDE, GridHeads, cell_centres
from kpviewer.training.datasets import IGNORED
from kpviewer.training.losses import hard_negatives


@dataclass(frozen=True, slots=True)
class GridLossOptions:
    """Which cells answer for a target, and the weights of the parts."""

    reach: float = 0.6
    """A cell is positive if the target's centre is at most that far from its own along either axis,
    in cells. Over 0.5, both neighbours of a border answer for what lies on it: with 0.5 they would
    share the score, and neither would reach a threshold."""
    doubt: float = 0.75
    """Cells up to that far are neither positive nor negative."""
    class_weight: float = 0.05
    """u. Offsets are in cells, so an error of 1 px is an MSE of 0.001."""
    negatives: int = 10
    """Hardest negative cells for each positive one, and for an image without any."""


class GridBatch(NamedTuple):
    """B images and their T targets each, padded."""

    images: Tensor
    """(B, 3, H, W) uint8 RGB."""
    centres_xy: Tensor
    """(B, T, 2) float32, input px; 0 where padded."""
    class_ids: Tensor
    """(B, T) int64, without background; PADDED (-1), or IGNORED (-2) for what teaches nothing."""


class GridTargets(NamedTuple):
    """What each of the P = R * C cells should say, row by row."""

    class_ids: Tensor
    """(B, P) int64; 0 is background, 1 the first class."""
    offsets: Tensor
    """(B, P, 2) (dx, dy) of the target's centre, in cells; meaningless for background."""
    ignored: Tensor
    """(B, P) bool: neither positive nor negative."""


def assign(batch: GridBatch, shape_rc: tuple[int, int], options: GridLossOptions) -> GridTargets:
    """Give every cell the nearest target within its reach.

    Args:
        batch: the ground truth of B images.
        shape_rc: rows and columns of the grid.
        options: the reach.
    """
    cells = cell_centres(shape_rc, batch.centres_xy.device)  # (P, 2)
    gaps = (batch.centres_xy[:, :, None] - cells) / STRIDE  # (B, T, P, 2)
    far = gaps.abs().amax(-1)  # (B, T, P)
    real = (batch.class_ids >= 0)[..., None]
    nearest, index = far.masked_fill(~real, torch.inf).min(1)  # (B, P)
    positive = nearest <= options.reach
    class_ids = torch.where(positive, batch.class_ids.gather(1, index) + 1, 0)
    row = index[:, None, :, None].expand(-1, 1, -1, 2)
    known = real | (batch.class_ids == IGNORED)[..., None]
    doubtful = ((far <= options.doubt) & known).any(1)
    return GridTargets(class_ids, gaps.gather(1, row)[:, 0], doubtful & ~positive)


class GridLosses(NamedTuple):
    """The parts of the loss, each already weighted; scalars."""

    offsets: Tensor
    classes: Tensor


def grid_losses(heads: GridHeads, batch: GridBatch, options: GridLossOptions) -> GridLosses:
    """Compare predictions with ground truth.

    Args:
        heads: predictions of B images.
        batch: their ground truth, on the same device.
        options: reach and weights.

    Returns:
        The mean of (dx - dx*)^2 and (dy - dy*)^2 over positive cells, 0 without any; and u times
        the mean cross-entropy over positive cells and the hardest negative ones.
    """
    targets = assign(batch, (heads.offsets.shape[2], heads.offsets.shape[3]), options)
    positive = targets.class_ids > 0  # (B, P)
    gap = heads.offsets.flatten(2).transpose(1, 2) - targets.offsets  # (B, P, 2)
    offsets = (gap.square().mean(-1) * positive).sum() / positive.sum().clamp(min=1)
    entropy = functional.cross_entropy(
        heads.class_logits.flatten(2), targets.class_ids, reduction="none"
    )  # (B, P)
    counted = positive | hard_negatives(entropy, positive, targets.ignored, options.negatives)
    classes = (entropy * counted).sum() / counted.sum().clamp(min=1)
    return GridLosses(offsets, options.class_weight * classes)
