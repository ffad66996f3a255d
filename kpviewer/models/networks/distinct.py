"""Selection of the best distinct boxes, with outputs of constant shape."""

import torch
from torch import Tensor

from kpviewer.models.networks.boxes import iou_matrix

SAME_OBJECT_IOU = 0.55
"""IoU above which two boxes are the same object."""


def distinct(xyxy: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the best candidates that don't overlap a better one.

    Args:
        xyxy: (B, M, 4) boxes by descending score.
        count: largest number of objects per image.

    Returns:
        (B, R) int64 indices, R = min(M, count), best first, and (B, R) bool: whether the row is a
        distinct object. Rows past the last object repeat one.

    Source: Bolya et al. 2019, YOLACT, section 3.5, "Fast NMS" (arXiv:1904.02689).
    """
    total = xyxy.shape[1]
    better = torch.ones(total, total, device=xyxy.device).tril(-1) > 0
    is_first = ~((iou_matrix(xyxy, xyxy) > SAME_OBJECT_IOU) & better).any(-1)  # (B, M)
    order = torch.arange(total, device=xyxy.device)
    rank = torch.where(is_first, total - order, -order)  # objects first, in order
    rows = rank.topk(min(count, total), dim=1).indices
    return rows, is_first.gather(1, rows)
