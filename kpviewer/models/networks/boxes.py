"""Boxes and keypoints as torch tensors: formats, overlap, and the offsets that networks regress."""

import torch
from torch import Tensor

VARIANCES = (0.1, 0.2)
"""Scales of centre and size offsets, as the authors of SSD train it (arXiv:1512.02325)."""


def constant(like: Tensor, *values: float) -> Tensor:
    """Return values as (N,), of the dtype and on the device of ``like``.

    Nothing is copied from the host: a CUDA graph can't hold that.
    """
    return torch.cat([like.new_full((1,), value) for value in values])


def size_wh(input_hw: tuple[int, int], like: Tensor) -> Tensor:
    """Return the width and height of an input: (2,), dtype and device of ``like``.

    A size that is traced stays a part of the graph, whose inputs then may have any size.
    """
    height, width = input_hw
    if isinstance(height, Tensor):
        return torch.stack([torch.as_tensor(side) for side in (width, height)]).to(like)
    return constant(like, width, height)


def xyxy_to_cxcywh(xyxy: Tensor) -> Tensor:
    """Convert (..., 4) corners to (..., 4) centre, width, height."""
    return torch.cat([(xyxy[..., :2] + xyxy[..., 2:]) / 2, xyxy[..., 2:] - xyxy[..., :2]], -1)


def cxcywh_to_xyxy(cxcywh: Tensor) -> Tensor:
    """Convert (..., 4) centre, width, height to (..., 4) corners."""
    half = cxcywh[..., 2:] / 2
    return torch.cat([cxcywh[..., :2] - half, cxcywh[..., :2] + half], -1)


def clipped(xyxy: Tensor, input_hw: tuple[int, int]) -> Tensor:
    """Clip (..., 4) boxes to an input of a size, px."""
    return torch.minimum(xyxy.clamp(min=0), size_wh(input_hw, xyxy).repeat(2))


def intersection(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Return the area shared by each pair of (..., N, 4) and (..., M, 4) boxes: (..., N, M)."""
    a, b = a_xyxy[..., :, None, :].unbind(-1), b_xyxy[..., None, :, :].unbind(-1)
    width = torch.minimum(a[2], b[2]) - torch.maximum(a[0], b[0])
    height = torch.minimum(a[3], b[3]) - torch.maximum(a[1], b[1])
    return width.clamp(min=0) * height.clamp(min=0)


def box_area(xyxy: Tensor) -> Tensor:
    """Return the area of (..., 4) boxes; 0 for inverted ones."""
    width, height = (xyxy[..., 2:] - xyxy[..., :2]).clamp(min=0).unbind(-1)
    return width * height


def iou_matrix(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Return the IoU of each pair of (..., N, 4) and (..., M, 4) boxes: (..., N, M)."""
    shared = intersection(a_xyxy, b_xyxy)
    union = box_area(a_xyxy)[..., :, None] + box_area(b_xyxy)[..., None, :] - shared
    return shared / union.clamp(min=1e-9)


def encode_boxes(xyxy: Tensor, anchors: Tensor) -> Tensor:
    """Encode boxes as the offsets that the network regresses.

    Args:
        xyxy: (..., P, 4) boxes, in the unit of ``anchors``; sides are raised to 1e-3.
        anchors: (..., P, 4) anchors as cxcywh.

    Returns:
        (..., P, 4) float (dx, dy, dw, dh), dimensionless.

    Source: Liu et al. 2016, SSD, eq. 2 (arXiv:1512.02325).
    """
    boxes = xyxy_to_cxcywh(xyxy)
    centre = (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:] / VARIANCES[0]
    size = torch.log(boxes[..., 2:].clamp(min=1e-3) / anchors[..., 2:]) / VARIANCES[1]
    return torch.cat([centre, size], -1)


def decode_boxes(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Decode regressed offsets to boxes, the inverse of ``encode_boxes``.

    Args:
        offsets: (..., P, 4) float offsets.
        anchors: (..., P, 4) anchors as cxcywh.

    Returns:
        (..., P, 4) float xyxy, in the unit of ``anchors``; not clipped to the image.
    """
    centre = offsets[..., :2] * VARIANCES[0] * anchors[..., 2:] + anchors[..., :2]
    # exp(4) is 55 times the anchor: only an untrained network exceeds it
    size = torch.exp((offsets[..., 2:] * VARIANCES[1]).clamp(max=4.0)) * anchors[..., 2:]
    return cxcywh_to_xyxy(torch.cat([centre, size], -1))


def encode_points(points_xy: Tensor, anchors: Tensor) -> Tensor:
    """Encode (..., P, K, 2) points as offsets from (..., P, 4) cxcywh anchors."""
    return (points_xy - anchors[..., None, :2]) / anchors[..., None, 2:] / VARIANCES[0]


def decode_points(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Decode offsets to (..., P, K, 2) points in the unit of ``anchors``."""
    return offsets * VARIANCES[0] * anchors[..., None, 2:] + anchors[..., None, :2]
