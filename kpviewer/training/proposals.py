"""Boxes as a detector would find them: true ones, a little off."""

from __future__ import annotations

import torch
from torch import Tensor

COPIES = 2
"""Proposals of each object: regions cost little beside the image that they share."""
_SPREAD = 0.07
"""Standard deviation of each side of a proposal, over the box's width or height: an overlap with
the true box of about 0.8, which is what the detector's own boxes have."""


def proposals_of(xyxy: Tensor) -> Tensor:
    """Shake true boxes.

    Args:
        xyxy: (B, T, 4) boxes, input px.

    Returns:
        (B, T * COPIES, 4): the copies of a box follow each other; sides of at least 1 px.
    """
    boxes = xyxy.repeat_interleave(COPIES, dim=1)
    size = boxes[..., 2:] - boxes[..., :2]
    shaken = boxes + torch.randn_like(boxes) * _SPREAD * torch.cat([size, size], -1)
    corner = shaken[..., :2]
    return torch.cat([corner, torch.maximum(shaken[..., 2:], corner + 1)], -1)
