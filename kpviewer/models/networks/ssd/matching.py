"""Matching of anchors to ground-truth boxes."""

from __future__ import annotations

import torch
from torch import Tensor

UNMATCHED = -1
"""Index of an anchor without a ground-truth box."""


def match_boxes(iou: Tensor, threshold: float) -> Tensor:
    """Match anchors to ground-truth boxes: greedy bipartite first, then by threshold.

    The pair with the largest IoU is matched and its row and column removed, until every
    ground-truth box has an anchor. Each free anchor is then matched to the ground-truth box of its
    largest IoU, if that reaches the threshold.

    Args:
        iou: (B, T, P) IoU of T ground-truth boxes and P anchors; rows of padding are negative.
        threshold: IoU in [0, 1] from which a free anchor is matched.

    Returns:
        (B, P) int64 index of the ground-truth box, or UNMATCHED.

    Source: Liu et al. 2016, SSD, section 2.2, "Matching strategy" (arXiv:1512.02325).
    """
    batch, ground_truths, anchors = iou.shape
    if ground_truths == 0:
        return torch.full((batch, anchors), UNMATCHED, device=iou.device)
    best_overlap, best_ground_truth = iou.max(1)  # (B, P)
    matched = torch.where(best_overlap >= threshold, best_ground_truth, UNMATCHED)
    # a box loses at most T - 1 anchors to others, so only its T best matter
    overlaps, candidates = iou.topk(min(ground_truths, anchors), dim=2)  # (B, T, K)
    width = overlaps.shape[2]
    rows = torch.arange(batch, device=iou.device)
    for _ in range(ground_truths):  # one pair per image and step, for the whole batch at once
        value, flat = overlaps.flatten(1).max(1)
        ground_truth = flat // width
        anchor = candidates.flatten(1)[rows, flat]
        real = value >= 0  # padding and removed rows are negative
        matched[rows, anchor] = torch.where(real, ground_truth, matched[rows, anchor])
        overlaps[rows, ground_truth] = -1.0
        overlaps.masked_fill_(candidates == anchor[:, None, None], -1.0)
    return matched
