"""Losses of point networks, on coordinates or on heatmaps; unlabelled points are left out."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.networks.points.heads import cell_centres, soft_argmax
from kpviewer.training.ranges import NotNegative, Positive

LossKind: TypeAlias = Literal["mse", "l1", "smooth-l1", "wing"]
KINDS: tuple[str, ...] = get_args(LossKind)


@dataclass(frozen=True, slots=True)
class PointLossOptions:
    """Loss of the distance of a point from the ground truth."""

    kind: LossKind = "wing"
    """Loss on coordinates; heatmaps are compared by squared differences."""
    coordinate_weight: NotNegative = 0.0
    """Weight of the loss on coordinates read from heatmaps, beside the loss on the heatmaps; 0:
    none. Its unit is half an input side."""
    smooth_l1_beta: Positive = 0.05
    """Error at which smooth L1 turns from quadratic to linear; 1 is half a side of the input."""
    wing_px: Positive = 10.0
    """Width w of the wing loss: it weighs errors up to w more, input px."""
    wing_epsilon_px: Positive = 2.0
    """Curvature epsilon of the wing loss, input px."""
    heat_sigma: Positive = 2.0
    """Standard deviation of the Gaussian around a point, cells of the heatmap."""


def coordinate_loss(
    found_n: Tensor,
    target_n: Tensor,
    labelled: Tensor,
    input_hw: tuple[int, int],
    options: PointLossOptions,
) -> Tensor:
    """Compute the mean loss of the coordinates of labelled points.

    Args:
        found_n: (B, K, 2) normalised.
        target_n: (B, K, 2) normalised; anything where not labelled.
        labelled: (B, K) bool.
        input_hw: input size, px, for the wing loss.
        options: kind of the loss.

    Returns:
        A scalar in units of half an input side (its square for "mse"); 0 without labelled points.
    """
    gap = (found_n.float() - target_n)[labelled]  # (N, 2)
    count = max(1, gap.numel())
    if options.kind == "mse":
        return gap.square().sum() / count
    if options.kind == "l1":
        return gap.abs().sum() / count
    if options.kind == "smooth-l1":
        zero = torch.zeros_like(gap)
        beta = options.smooth_l1_beta
        return functional.smooth_l1_loss(gap, zero, reduction="sum", beta=beta) / count
    half = gap.new_tensor([input_hw[1], input_hw[0]]) / 2
    loss_px = wing(gap * half, options.wing_px, options.wing_epsilon_px)
    return (loss_px / half).sum() / count


def wing(error: Tensor, width: float, epsilon: float) -> Tensor:
    """Compute the wing loss of each error: logarithmic near 0, linear from ``width`` on.

    Source: Feng et al. 2018, Wing loss (arXiv:1711.06753), eq. 5.
    """
    size = error.abs()
    offset = width - width * math.log(1 + width / epsilon)
    return torch.where(size < width, width * torch.log1p(size / epsilon), size - offset)


def heat_loss(heat: Tensor, target_n: Tensor, labelled: Tensor, sigma: float) -> Tensor:
    """Compute the squared difference from Gaussians: sum of a heatmap, mean of labelled points.

    Args:
        heat: (B, K, h, w).
        target_n: (B, K, 2) normalised positions of the peaks.
        labelled: (B, K) bool.
        sigma: standard deviation of the Gaussians, cells.
    """
    target = gaussians(target_n, (heat.shape[2], heat.shape[3]), sigma)
    apart = (heat.float() - target).square().sum((2, 3))  # (B, K)
    return apart[labelled].sum() / labelled.sum().clamp(min=1)


def read_heat_loss(
    heat: Tensor,
    target_n: Tensor,
    labelled: Tensor,
    input_hw: tuple[int, int],
    options: PointLossOptions,
) -> Tensor:
    """Compare heatmaps with Gaussians, as ``heat_loss``, and positions as ``coordinate_loss``.

    The first loss alone ignores the effect of the tails on a soft-argmax; the second alone lets a
    heatmap take any shape.

    Source: Nibali et al. 2018, DSNT (arXiv:1801.07372), eq. 5 and 7, with Gaussians compared by
    squared differences.
    """
    shape = heat_loss(heat, target_n, labelled, options.heat_sigma)
    if not options.coordinate_weight:
        return shape
    positions = soft_argmax(heat)
    gap = coordinate_loss(positions, target_n, labelled, input_hw, options)
    return shape + options.coordinate_weight * gap


def gaussians(points_n: Tensor, heat_hw: tuple[int, int], sigma: float) -> Tensor:
    """Return heatmaps with a peak of 1 at each of (B, K, 2) normalised points: (B, K, h, w)."""
    height, width = heat_hw
    x = (cell_centres(width, points_n.device) - points_n[..., :1]) * (width / 2)  # (B, K, w) cells
    y = (cell_centres(height, points_n.device) - points_n[..., 1:]) * (height / 2)
    across, down = ((-(offset**2) / (2 * sigma**2)).exp() for offset in (x, y))
    return down[..., :, None] * across[..., None, :]
