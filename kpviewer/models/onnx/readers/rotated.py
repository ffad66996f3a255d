"""Rotated boxes: their corners, and the upright boxes around them."""

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.onnx.description import OnnxDescription
from kpviewer.models.onnx.readers.columns import Outputs, whole
from kpviewer.models.onnx.readers.yolo import rows_of
from kpviewer.models.ranking import MAX_DENSE_CANDIDATES, Rows, largest, one_hot_scores
from kpviewer.structures import FloatArray, IntArray

_LEAST_SCORE = 0.01
"""Rows below it are left out before NMS, which compares every pair."""
_MOST_ROWS = 3000
_BLOCK = 128  # columns of pairs at a time: all at once take 0.8 GB


def read_rotated(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read centre, size, class scores (or score and class) and angle in radians.

    Rows that still need NMS get the overlaps of the rotated boxes: the upright boxes around them
    overlap by more.
    """
    form, classes = description.output, len(description.classes)
    is_raw = bool(form.transposed)
    rows = rows_of(outputs, form, (5 + classes,) if is_raw else (7,), "a rotated box")
    boxes = np.concatenate([rows[:, :4], rows[:, -1:]], 1)
    if is_raw:
        classed = rows[:, 4 : 4 + classes]
        scores, class_ids = classed.max(1), classed.argmax(1)
        best = largest(scores, _MOST_ROWS)
        best = best[scores[best] >= _LEAST_SCORE]
    else:
        scores, class_ids = rows[:, 4], whole(rows[:, 5])
        best = largest(scores, MAX_DENSE_CANDIDATES)
    boxes, scores, class_ids = boxes[best], scores[best], class_ids[best]
    columns = one_hot_scores(scores, class_ids, classes)
    overlaps = largest_overlaps(boxes, class_ids) if is_raw else None
    points = np.zeros((len(boxes), 0, 2), np.float32)
    return Rows(upright(boxes), columns, points, None, overlaps, corners_of(boxes))


def upright(rotated: FloatArray) -> FloatArray:
    """Return the (P, 4) corners of the upright boxes around (P, 5) centre, size, angle."""
    centre, size, angle = rotated[:, :2], rotated[:, 2:4], rotated[:, 4]
    cos, sin = np.abs(np.cos(angle)), np.abs(np.sin(angle))
    half_width = (size[:, 0] * cos + size[:, 1] * sin) / 2
    half_height = (size[:, 0] * sin + size[:, 1] * cos) / 2
    half = np.stack([half_width, half_height], 1)
    return np.concatenate([centre - half, centre + half], 1)


def corners_of(rotated: FloatArray) -> FloatArray:
    """Return the (P, 4, 2) corners of (P, 5) boxes of centre, size and angle, around each box.

    They begin at the end of both sides, as those of Ultralytics' labels do.
    """
    centre, half, angle = rotated[:, None, :2], rotated[:, None, 2:4] / 2, rotated[:, None, 4]
    along = half[..., :1] * np.stack([np.cos(angle), np.sin(angle)], -1)
    across = half[..., 1:] * np.stack([-np.sin(angle), np.cos(angle)], -1)
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]], np.float32)[..., None]
    return np.asarray(centre + along * signs[:, 0] + across * signs[:, 1], np.float32)


def largest_overlaps(rotated: FloatArray, class_ids: IntArray) -> FloatArray:
    """Return the largest probabilistic IoU of each box with a better one of its class: (P,).

    Boxes are (P, 5), as for ``probabilistic_iou``, best first.

    Ultralytics suppresses a box by any better one of its class, a suppressed one included.
    """
    most = np.zeros(len(rotated), np.float32)
    for class_id in np.unique(class_ids):
        same = np.flatnonzero(class_ids == class_id)
        for start in range(0, len(same), _BLOCK):
            block = same[start : start + _BLOCK]
            overlap = probabilistic_iou(rotated[same[: start + _BLOCK]], rotated[block])
            np.nan_to_num(overlap, copy=False)  # boxes that aren't numbers hide none
            most[block] = np.triu(overlap, 1 - start).max(0)
    return most


def probabilistic_iou(rotated: FloatArray, others: FloatArray) -> FloatArray:
    """Return the similarity of each of (P, 5) rotated boxes with each of (Q, 5): (P, Q) in [0, 1].

    A box is a normal distribution with its covariance; the similarity is 1 minus the Hellinger
    distance of two. Source: Llerena et al. 2021, arXiv:2106.06072, eq. 7 to 9.
    """
    x, y, a, b, c = (part[:, None] for part in _distribution(rotated))
    x_2, y_2, a_2, b_2, c_2 = _distribution(others)
    dx, dy = x - x_2, y - y_2
    a_sum, b_sum, c_sum = a + a_2, b + b_2, c + c_2
    area = (a_sum * b_sum - c_sum**2).clip(min=1e-12)
    apart = (a_sum * dy**2 + b_sum * dx**2 - 2 * c_sum * dx * dy) / (4 * area)
    single, other = (a * b - c**2).clip(min=1e-12), (a_2 * b_2 - c_2**2).clip(min=1e-12)
    unlike = np.log(area / (4 * np.sqrt(single * other))) / 2
    bhattacharyya = (apart + unlike).clip(0, 100)
    similar = 1 - np.sqrt((1 - np.exp(-bhattacharyya)).clip(min=0))
    found: FloatArray = similar.astype(np.float32)
    return found


def _distribution(rotated: FloatArray) -> tuple[NDArray[np.float64], ...]:
    """Return x, y and the covariance (xx, yy, xy) of each rotated box."""
    exact = rotated.astype(np.float64)
    variance = exact[:, 2:4] ** 2 / 12
    cos, sin = np.cos(exact[:, 4]), np.sin(exact[:, 4])
    a = variance[:, 0] * cos**2 + variance[:, 1] * sin**2
    b = variance[:, 0] * sin**2 + variance[:, 1] * cos**2
    c = (variance[:, 0] - variance[:, 1]) * cos * sin
    return exact[:, 0], exact[:, 1], a, b, c
