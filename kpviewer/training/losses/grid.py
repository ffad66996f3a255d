"""Losses of a grid keypoint detector: assignment of targets to cells, and the loss of each part.

loss = MSE(offsets of positive cells) + u * cross-entropy(positives and hardest negatives)
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.networks.grid import STRIDE, GridHeads, cell_centres
from kpviewer.training.data.datasets import IGNORED, Batch
from kpviewer.training.losses.ssd import hard_negatives
from kpviewer.training.ranges import Count, NotNegative, Positive


@dataclass(frozen=True, slots=True)
class GridLossOptions:
    """Assignment of cells to targets, and weights of the parts."""

    reach: Positive = 0.6
    """Largest distance between the centres of a positive cell and its target, along either axis, in
    cells. Above 0.5, both neighbours of a border are positive for a target on the border: with 0.5
    they would share the score, and neither would reach a threshold."""
    doubt: Positive = 0.75
    """Largest distance of cells that are ignored: neither positive nor negative."""
    class_weight: NotNegative = 0.05
    """Weight u of the class loss. Offsets are in cells: an error of 1 px is an MSE of 0.001."""
    negatives: Count = 10
    """Number of hardest negative cells for each positive one, and for an image without any."""


class GridTargets(NamedTuple):
    """Targets of each of the P = R * C cells, row by row."""

    class_ids: Tensor
    """(B, P) int64; 0 is background, 1 the first class."""
    offsets: Tensor
    """(B, P, 2) (dx, dy) of the target's centre, in cells; meaningless for background."""
    ignored: Tensor
    """(B, P) bool: neither positive nor negative."""


def assign(batch: Batch, shape_rc: tuple[int, int], options: GridLossOptions) -> GridTargets:
    """Assign to every cell the nearest target within its reach.

    The first keypoint of an object is the target; an object without it is ignored.
    """
    centres_xy, is_known = batch.points_xy[:, :, 0], batch.labelled[:, :, 0]
    ids = torch.where(is_known | (batch.class_ids < 0), batch.class_ids, IGNORED)  # (B, T)
    cells = cell_centres(shape_rc, centres_xy.device)  # (P, 2)
    gaps = (centres_xy[:, :, None] - cells) / STRIDE  # (B, T, P, 2)
    far = gaps.abs().amax(-1)  # (B, T, P)
    real = (ids >= 0)[..., None]
    nearest, index = far.masked_fill(~real, torch.inf).min(1)  # (B, P)
    positive = nearest <= options.reach
    class_ids = torch.where(positive, ids.gather(1, index) + 1, 0)
    row = index[:, None, :, None].expand(-1, 1, -1, 2)
    known = real | (ids == IGNORED)[..., None]
    doubtful = ((far <= options.doubt) & known).any(1)
    return GridTargets(class_ids, gaps.gather(1, row)[:, 0], doubtful & ~positive)


class GridLosses(NamedTuple):
    """Weighted parts of the loss; scalars."""

    offsets: Tensor
    classes: Tensor


def grid_losses(heads: GridHeads, batch: Batch, options: GridLossOptions) -> GridLosses:
    """Compare predictions with ground truth.

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
