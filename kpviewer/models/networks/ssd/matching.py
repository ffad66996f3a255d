"""Matching of anchors to ground-truth boxes."""

import torch
from torch import Tensor

UNMATCHED = -1
"""Index of an anchor without a ground-truth box."""
LEAST_IOU = 0.2
"""IoU below which an anchor shows too little of a ground-truth box to learn it."""


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


def match_more(iou: Tensor, matched: Tensor, least: int) -> Tensor:
    """Match further anchors to ground-truth boxes that have few: those of unusual shapes.

    A ground-truth box with fewer than ``least`` anchors also gets those of its ``least`` best that
    are free and reach LEAST_IOU. Without them, such a box is learned from one anchor, while its
    neighbours, which see nearly the same pixels, learn background.

    Args:
        iou: (B, T, P) IoU of T ground-truth boxes and P anchors; rows of padding are negative.
        matched: (B, P) int64 index of the ground-truth box, or UNMATCHED.
        least: number of anchors.

    Returns:
        (B, P) int64, as ``matched``.

    Source: Zhang et al. 2017, S3FD, section 3.2, "Scale compensation anchor matching strategy"
    (arXiv:1708.05237).
    """
    batch, ground_truths, anchors = iou.shape
    if ground_truths == 0:
        return matched
    counts = matched.new_zeros(batch, ground_truths + 1)
    counts.scatter_add_(1, matched + 1, torch.ones_like(matched))
    few = counts[:, 1:] < least  # (B, T)
    best, candidates = iou.topk(min(least, anchors), dim=2)
    best = best.masked_fill(~few[..., None] | (best < LEAST_IOU), -1.0)
    overlap, ground_truth = torch.full_like(iou, -1.0).scatter_(2, candidates, best).max(1)
    return torch.where((matched == UNMATCHED) & (overlap >= 0), ground_truth, matched)
