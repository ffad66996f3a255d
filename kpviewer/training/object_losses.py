"""Losses of detectors of boxes: focal or softmax with hard negatives, and weights of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from kpviewer.models.boxes import encode_boxes
from kpviewer.models.matching import UNMATCHED
from kpviewer.models.ssd import SsdHeads
from kpviewer.training.datasets import Batch
from kpviewer.training.losses import SsdLossOptions, SsdTargets, assign, hard_negatives


@dataclass(frozen=True, slots=True)
class ObjectLossOptions:
    """Matching and weights."""

    match_iou: float = 0.5
    ignore_overlap: float = 0.4
    """Anchors with this share of them inside an ignored object teach nothing."""
    negatives: int = 3
    """Background boxes a matched one, the hardest ones; of softmax networks."""
    focal_alpha: float = 0.3
    focal_gamma: float = 2.0
    box_weight: float = 1.0
    box_beta: float = 1.0
    """Where smooth L1 turns from square to straight, in offset units."""


class ObjectLosses(NamedTuple):
    """The parts of the loss, each already weighted; scalars."""

    classification: Tensor
    boxes: Tensor


def object_losses(
    heads: SsdHeads,
    batch: Batch,
    anchors: Tensor,
    class_weights: Tensor,
    options: ObjectLossOptions,
) -> ObjectLosses:
    """Compare predictions with ground truth, summed and divided by the number of matched anchors.

    Args:
        heads: predictions of B images; with a background class where they have one logit more
            than ``class_weights``, which makes the loss a softmax's.
        batch: their ground truth, on the same device.
        anchors: (P, 4) cxcywh anchors, input px.
        class_weights: (C,) of each class where it is the ground truth; background weighs 1.
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
    """Cross-entropy of the matched boxes and of the hardest others.

    Args:
        logits: (B, P, 1 + C), background first.
        classes: (B, P) class of the matched object, or UNMATCHED.
        targets: what is matched and what is ignored.
        class_weights: (C,).
        options: how many negatives.
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
    """Focal loss of every box that isn't ignored; as ``_softmax``, but (B, P, C) logits."""
    ids = torch.arange(logits.shape[-1], device=logits.device)
    wanted = (classes[..., None] == ids).to(logits.dtype)
    loss = sigmoid_focal_loss(logits, wanted, options.focal_alpha, options.focal_gamma, "none")
    weight = torch.where(wanted > 0, class_weights, 1.0)
    total: Tensor = (loss * weight)[~targets.ignored].sum()
    return total
