"""Losses of box detectors: focal, or softmax with hard negatives; weights of classes."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from kpviewer.models.networks.boxes import encode_boxes
from kpviewer.models.networks.ssd.detector import SsdHeads
from kpviewer.models.networks.ssd.matching import UNMATCHED
from kpviewer.training.data.datasets import Batch
from kpviewer.training.losses.ssd import SsdLossOptions, SsdTargets, assign, hard_negatives
from kpviewer.training.ranges import Count, InnerShare, NotNegative, Positive, Share


@dataclass(frozen=True, slots=True)
class ObjectLossOptions:
    """Matching of anchors, and weights of the parts of the loss."""

    match_iou: InnerShare = 0.5
    """Least IoU of an anchor and its object."""
    ignore_overlap: Share = 0.4
    """Share of an anchor inside an ignored object from which the anchor is ignored too."""
    negatives: Count = 3
    """Number of hardest background anchors for each matched one; for softmax networks."""
    focal_alpha: Share = 0.3
    focal_gamma: NotNegative = 2.0
    box_weight: NotNegative = 1.0
    box_beta: Positive = 1.0
    """Error at which smooth L1 turns from quadratic to linear, in offset units."""


class ObjectLosses(NamedTuple):
    """Weighted parts of the loss; scalars."""

    classification: Tensor
    boxes: Tensor


def object_losses(
    heads: SsdHeads,
    batch: Batch,
    anchors: Tensor,
    class_weights: Tensor,
    options: ObjectLossOptions,
) -> ObjectLosses:
    """Compare predictions with ground truth, normalised by the number of matched anchors.

    Args:
        heads: predictions of B images. One logit more than ``class_weights`` is that of the
            background, and the class loss is a softmax cross-entropy.
        batch: their ground truth, on the same device.
        anchors: (P, 4) cxcywh anchors, input px.
        class_weights: (C,) weights of the classes of the ground truth; background weighs 1.
        options: matching and weights.

    Source: Liu et al. 2016, SSD, eq. 1 to 3 (arXiv:1512.02325).
    """
    matching = SsdLossOptions(match_iou=options.match_iou, ignore_overlap=options.ignore_overlap)
    targets = assign(batch, anchors, matching)
    rows, cells = (targets.matched != UNMATCHED).nonzero(as_tuple=True)
    objects = targets.matched[rows, cells]
    count = max(1, len(rows))
    classes = torch.full_like(targets.matched, UNMATCHED)
    classes[rows, cells] = batch.class_ids[rows, objects]
    has_background = heads.class_logits.shape[-1] == len(class_weights) + 1
    classification = (_softmax if has_background else _focal)(
        heads.class_logits, classes, targets, class_weights, options
    )
    boxes = functional.smooth_l1_loss(
        heads.box_offsets[rows, cells],
        encode_boxes(batch.xyxy[rows, objects], anchors[cells]),
        reduction="sum",
        beta=options.box_beta,
    )
    return ObjectLosses(classification / count, options.box_weight * boxes / count)


def _softmax(
    logits: Tensor,
    classes: Tensor,
    targets: SsdTargets,
    class_weights: Tensor,
    options: ObjectLossOptions,
) -> Tensor:
    """Compute the cross-entropy of the matched anchors and of the hardest others.

    Of (B, P, 1 + C) logits the background's come first; ``classes`` may be UNMATCHED.
    """
    weights = torch.cat([class_weights.new_ones(1), class_weights])
    per_box = functional.cross_entropy(
        logits.flatten(0, 1), classes.flatten() + 1, weights, reduction="none"
    ).reshape(classes.shape)
    positive = classes != UNMATCHED
    negative = hard_negatives(per_box, positive, targets.ignored, options.negatives)
    return per_box[positive | negative].sum()


def _focal(
    logits: Tensor,
    classes: Tensor,
    targets: SsdTargets,
    class_weights: Tensor,
    options: ObjectLossOptions,
) -> Tensor:
    """Compute the focal loss of every anchor that isn't ignored, from (B, P, C) logits."""
    ids = torch.arange(logits.shape[-1], device=logits.device)
    class_targets = (classes[..., None] == ids).to(logits.dtype)
    loss = sigmoid_focal_loss(
        logits, class_targets, options.focal_alpha, options.focal_gamma, "none"
    )
    weight = torch.where(class_targets > 0, class_weights, 1.0)
    total: Tensor = (loss * weight)[~targets.ignored].sum()
    return total
