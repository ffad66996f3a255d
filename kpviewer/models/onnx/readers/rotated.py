"""Rotated boxes: shown as the upright boxes around them."""

from __future__ import annotations

import torch
from torch import Tensor

from kpviewer.models.onnx.description import OnnxDescription
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.yolo import rows_of
from kpviewer.models.ranking import MAX_DENSE_CANDIDATES, Rows, one_hot_scores

_LEAST_SCORE = 0.01
"""Rows below it are left out before NMS, which compares every pair."""
_MOST_ROWS = 3000


def read_rotated(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read centre, size, class scores (or score and class) and angle in radians.

    Rows that still need NMS get the overlaps of the rotated boxes: the upright boxes around them
    overlap by more.
    """
    form, classes = description.output, len(description.classes)
    is_raw = bool(form.transposed)
    rows = rows_of(outputs, form, (5 + classes,) if is_raw else (7,), "a rotated box")
    boxes = torch.cat([rows[:, :4], rows[:, -1:]], 1)
    if is_raw:
        scores, class_ids = rows[:, 4 : 4 + classes].max(1)
    else:
        scores, class_ids = rows[:, 4], rows[:, 5].round().long()
    best = scores.topk(min(_MOST_ROWS, len(rows))).indices
    best = best[scores[best] >= _LEAST_SCORE] if is_raw else best[:MAX_DENSE_CANDIDATES]
    boxes, scores, class_ids = boxes[best], scores[best], class_ids[best]
    columns = one_hot_scores(scores, class_ids, classes)
    overlaps = largest_overlaps(boxes, class_ids) if is_raw else None
    return Rows(upright(boxes), columns, boxes.new_zeros(len(boxes), 0, 2), None, overlaps)


def upright(rotated: Tensor) -> Tensor:
    """Return the (P, 4) corners of the upright boxes around (P, 5) centre, size, angle."""
    centre, size, angle = rotated[:, :2], rotated[:, 2:4], rotated[:, 4]
    cos, sin = angle.cos().abs(), angle.sin().abs()
    half_width = (size[:, 0] * cos + size[:, 1] * sin) / 2
    half_height = (size[:, 0] * sin + size[:, 1] * cos) / 2
    half = torch.stack([half_width, half_height], 1)
    return torch.cat([centre - half, centre + half], 1)


def largest_overlaps(rotated: Tensor, class_ids: Tensor) -> Tensor:
    """Return the largest probabilistic IoU of each box with a better one of its class: (P,).

    Ultralytics suppresses a box by any better one of its class, a suppressed one included.

    Args:
        rotated: (P, 5) centre, size and angle, best first.
        class_ids: (P,).
    """
    if not len(rotated):
        return rotated.new_zeros(0)
    overlap = probabilistic_iou(rotated)
    overlap = overlap * (class_ids[:, None] == class_ids[None])
    return overlap.triu(1).amax(0)


def probabilistic_iou(rotated: Tensor) -> Tensor:
    """Return the similarity of each pair of (P, 5) rotated boxes: (P, P) in [0, 1].

    A box is a normal distribution with its covariance; the similarity is 1 minus the Hellinger
    distance of two. Source: Llerena et al. 2021, arXiv:2106.06072, eq. 7 to 9.
    """
    variance = rotated[:, 2:4].double().square() / 12
    cos, sin = rotated[:, 4].double().cos(), rotated[:, 4].double().sin()
    a = variance[:, 0] * cos**2 + variance[:, 1] * sin**2
    b = variance[:, 0] * sin**2 + variance[:, 1] * cos**2
    c = (variance[:, 0] - variance[:, 1]) * cos * sin
    dx, dy = (rotated[:, None, axis].double() - rotated[None, :, axis].double() for axis in (0, 1))
    a2, b2, c2 = (part[:, None] + part[None] for part in (a, b, c))
    area = (a2 * b2 - c2**2).clamp(min=1e-12)
    apart = (a2 * dy**2 + b2 * dx**2 - 2 * c2 * dx * dy) / (4 * area)
    single = (a * b - c**2).clamp(min=1e-12)
    unlike = (area / (4 * (single[:, None] * single[None]).sqrt())).log() / 2
    bhattacharyya = (apart + unlike).clamp(0, 100)
    return (1 - (1 - (-bhattacharyya).exp()).clamp(min=0).sqrt()).float()
