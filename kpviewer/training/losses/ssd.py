"""Losses of an SSD: matching of anchors with objects, and the loss of each part."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from kpviewer.models.networks.boxes import (
    box_area,
    cxcywh_to_xyxy,
    encode_boxes,
    encode_points,
    intersection,
)
from kpviewer.models.networks.ssd.detector import SsdHeads
from kpviewer.models.networks.ssd.matching import UNMATCHED, match_boxes, match_more
from kpviewer.training.data.datasets import IGNORED, Batch
from kpviewer.training.ranges import Count, InnerShare, NotNegative, Positive, Share


@dataclass(frozen=True, slots=True)
class SsdLossOptions:
    """Matching of anchors, and weights of the parts of the loss."""

    classification: Literal["focal", "hard-negatives"] = "focal"
    """Class loss: focal loss, or cross-entropy with three hard negatives for each positive."""
    match_iou: InnerShare = 0.45
    """Least IoU of an anchor and its object."""
    least_anchors: Count = 1
    """Anchors of each object if it has that many with an IoU of at least 0.2, even below
    ``match_iou``."""
    neutral_iou: Share = 1.0
    """IoU with an object from which an anchor without one isn't background."""
    ignore_overlap: Share = 0.4
    """Share of an anchor inside an ignored object from which the anchor is ignored too."""
    focal_alpha: Share = 0.3
    focal_gamma: NotNegative = 2.0
    box_weight: NotNegative = 1.0
    point_weight: NotNegative = 1.0
    refiner_weight: NotNegative = 4.0
    """Weight of points that the refiner reads from the pixels."""
    box_beta: Positive = 0.5
    """Error at which smooth L1 of boxes turns from quadratic to linear, in offset units."""
    point_beta: Positive = 0.2
    """Error at which smooth L1 of points turns from quadratic to linear, in offset units."""


class SsdTargets(NamedTuple):
    """Targets of each anchor."""

    matched: Tensor
    """(B, P) int64 index of the matched object, or -1."""
    ignored: Tensor
    """(B, P) bool: neither positive nor negative."""


class SsdLosses(NamedTuple):
    """Weighted parts of the loss; scalars."""

    classification: Tensor
    boxes: Tensor
    points: Tensor
    refined_points: Tensor


def assign(batch: Batch, anchors: Tensor, options: SsdLossOptions) -> SsdTargets:
    """Match every image's objects with (P, 4) cxcywh anchors, input px."""
    corners = cxcywh_to_xyxy(anchors)
    real = batch.class_ids >= 0
    shared = intersection(batch.xyxy, corners)  # (B, T, P)
    area = box_area(corners)
    union = box_area(batch.xyxy)[..., None] + area - shared
    iou = (shared / union).masked_fill(~real[..., None], -1.0)
    matched = match_boxes(iou, options.match_iou)
    if options.least_anchors > 1:
        matched = match_more(iou, matched, options.least_anchors)
    crowd = batch.class_ids == IGNORED
    ignored = ((shared >= options.ignore_overlap * area) & crowd[..., None]).any(1)
    ignored |= (iou >= options.neutral_iou).any(1)
    return SsdTargets(matched, ignored & (matched == UNMATCHED))


def ssd_losses(
    heads: SsdHeads, batch: Batch, anchors: Tensor, options: SsdLossOptions
) -> SsdLosses:
    """Compare predictions with ground truth, normalised by the number of matched anchors.

    Args:
        heads: predictions of B images.
        batch: their ground truth, on the same device.
        anchors: (P, 4) cxcywh anchors, input px.
        options: matching and weights.
    """
    targets = assign(batch, anchors, options)
    positive = targets.matched != UNMATCHED  # (B, P)
    rows, cells = positive.nonzero(as_tuple=True)
    objects = targets.matched[rows, cells]
    count = positive.sum().clamp(min=1)

    class_targets = torch.zeros_like(heads.class_logits)
    class_targets[rows, cells, batch.class_ids[rows, objects]] = 1.0
    classification = _classification(heads.class_logits, class_targets, targets, options)

    chosen = anchors[cells]
    box_targets = encode_boxes(batch.xyxy[rows, objects], chosen)
    boxes = functional.smooth_l1_loss(
        heads.box_offsets[rows, cells], box_targets, reduction="sum", beta=options.box_beta
    )
    known = batch.labelled[rows, objects]  # (N, K)
    point_targets = encode_points(batch.points_xy[rows, objects], chosen)
    points = functional.smooth_l1_loss(
        heads.point_offsets[rows, cells][known], point_targets[known],
        reduction="sum", beta=options.point_beta,
    )  # fmt: skip
    per_point = known.sum().clamp(min=1)
    return SsdLosses(
        classification / count,
        options.box_weight * boxes / count / 4,
        options.point_weight * points / per_point,
        classification.new_zeros(()),
    )


def _classification(
    logits: Tensor, class_targets: Tensor, targets: SsdTargets, options: SsdLossOptions
) -> Tensor:
    """Return the sum of the class losses over every anchor that isn't ignored.

    Source of the focal loss: Lin et al. 2017, eq. 5 (arXiv:1708.02002).
    """
    if options.classification == "focal":
        loss = sigmoid_focal_loss(
            logits, class_targets, options.focal_alpha, options.focal_gamma, "none"
        )
        total: Tensor = loss[~targets.ignored].sum()
        return total
    loss = functional.binary_cross_entropy_with_logits(logits, class_targets, reduction="none")
    per_box = loss.sum(-1)  # (B, P)
    positive = targets.matched != UNMATCHED
    return per_box[positive | hard_negatives(per_box, positive, targets.ignored)].sum()


def hard_negatives(loss: Tensor, positive: Tensor, ignored: Tensor, ratio: int = 3) -> Tensor:
    """Choose the background anchors with the greatest loss, ``ratio`` for each positive one.

    Args:
        loss: (B, P).
        positive: (B, P) bool, matched anchors.
        ignored: (B, P) bool, never chosen.
        ratio: number of negatives for each positive; ``ratio`` for an image without positives.

    Returns:
        (B, P) bool.

    Source: Liu et al. 2016, SSD, section 2.2, "Hard negative mining" (arXiv:1512.02325).
    """
    ranked = loss.detach().masked_fill(positive | ignored, -1.0)
    rank = ranked.argsort(1, descending=True).argsort(1)
    quota = (positive.sum(1, keepdim=True) * ratio).clamp(min=ratio)
    return (rank < quota) & (ranked >= 0)
