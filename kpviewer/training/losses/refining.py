"""Loss of a point refiner, on windows that are placed with the errors of a detector."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.networks.points.refiner import PointRefiner, frames_of, to_window, windows_of
from kpviewer.training.data.datasets import Batch

_TURN_RAD = math.radians(8)
_SCALE, _SHIFT = 0.1, 0.07
"""Standard deviations of the errors of a window: angle, size as a share, position in half windows.
A detector's errors are about half as large; refinement matters for its rare bad ones."""
_MIN_PX = 4.0
"""Half window on the image below which the label of a point is too inexact to learn from."""
_BETA = 0.02
"""Error at which smooth L1 turns from quadratic to linear, window units: two thirds of a pixel."""


def refiner_loss(refiner: PointRefiner, images: Tensor, batch: Batch) -> Tensor:
    """Compute the mean smooth L1 of the points of objects whose K points are known, window units.

    Returns:
        A scalar; 0 if no object can be used.
    """
    frames = shaken(frames_of(batch.points_xy, refiner.template))
    size = frames[..., :2].norm(dim=-1)  # (B, T)
    usable = batch.labelled.all(-1) & (batch.class_ids >= 0) & (size > _MIN_PX)
    if not usable.any():
        return images.new_zeros(())
    target = to_window(batch.points_xy[usable], frames[usable])
    rows = usable.any(0).nonzero()[:, 0]  # padding isn't worth resampling
    found = refiner.read(windows_of(images, frames[:, rows])[usable[:, rows]])
    return functional.smooth_l1_loss(found, target, beta=_BETA)


def shaken(frames: Tensor) -> Tensor:
    """Move (..., 4) window frames at random, like the errors of rough points."""
    noise = torch.randn_like(frames)
    scale = torch.exp(noise[..., 0] * _SCALE)
    turn = noise[..., 1] * _TURN_RAD
    a, b, x, y = frames.unbind(-1)
    size = torch.sqrt(a.square() + b.square())
    cosine, sine = scale * turn.cos(), scale * turn.sin()
    return torch.stack(
        [
            a * cosine - b * sine,
            b * cosine + a * sine,
            x + noise[..., 2] * _SHIFT * size,
            y + noise[..., 3] * _SHIFT * size,
        ],
        -1,
    )
