"""Scores of what tells one class and one box an image, where each image holds one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.structures import Detections, GroundTruth


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """How well the objects of a class, or of all classes, are told."""

    images: int
    """Those that hold such an object; each holds one."""
    accuracy: float | None
    """Share of them whose class is told right; None without images."""
    mean_iou: float | None
    """Mean overlap of the box with the true one, whatever the class; None without images."""


@dataclass(frozen=True, slots=True)
class SingleObjectScore:
    """How well single objects are told."""

    overall: ObjectScore
    by_class: tuple[ObjectScore, ...]
    """By true class id."""


def single_object_score(
    seen: Sequence[Detections], ground_truths: Sequence[GroundTruth], num_classes: int
) -> SingleObjectScore:
    """Compare the best detection of each image with its object, at no threshold.

    Args:
        seen: one an image, by descending score, with the low scores. Nothing seen is a wrong
            class and an IoU of 0.
        ground_truths: of the same images, one object each.
        num_classes: class ids are below it.

    Raises:
        ValueError: if an image doesn't hold exactly one object.
    """
    is_right, overlap = (
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
            is_right[row] = found.class_ids[0] == class_ids[row]
            overlap[row] = iou_matrix(found.xyxy[:1], ground_truth.xyxy)[0, 0]

    def score(rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ObjectScore:
        count = int(rows.sum())
        if not count:
            return ObjectScore(0, None, None)
        return ObjectScore(count, float(is_right[rows].mean()), float(overlap[rows].mean()))

    return SingleObjectScore(
        score(np.ones(len(ground_truths), np.bool_)),
        tuple(score(class_ids == class_id) for class_id in range(num_classes)),
    )
