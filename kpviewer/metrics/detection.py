"""Scores of a detector at one threshold, as complement of average precision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kpviewer.metrics.matching import FALSE_POSITIVE, IGNORED, match, of_known_classes
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth, IntArray

PER_IMAGE = 0.1
"""Most false positives per image at the operating point."""
MAX_CONFUSED = 1000
"""Greatest number of classes with a confusion matrix: it has their square."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Lowest score threshold that keeps the number of false positives within a limit."""

    recall: float | None
    """Share of the true objects that are found; None without true objects."""
    score: float | None
    """Score threshold; None if even the best detection exceeds the limit."""


def recall_at_false_positives(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth]
) -> OperatingPoint:
    """Find the highest recall with at most 0.1 false positives per image, averaged over all."""
    matched, scores, _ = ranked_matches(detections, ground_truths)
    objects = sum(int(np.count_nonzero(~ground_truth.difficult)) for ground_truth in ground_truths)
    true_positives, false_positives = np.cumsum(matched), np.cumsum(~matched)
    # equal scores pass a threshold together, so only the last of them is an operating point
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]
    allowed = last & (false_positives <= PER_IMAGE * len(ground_truths) + 1e-9)
    points = np.flatnonzero(allowed)
    found, score = (0, None)
    if points.size:
        found, score = int(true_positives[points[-1]]), float(scores[points[-1]])
    return OperatingPoint(found / objects if objects else None, score)


class RankedMatches(NamedTuple):
    """Detections of all images that count, by descending score: (N,) each."""

    matched: BoolArray
    """Whether the detection is a true positive."""
    scores: FloatArray
    class_ids: IntArray


def ranked_matches(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth]
) -> RankedMatches:
    """Match the detections of all images at IoU 0.5, and rank them together, best first."""
    matched, scores, ids = [np.zeros(0, np.bool_)], [np.zeros(0, np.float32)], [np.zeros(0, int)]
    for found, ground_truth in zip(detections, ground_truths, strict=True):
        index = match(found, ground_truth).ground_truth_index
        counted = index != IGNORED
        matched.append(index[counted] >= 0)
        scores.append(found.scores[counted])
        ids.append(found.class_ids[counted])
    all_scores = np.concatenate(scores)
    order = np.argsort(-all_scores, kind="stable")
    return RankedMatches(
        np.concatenate(matched)[order], all_scores[order], np.concatenate(ids)[order]
    )


@dataclass(frozen=True, slots=True)
class NegativeScore:
    """False positives of a detector on images without objects."""

    images: int
    """Number of images without objects and ignore regions, and labelled for a class at least."""
    clean: int
    """Number of these images without a detection above the score."""

    @property
    def clean_share(self) -> float | None:
        """Share of clean images, in [0, 1]; None without such images."""
        return self.clean / self.images if self.images else None


def negative_score(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth]
) -> NegativeScore:
    """Count the images without objects on which no detection scores above 0.5."""
    empty = [
        found.take(ground_truth.is_labelled(found.class_ids))
        for found, ground_truth in zip(detections, ground_truths, strict=True)
        if not len(ground_truth) and ground_truth.labelled_ids != frozenset()
    ]
    clean = sum(not np.any(found.scores > 0.5) for found in empty)
    return NegativeScore(len(empty), int(clean))


def confusion_matrix(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    num_classes: int,
    *,
    score: float = 0.5,
) -> IntArray | None:
    """Count the predicted classes of the true objects of each class.

    Detections are matched with objects by overlap alone, best score first; difficult objects, and
    detections of classes that aren't labelled, are ignored.

    Returns:
        (C + 1, C + 1) counts. Rows are true classes, the last one "nothing there" (false
        positives); columns are predicted classes, the last one "missed" (false negatives).
        None with more than MAX_CONFUSED classes.
    """
    if num_classes > MAX_CONFUSED:
        return None
    counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    for seen, ground_truth in zip(detections, ground_truths, strict=True):
        found = of_known_classes(seen.take(seen.scores >= score), ground_truth)
        one_class = replace(
            ground_truth, class_ids=np.zeros_like(ground_truth.class_ids), labelled_ids=None
        )
        matches = match(replace(found, class_ids=np.zeros_like(found.class_ids)), one_class)
        rows, true_rows = matches.pairs
        np.add.at(counts, (ground_truth.class_ids[true_rows], found.class_ids[rows]), 1)
        wrong_ids = found.class_ids[matches.ground_truth_index == FALSE_POSITIVE]
        wrong_ids = wrong_ids[ground_truth.is_labelled(wrong_ids)]
        counts[num_classes] += np.bincount(wrong_ids, minlength=num_classes + 1)
        missed = ~ground_truth.difficult
        missed[true_rows] = False
        lost = np.bincount(ground_truth.class_ids[missed], minlength=num_classes + 1)
        counts[:, num_classes] += lost
    return counts
