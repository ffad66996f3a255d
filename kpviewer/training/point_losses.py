"""Losses of point networks: on coordinates, or on heatmaps; unlabelled points teach nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.errors import DatasetError
from kpviewer.models.point_heads import cell_centres, soft_argmax

KINDS = ("mse", "l1", "smooth-l1", "wing")


@dataclass(frozen=True, slots=True)
class PointLossOptions:
    """What the distance of a point costs."""

    kind: str = "wing"
    """One of KINDS, on coordinates; heatmaps are compared by their squares."""
    coordinate_weight: float = 0.0
    """Of the same loss on the coordinates that are read from heatmaps, in half an input side,
    beside the heatmaps' own."""
    smooth_l1_beta: float = 0.05
    """Where smooth L1 turns from square to straight; 1 is half a side of the input."""
    wing_px: float = 10.0
    """w of the wing loss: up to this error it weighs small errors more, input px."""
    wing_epsilon_px: float = 2.0
    heat_sigma: float = 2.0
    """Of the Gaussian around a point, cells of the heatmap."""

    def __post_init__(self) -> None:
        """Check what the loss relies on."""
        if self.kind not in KINDS:
            raise DatasetError(f"loss.kind must be one of {', '.join(KINDS)}, got {self.kind!r}.")
        lengths = (self.smooth_l1_beta, self.wing_px, self.wing_epsilon_px, self.heat_sigma)
        if min(lengths) <= 0:
            raise DatasetError(f"The lengths of [loss] must be positive, got {lengths}.")
        if self.coordinate_weight < 0:
            raise DatasetError(
                f"loss.coordinate_weight must be 0 or more, got {self.coordinate_weight}."
            )


def coordinate_loss(
    found_n: Tensor,
    wanted_n: Tensor,
    labelled: Tensor,
    input_hw: tuple[int, int],
    options: PointLossOptions,
) -> Tensor:
    """Mean over the coordinates of labelled points.

    Args:
        found_n: (B, K, 2) normalised.
        wanted_n: (B, K, 2) normalised; anything where not labelled.
        labelled: (B, K) bool.
        input_hw: input size, px, for the wing loss.
        options: which loss.

    Returns:
        A scalar in units of half an input side (its square for "mse"); 0 without labelled points.
    """
    gap = (found_n.float() - wanted_n)[labelled]  # (N, 2)
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
    """Wing loss of each error: a logarithm near 0, straight from ``width`` on.

    Source: Feng et al. 2018, Wing loss (arXiv:1711.06753), eq. 5.
    """
    size = error.abs()
    offset = width - width * math.log(1 + width / epsilon)
    return torch.where(size < width, width * torch.log1p(size / epsilon), size - offset)


def heat_loss(heat: Tensor, wanted_n: Tensor, labelled: Tensor, sigma: float) -> Tensor:
    """Squared difference from Gaussians, summed over a heatmap, mean over labelled points.

    Args:
        heat: (B, K, h, w).
        wanted_n: (B, K, 2) normalised places of the peaks.
        labelled: (B, K) bool.
        sigma: of the Gaussians, cells.
    """
    wanted = gaussians(wanted_n, (heat.shape[2], heat.shape[3]), sigma)
    apart = (heat.float() - wanted).square().sum((2, 3))  # (B, K)
    return apart[labelled].sum() / labelled.sum().clamp(min=1)


def read_heat_loss(
    heat: Tensor,
    wanted_n: Tensor,
    labelled: Tensor,
    input_hw: tuple[int, int],
    options: PointLossOptions,
) -> Tensor:
    """Heatmaps against Gaussians, and the places read from them against the true ones.

    The first alone says nothing of what a soft-argmax makes of the tails; the second alone lets a
    heatmap take any shape.

    Args:
        heat: (B, K, h, w).
        wanted_n: (B, K, 2) normalised places.
        labelled: (B, K) bool.
        input_hw: input size, px, for the wing loss.
        options: which losses.

    Source: Nibali et al. 2018, DSNT (arXiv:1801.07372), eq. 5 and 7, with Gaussians compared by
    their squares.
    """
    shape = heat_loss(heat, wanted_n, labelled, options.heat_sigma)
    if not options.coordinate_weight:
        return shape
    places = soft_argmax(heat)
    gap = coordinate_loss(places, wanted_n, labelled, input_hw, options)
    return shape + options.coordinate_weight * gap


def gaussians(points_n: Tensor, heat_hw: tuple[int, int], sigma: float) -> Tensor:
    """Heatmaps with a peak of height 1 at each of (B, K, 2) normalised points: (B, K, h, w)."""
    height, width = heat_hw
    x = (cell_centres(width, points_n.device) - points_n[..., :1]) * (width / 2)  # (B, K, w) cells
    y = (cell_centres(height, points_n.device) - points_n[..., 1:]) * (height / 2)
    across, down = ((-(offset**2) / (2 * sigma**2)).exp() for offset in (x, y))
    return down[..., :, None] * across[..., None, :]
