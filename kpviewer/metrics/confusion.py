"""Confusion matrix of detections."""

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
) -> IntArray:
    """Count the predicted classes of the true objects of each class.

    Detections are matched with objects by overlap alone, best score first; difficult objects, and
    detections of classes that aren't labelled, are ignored.

    Returns:
        (C + 1, C + 1) counts. Rows are true classes, the last one "nothing there" (false
        positives); columns are predicted classes, the last one "missed" (false negatives).
    """
    counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    for seen, ground_truth in zip(detections, ground_truths, strict=True):
        found = seen.take(seen.scores >= score)
        if ground_truth.labelled_ids is not None:
            found = found.take(np.isin(found.class_ids, list(ground_truth.labelled_ids)))
        one_class = replace(
            ground_truth, class_ids=np.zeros_like(ground_truth.class_ids), labelled_ids=None
        )
        matches = match(replace(found, class_ids=np.zeros_like(found.class_ids)), one_class)
        rows, true_rows = matches.pairs
        np.add.at(counts, (ground_truth.class_ids[true_rows], found.class_ids[rows]), 1)
        wrong_ids = found.class_ids[matches.ground_truth_index == FALSE_POSITIVE]
        counts[num_classes] += np.bincount(wrong_ids, minlength=num_classes + 1)
        missed = ~ground_truth.difficult
        missed[true_rows] = False
        lost = np.bincount(ground_truth.class_ids[missed], minlength=num_classes + 1)
        counts[:, num_classes] += lost
    return counts
