"""Proposals for training: boxes of the ground truth with random errors like a detector's."""

from __future__ import annotations

import torch
from torch import Tensor

COPIES = 2
"""Number of proposals of each object: RoIs cost little beside the image that they share."""
_SPREAD = 0.07
"""Standard deviation of each side of a proposal, over the box's width or height. It gives an IoU of
about 0.8 with the ground truth, like that of the detector's own boxes."""


def proposals_of(xyxy: Tensor) -> Tensor:
    """Move boxes at random.

    Args:
        xyxy: (B, T, 4) boxes, input px.

    Returns:
        (B, T * COPIES, 4): copies of a box are adjacent; sides are at least 1 px.
    """
    boxes = xyxy.repeat_interleave(COPIES, dim=1)
    size = boxes[..., 2:] - boxes[..., :2]
    shaken = boxes + torch.randn_like(boxes) * _SPREAD * torch.cat([size, size], -1)
    corner = shaken[..., :2]
    return torch.cat([corner, torch.maximum(shaken[..., 2:], corner + 1)], -1)
