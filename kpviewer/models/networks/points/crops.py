"""Crops of images on their device, and conversion of points in crops to points in images."""

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.networks.boxes import cxcywh_to_xyxy, size_wh, xyxy_to_cxcywh

_SAMPLES = 2
"""Samples per side of each output pixel, so that regions up to four times a crop don't alias."""


def regions_around(xyxy: Tensor, margin: float | Tensor, crop_hw: tuple[int, int]) -> Tensor:
    """Return regions around boxes, in the proportions of a crop.

    Args:
        xyxy: (..., 4) boxes; sides are raised to 1 px.
        margin: side of the region over that of the box, for the side that fits tighter.
        crop_hw: size of the crops, px.

    Returns:
        (..., 4) xyxy, centred on the boxes; they may extend beyond the image.
    """
    boxes = xyxy_to_cxcywh(xyxy)
    crop = size_wh(crop_hw, boxes)
    ratio = (boxes[..., 2:].clamp(min=1.0) / crop).amax(-1, keepdim=True)  # px a crop px
    return cxcywh_to_xyxy(torch.cat([boxes[..., :2], ratio * margin * crop], -1))


def crops_of(images: Tensor, regions: Tensor, crop_hw: tuple[int, int]) -> Tensor:
    """Resample regions of images to crops.

    Args:
        images: (B, 3, H, W) float.
        regions: (B, R, 4) xyxy, px of the images.
        crop_hw: size of the crops, px.

    Returns:
        (B, R, 3, h, w) float32; 0, the mean colour of a normalised image, outside the image.
    """
    count = regions.shape[1]
    height, width = (side * _SAMPLES for side in crop_hw)
    size = size_wh((images.shape[2], images.shape[3]), regions)
    low = regions[..., :2] / size * 2 - 1  # (B, R, 2)
    span = (regions[..., 2:] - regions[..., :2]) / size * 2
    steps_x = (torch.arange(width, device=regions.device, dtype=low.dtype) + 0.5) / width
    steps_y = (torch.arange(height, device=regions.device, dtype=low.dtype) + 0.5) / height
    x = (low[..., 0, None] + span[..., 0, None] * steps_x)[:, :, None, :]  # (B, R, 1, w)
    y = (low[..., 1, None] + span[..., 1, None] * steps_y)[:, :, :, None]  # (B, R, h, 1)
    grid = torch.stack([x + 0 * y, y + 0 * x], -1).flatten(1, 2)  # (B, R * h, w, 2)
    seen = functional.grid_sample(
        images.float(), grid, padding_mode="zeros", align_corners=False
    )  # (B, 3, R * h, w)
    seen = functional.avg_pool2d(seen, _SAMPLES)
    return seen.reshape(images.shape[0], -1, count, *crop_hw).transpose(1, 2)


def points_from_crops(points_n: Tensor, regions: Tensor) -> Tensor:
    """Convert (..., K, 2) normalised points of crops to (..., K, 2), px of the images."""
    low, high = regions[..., None, :2], regions[..., None, 2:]
    return low + (points_n + 1) / 2 * (high - low)
