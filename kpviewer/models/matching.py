"""Which default box answers for which true box."""

from __future__ import annotations

import torch
from torch import Tensor

UNMATCHED = -1


def match_boxes(iou: Tensor, threshold: float) -> Tensor:
    """Give each default box a true one: greedy bipartite first, then by threshold.

    The largest overlap of the matrix binds its pair and strikes its row and column, until every true
    box has a default box; then each free default box joins its best true box over the threshold.

    Args:
        iou: (B, T, P) overlaps of T true and P default boxes; rows of padding are all negative.
        threshold: overlap in [0, 1] from which a free default box joins.

    Returns:
        (B, P) int64 index of the true box, or UNMATCHED.

    Source: Liu et al. 2016, SSD, section 2.2, "Matching strategy" (arXiv:1512.02325).
    """
    batch, truths, priors = iou.shape
    if truths == 0:
        return torch.full((batch, priors), UNMATCHED, device=iou.device)
    best_overlap, best_truth = iou.max(1)  # (B, P)
    matched = torch.where(best_overlap >= threshold, best_truth, UNMATCHED)
    remaining = iou.clone()
    rows = torch.arange(batch, device=iou.device)
    for _ in range(truths):  # one pair a picture and step: the whole batch at once
        value, flat = remaining.flatten(1).max(1)
        truth, prior = flat // priors, flat % priors
        real = value >= 0  # padding and struck rows are negative
        kept = matched[rows, prior]
        matched[rows, prior] = torch.where(real, truth, kept)
        remaining[rows, truth] = -1.0
        remaining[rows, :, prior] = -1.0
    return matched
