"""Which anchor answers for which true box."""

from __future__ import annotations

import torch
from torch import Tensor

UNMATCHED = -1


def match_boxes(iou: Tensor, threshold: float) -> Tensor:
    """Give each anchor a true one: greedy bipartite first, then by threshold.

    The largest overlap of the matrix binds its pair and strikes its row and column, until every
    true box has an anchor; then each free anchor joins its best true box over the
    threshold.

    Args:
        iou: (B, T, P) overlaps of T true and P anchors; rows of padding are all negative.
        threshold: overlap in [0, 1] from which a free anchor joins.

    Returns:
        (B, P) int64 index of the true box, or UNMATCHED.

    Source: Liu et al. 2016, SSD, section 2.2, "Matching strategy" (arXiv:1512.02325).
    """
    batch, ground_truths, anchors = iou.shape
    if ground_truths == 0:
        return torch.full((batch, anchors), UNMATCHED, device=iou.device)
    best_overlap, best_ground_truth = iou.max(1)  # (B, P)
    matched = torch.where(best_overlap >= threshold, best_ground_truth, UNMATCHED)
    # A true box loses at most T - 1 anchors to others, so its T best are all it may get.
    overlaps, candidates = iou.topk(min(ground_truths, anchors), dim=2)  # (B, T, K)
    width = overlaps.shape[2]
    rows = torch.arange(batch, device=iou.device)
    for _ in range(ground_truths):  # one pair an image and step: the whole batch at once
        value, flat = overlaps.flatten(1).max(1)
        ground_truth = flat // width
        anchor = candidates.flatten(1)[rows, flat]
        real = value >= 0  # padding and struck rows are negative
        matched[rows, anchor] = torch.where(real, ground_truth, matched[rows, anchor])
        overlaps[rows, ground_truth] = -1.0
        overlaps.masked_fill_(candidates == anchor[:, None, None], -1.0)
    return matched
