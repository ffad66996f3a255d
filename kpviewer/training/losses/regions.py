"""Losses of region-based detectors: RoIs that are drawn from the proposals, classes and boxes."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.ops import box_iou

from kpviewer.models.networks.regions.heads import BOX_WEIGHTS, RoiPredictions
from kpviewer.models.networks.regions.proposals import RegionTarget, is_ignored
from kpviewer.training.ranges import Count, InnerShare, NotNegative


@dataclass(frozen=True, slots=True)
class RoiLossOptions:
    """Choice of RoIs, and weights of the parts of the loss."""

    rois: Count = 64
    """Number of RoIs of each image that are compared with the ground truth."""
    object_share: InnerShare = 0.25
    """Largest share of them that overlap an object."""
    match_iou: InnerShare = 0.5
    """IoU with an object from which an RoI has its class; below, it is background."""
    box_weight: NotNegative = 1.0
    """Weight of the box offsets of RoIs."""
    proposal_weight: NotNegative = 1.0
    """Weight of both losses of a proposal network."""


class RoiTargets(NamedTuple):
    """RoIs of B images, and what is to be predicted for each."""

    xyxy: list[Tensor]
    """B tensors (P, 4), input px."""
    labels: list[Tensor]
    """B tensors (P,) int64, 0 for background."""
    offsets: list[Tensor]
    """B tensors (P, 4), box offsets; of background, of no meaning."""


class RoiLosses(NamedTuple):
    """Parts of the loss of RoIs; scalars."""

    classification: Tensor
    boxes: Tensor


def drawn_rois(
    proposals: list[Tensor], targets: list[RegionTarget], options: RoiLossOptions
) -> RoiTargets:
    """Draw RoIs of each image from its proposals and objects, at random.

    Source: Girshick 2015, Fast R-CNN, section 2.3, "Mini-batch sampling" (arXiv:1504.08083). RoIs
    with an IoU below 0.1 are background here too: a network's proposals include hard ones.
    """
    sampler = RoIHeads(
        None,
        None,
        None,
        fg_iou_thresh=options.match_iou,
        bg_iou_thresh=options.match_iou,
        batch_size_per_image=options.rois,
        positive_fraction=options.object_share,
        bbox_reg_weights=BOX_WEIGHTS,
        score_thresh=0.0,
        nms_thresh=1.0,
        detections_per_img=0,
    )
    usable = [
        _without_ignored(xyxy, target, options.match_iou)
        for xyxy, target in zip(proposals, targets, strict=True)
    ]
    xyxy, _, labels, offsets = sampler.select_training_samples(usable, targets)
    return RoiTargets(xyxy, labels, offsets)


def _without_ignored(xyxy: Tensor, target: RegionTarget, match_iou: float) -> Tensor:
    """Leave out proposals inside ignored objects, unless they match another object."""
    left_out = is_ignored(xyxy, target["ignored"])
    if len(target["boxes"]):
        left_out &= box_iou(xyxy, target["boxes"]).amax(1) < match_iou
    return xyxy[~left_out]


def roi_losses(predictions: RoiPredictions, targets: RoiTargets) -> RoiLosses:
    """Compute the cross-entropy of the RoIs, and the smooth L1 of the offsets of objects.

    Both are means over all RoIs.

    Source: Girshick 2015, Fast R-CNN, eq. 1 to 3 (arXiv:1504.08083).
    """
    logits, offsets = predictions
    if not len(logits):
        return RoiLosses(logits.sum(), offsets.sum())
    each_class = offsets.expand(*logits.shape, 4).flatten(1)
    classification, boxes = fastrcnn_loss(logits, each_class, targets.labels, targets.offsets)
    return RoiLosses(classification, boxes)
