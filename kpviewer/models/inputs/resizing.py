"""Resizing of images on their device, by the rounding of OpenCV."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.spec import Sampling

_BITS = 11
"""Bits of OpenCV's weights of 8-bit pixels."""


def resized(pixels: Tensor, size_hw: tuple[int, int], sampling: Sampling) -> Tensor:
    """Resize images as ``runtime.letterboxing`` does on the host.

    Args:
        pixels: (B, 3, H, W) float of whole numbers in [0, 255].
        size_hw: new height and width, px.
        sampling: way of a model. ``LINEAR`` gives the result of ``cv2.INTER_LINEAR`` on 8-bit
            pixels to the last bit; what averages areas may differ from the host by a level.

    Returns:
        (B, 3, h, w) float.
    """
    if tuple(pixels.shape[2:]) == size_hw:
        return pixels
    if sampling is not Sampling.LINEAR:
        is_smooth = sampling is not Sampling.LINEAR_FLOAT
        exact = functional.interpolate(
            pixels, size_hw, mode="bilinear", antialias=is_smooth, align_corners=False
        )
        return exact.round().clamp(0, 255) if is_smooth else exact
    left, right, right_weights = _neighbours(pixels.shape[3], size_hw[1], pixels.device)
    top, bottom, bottom_weights = _neighbours(pixels.shape[2], size_hw[0], pixels.device)
    whole, one = pixels.int(), 1 << _BITS
    rows = whole[..., left] * (one - right_weights) + whole[..., right] * right_weights
    upper = (one - bottom_weights)[:, None] * (rows[..., top, :] >> 4) >> 16
    lower = bottom_weights[:, None] * (rows[..., bottom, :] >> 4) >> 16
    return (upper + lower + 2 >> 2).float()


def _neighbours(old: int, new: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the two pixels that each new one lies between, and the weight of the second."""
    places = (torch.arange(new, dtype=torch.float64, device=device) + 0.5) * (1 / (new / old)) - 0.5
    places = places.float()  # as OpenCV rounds them, and with them the weights
    first = places.floor()
    weights = ((places - first) * (1 << _BITS)).round().int()
    last = old - 1
    return first.clamp(0, last).long(), (first + 1).clamp(0, last).long(), weights
