"""Losses of YOLOv3: boxes and classes of the responsible predictions, objectness of all.

Source: Redmon & Farhadi 2018, YOLOv3 (arXiv:1804.02767), sections 2.1 and 2.2. Gradients are those
of Darknet (src/yolo_layer.c): target minus prediction for each logistic value and for the logarithm
of width and height, times 2 - w * h for boxes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as logistic_loss

from kpviewer.models.networks.boxes import cxcywh_to_xyxy
from kpviewer.models.networks.yolov3.heads import BOX_VALUES, YoloHeads, YoloNetwork, decode_boxes
from kpviewer.training.data.datasets import Batch
from kpviewer.training.losses.yolo_targets import Responsible, overlapping, responsible
from kpviewer.training.ranges import NotNegative, Share

_OBJECTNESS = BOX_VALUES - 1


@dataclass(frozen=True, slots=True)
class YoloLossOptions:
    """Threshold of ignored predictions, and weights of the parts of the loss."""

    ignore_iou: Share = 0.5
    """IoU with an object above which a prediction that isn't responsible is no background."""
    box_weight: NotNegative = 1.0
    objectness_weight: NotNegative = 1.0
    class_weight: NotNegative = 1.0


class YoloLosses(NamedTuple):
    """Weighted parts of the loss; scalars."""

    boxes: Tensor
    objectness: Tensor
    classes: Tensor


def yolo_losses(
    heads: YoloHeads, batch: Batch, network: YoloNetwork, options: YoloLossOptions
) -> YoloLosses:
    """Compare predictions with ground truth: sums over the batch over its number of objects."""
    rows = heads.rows()  # (B, P, 5 + C)
    shapes_hw = [(each.shape[2], each.shape[3]) for each in heads.maps]
    found = responsible(batch, network.anchors_wh, network.strides, shapes_hw)
    chosen = rows[found.image, found.row]  # (N, 5 + C)
    with torch.no_grad():
        boxes_xyxy = cxcywh_to_xyxy(decode_boxes(rows, network.cells(heads)))
        ignored = overlapping(boxes_xyxy, batch, options.ignore_iou)
    count = max(1, len(found.row))
    return YoloLosses(
        options.box_weight * _boxes(chosen, found) / count,
        options.objectness_weight * _objectness(rows[..., _OBJECTNESS], found, ignored) / count,
        options.class_weight * _classes(rows, found) / count,
    )


def _boxes(chosen: Tensor, found: Responsible) -> Tensor:
    """Return the sum of the box losses; 0 for perfect boxes, whose cross-entropy isn't 0."""
    target = found.offset_xy
    least = torch.special.entr(target) + torch.special.entr(1 - target)
    position = logistic_loss(chosen[:, :2], target, reduction="none") - least
    size = (chosen[:, 2:4] - found.log_wh).square() / 2
    loss: Tensor = (position + size).sum(1) * found.weight
    return loss.sum()


def _objectness(logits: Tensor, found: Responsible, ignored: Tensor) -> Tensor:
    """Return the sum over responsible predictions and those that aren't ignored: (B, P) each."""
    target = torch.zeros_like(logits)
    target[found.image, found.row] = 1.0
    loss = logistic_loss(logits, target, reduction="none")
    return loss[(target > 0) | ~ignored].sum()


def _classes(rows: Tensor, found: Responsible) -> Tensor:
    """Return the sum over responsible predictions; objects that share one share its classes."""
    target = torch.zeros_like(rows[..., BOX_VALUES:])
    target[found.image, found.row, found.class_ids] = 1.0
    picked = found.image, found.row
    return logistic_loss(rows[picked][:, BOX_VALUES:], target[picked], reduction="sum")
