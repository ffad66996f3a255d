"""Scores of what tells one class and one box a picture, where each picture holds one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.structures import Detections, Targets


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """How well the objects of a class, or of all classes, are told."""

    pictures: int
    """Those that hold such an object; each holds one."""
    accuracy: float | None
    """Share of them whose class is told right; None without pictures."""
    mean_iou: float | None
    """Mean overlap of the box with the true one, whatever the class; None without pictures."""


@dataclass(frozen=True, slots=True)
class SingleObjectScore:
    """How well single objects are told."""

    overall: ObjectScore
    by_class: tuple[ObjectScore, ...]
    """By true class id."""


def single_object_score(
    seen: Sequence[Detections], truths: Sequence[Targets], num_classes: int
) -> SingleObjectScore:
    """Compare the best detection of each picture with its object, at no threshold.

    Args:
        seen: one a picture, by descending score, with the low scores. Nothing seen is a wrong
            class and an IoU of 0.
        truths: of the same pictures, one object each.
        num_classes: class ids are below it.

    Raises:
        ValueError: if a picture doesn't hold exactly one object.
    """
    is_right, overlap = np.zeros(len(truths), np.bool_), np.zeros(len(truths), np.float64)
    class_ids = np.zeros(len(truths), np.int64)
    for row, (found, truth) in enumerate(zip(seen, truths, strict=True)):
        if len(truth) != 1:
            raise ValueError(f"truths must hold one object each, got {len(truth)} in row {row}")
        class_ids[row] = truth.class_ids[0]
        if len(found):
            is_right[row] = found.class_ids[0] == class_ids[row]
            overlap[row] = iou_matrix(found.xyxy[:1], truth.xyxy)[0, 0]

    def score(rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ObjectScore:
        count = int(rows.sum())
        if not count:
            return ObjectScore(0, None, None)
        return ObjectScore(count, float(is_right[rows].mean()), float(overlap[rows].mean()))

    return SingleObjectScore(
        score(np.ones(len(truths), np.bool_)),
        tuple(score(class_ids == class_id) for class_id in range(num_classes)),
    )
