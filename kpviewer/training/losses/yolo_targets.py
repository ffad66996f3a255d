"""Ground truth of YOLOv3's predictions: who is responsible for each object, who is ignored.

Source: Redmon & Farhadi 2018, YOLOv3 (arXiv:1804.02767), section 2.1; the weight of small boxes is
Darknet's (``delta_yolo_box`` in src/yolo_layer.c).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from kpviewer.models.networks.boxes import box_area, intersection, xyxy_to_cxcywh
from kpviewer.training.data.datasets import IGNORED, Batch


class Responsible(NamedTuple):
    """Predictions that are responsible for the N objects of a batch, and their targets."""

    image: Tensor
    """(N,) int64 index of the image."""
    row: Tensor
    """(N,) int64 index among the P predictions of an image. Two objects may share one."""
    offset_xy: Tensor
    """(N, 2) float position of the object's centre in its cell, in [0, 1]."""
    log_wh: Tensor
    """(N, 2) float logarithm of the object's size over that of the anchor."""
    class_ids: Tensor
    """(N,) int64."""
    weight: Tensor
    """(N,) float weight of the box loss: 2 - share of the input that the object covers."""


def responsible(
    batch: Batch,
    anchors_wh: Tensor,
    strides: Sequence[int],
    shapes_hw: Sequence[tuple[int, int]],
) -> Responsible:
    """Assign each object to the anchor of the most similar size, in the cell of its centre.

    One anchor of all maps is responsible: that whose IoU with the object is largest if both have
    the same centre.

    Args:
        batch: objects of B images; padding and ignored ones are left out.
        anchors_wh: (L, A, 2) anchors of each map, input px.
        strides: input px per cell, by map.
        shapes_hw: rows and columns of cells, by map.
    """
    image, column = (batch.class_ids >= 0).nonzero(as_tuple=True)
    boxes = xyxy_to_cxcywh(batch.xyxy[image, column])  # (N, 4)
    size_wh = boxes[:, 2:].clamp(min=1e-3)
    flat_wh = anchors_wh.reshape(-1, 2)
    shared = torch.minimum(size_wh[:, None], flat_wh).prod(-1)  # (N, L * A)
    union = size_wh.prod(-1)[:, None] + flat_wh.prod(-1) - shared
    best = (shared / union).argmax(1)
    count = anchors_wh.shape[1]
    level, anchor = best // count, best % count
    stride = boxes.new_tensor(strides)[level]
    rows, columns = torch.tensor(shapes_hw, device=boxes.device).T[:, level]
    in_cells = boxes[:, :2] / stride[:, None]
    last = torch.stack([columns, rows], -1) - 1
    cell = torch.minimum(in_cells.long().clamp(min=0), last)  # (N, 2) column and row
    sizes = [count * height * width for height, width in shapes_hw]
    first = torch.tensor(sizes, device=boxes.device).cumsum(0)[level] - count * rows * columns
    input_area = shapes_hw[0][0] * shapes_hw[0][1] * strides[0] ** 2
    return Responsible(
        image,
        first + (anchor * rows + cell[:, 1]) * columns + cell[:, 0],
        (in_cells - cell).clamp(0, 1),
        torch.log(size_wh / flat_wh[best]),
        batch.class_ids[image, column],
        2 - size_wh.prod(-1) / input_area,
    )


def overlapping(predicted_xyxy: Tensor, batch: Batch, threshold: float) -> Tensor:
    """Mark the predictions that overlap an object so much that they are no background.

    Args:
        predicted_xyxy: (B, P, 4) predicted boxes, input px.
        batch: objects.
        threshold: IoU with an object above which a prediction is marked; for an ignored object,
            such as a crowd, the share of the prediction inside it.

    Returns:
        (B, P) bool.
    """
    marked = []
    for boxes, xyxy, class_ids in zip(predicted_xyxy, batch.xyxy, batch.class_ids, strict=True):
        overlap = box_iou(boxes, xyxy[class_ids >= 0])
        crowd = xyxy[class_ids == IGNORED]
        inside = intersection(boxes, crowd) / box_area(boxes).clamp(min=1e-6)[:, None]
        marked.append((torch.cat([overlap, inside], 1) > threshold).any(1))
    return torch.stack(marked)
