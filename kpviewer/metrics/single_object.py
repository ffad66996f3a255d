"""Scores of models that predict one class and one box, on images with one object."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.structures import Detections, GroundTruth


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """Scores of the objects of one class, or of all classes."""

    images: int
    """Number of images with such an object; each has one."""
    accuracy: float | None
    """Share of them whose class is predicted correctly; None without images."""
    mean_iou: float | None
    """Mean IoU of the predicted and true boxes, whatever the class; None without images."""


@dataclass(frozen=True, slots=True)
class SingleObjectScore:
    """Scores of single-object predictions."""

    overall: ObjectScore
    by_class: tuple[ObjectScore, ...]
    """Scores by true class id."""


def single_object_score(
    seen: Sequence[Detections], ground_truths: Sequence[GroundTruth], num_classes: int
) -> SingleObjectScore:
    """Compare the best detection of each image with its object, at no threshold.

    Args:
        seen: detections of each image, by descending score, low scores included. No detection
            counts as a wrong class with an IoU of 0.
        ground_truths: ground truth of the same images, one object each.
        num_classes: number of classes.

    Raises:
        ValueError: if an image doesn't hold exactly one object.
    """
    is_correct, overlap = (
        np.zeros(len(ground_truths), np.bool_),
        np.zeros(len(ground_truths), np.float64),
    )
    class_ids = np.zeros(len(ground_truths), np.int64)
    for row, (found, ground_truth) in enumerate(zip(seen, ground_truths, strict=True)):
        if len(ground_truth) != 1:
            raise ValueError(
                f"ground truth must hold one object each, got {len(ground_truth)} in row {row}"
            )
        class_ids[row] = ground_truth.class_ids[0]
        if len(found):
            is_correct[row] = found.class_ids[0] == class_ids[row]
            overlap[row] = iou_matrix(found.xyxy[:1], ground_truth.xyxy)[0, 0]

    def score(rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ObjectScore:
        count = int(rows.sum())
        if not count:
            return ObjectScore(0, None, None)
        return ObjectScore(count, float(is_correct[rows].mean()), float(overlap[rows].mean()))

    return SingleObjectScore(
        score(np.ones(len(ground_truths), np.bool_)),
        tuple(score(class_ids == class_id) for class_id in range(num_classes)),
    )
