"""What is taken for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpviewer.metrics.matching import FALSE_POSITIVE, match
from kpviewer.structures import Detections, GroundTruth, IntArray


def confusion_matrix(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    num_classes: int,
    *,
    score: float = 0.5,
    iou: float = 0.5,
) -> IntArray:
    """Count which class the true objects of each class are taken for.

    Detections are matched with objects by place alone, best score first; difficult objects count
    neither way.

    Args:
        detections: one an image, by descending score.
        ground_truths: of the same images.
        num_classes: C; class ids are below it.
        score: detections under it are left out.
        iou: smallest overlap of a match.

    Returns:
        (C + 1, C + 1) counts: rows are true classes, the last one "nothing there"; columns are
        predicted ones, the last one "missed".
    """
    counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    for seen, ground_truth in zip(detections, ground_truths, strict=True):
        found = seen.take(seen.scores >= score)
        matches = match(
            replace(found, class_ids=np.zeros_like(found.class_ids)),
            replace(ground_truth, class_ids=np.zeros_like(ground_truth.class_ids)),
            iou=iou,
        )
        rows, true_rows = matches.pairs
        np.add.at(counts, (ground_truth.class_ids[true_rows], found.class_ids[rows]), 1)
        spurious = found.class_ids[matches.ground_truth_index == FALSE_POSITIVE]
        counts[num_classes] += np.bincount(spurious, minlength=num_classes + 1)
        missed = ~ground_truth.difficult
        missed[true_rows] = False
        lost = np.bincount(ground_truth.class_ids[missed], minlength=num_classes + 1)
        counts[:, num_classes] += lost
    return counts
