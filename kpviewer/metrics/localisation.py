"""Finding small targets and saying where they are: precision, recall, F1 and error in px.

A detection is a hit by the distance of its point, not by the overlap of its box: boxes of one size
stand around targets of many, and the point is what such a detector is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth, IntArray

MATCH_PX = 15.0
"""Half of a 30 px target: further off, the point is no longer on it."""


@dataclass(frozen=True, slots=True)
class LocalisationRow:
    """One class, or all of them."""

    name: str
    true_positives: int
    false_positives: int
    false_negatives: int
    mean_px: float | None
    """Mean distance of the hits; None if there is none."""
    p95_px: float | None

    @property
    def support(self) -> int:
        """True objects that count."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> float | None:
        """Share of the detections that are hits; None without detections."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the true objects that were found; None without any."""
        return _share(self.true_positives, self.support)

    @property
    def f1(self) -> float | None:
        """2 hits / (2 hits + spurious + missed); None where nothing was seen or to be seen."""
        return _share(
            2 * self.true_positives,
            2 * self.true_positives + self.false_positives + self.false_negatives,
        )


@dataclass(frozen=True, slots=True)
class LocalisationTable:
    """What ``localisation_table`` found."""

    rows: tuple[LocalisationRow, ...]
    """One a class, in the order of their ids."""
    total: LocalisationRow
    """All classes counted together."""
    max_px: float = MATCH_PX
    """Largest distance of a hit."""
    largest_px: float | None = None
    """Longest side of an object that counts; None for any."""


@dataclass(frozen=True, slots=True, eq=False)
class PointMatches:
    """Which detection of one image stands for which true object, by the distance of points."""

    detection_rows: IntArray
    """(H,) rows of the hits."""
    ground_truth_rows: IntArray
    """(H,) rows of the ground truth that they found."""
    distance_px: FloatArray
    """(H,)."""
    false_positives: BoolArray
    """(N,) detections that stand for nothing."""
    false_negatives: BoolArray
    """(T,) true objects that count and were not found."""


def match_points(
    detections: Detections,
    ground_truth: GroundTruth,
    *,
    max_px: float = MATCH_PX,
    largest_px: float | None = None,
) -> PointMatches:
    """Give each detection, best score first, the nearest free true object of its class.

    Points are the first keypoint where both sides have one, else the middle of the box. A true
    object that is difficult, or longer than ``largest_px``, is neither hit nor missed, and a
    detection within ``max_px`` of one, or inside its box, is not spurious.

    Args:
        detections: of one image, by descending score.
        ground_truth: of the same image.
        max_px: largest distance of a hit.
        largest_px: longest side of an object that counts; None for any.
    """
    found_xy, true_xy = _points(detections, ground_truth)
    gap = np.linalg.norm(found_xy[:, None] - true_xy[None], axis=-1)  # (N, T)
    gap[detections.class_ids[:, None] != ground_truth.class_ids[None]] = np.inf
    counts = ~ground_truth.difficult
    if largest_px is not None:
        counts &= (ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2]).max(
            1, initial=0
        ) <= largest_px
    free = counts.copy()
    pairs: list[tuple[int, int]] = []
    for row in range(len(detections)):
        distance = np.where(free, gap[row], np.inf)
        if len(ground_truth) and distance.min() <= max_px:
            best = int(distance.argmin())
            pairs.append((row, best))
            free[best] = False
    table = np.array(pairs, np.int64).reshape(-1, 2)
    inside = (
        (found_xy[:, None] >= ground_truth.xyxy[None, :, :2])
        & (found_xy[:, None] <= ground_truth.xyxy[None, :, 2:])
    ).all(-1) & np.isfinite(gap)
    false_positives = ~(((gap <= max_px) | inside) & ~counts).any(1)
    false_positives[table[:, 0]] = False
    distances = gap[table[:, 0], table[:, 1]].astype(np.float32)
    return PointMatches(table[:, 0], table[:, 1], distances, false_positives, free)


def localisation_table(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    class_names: Sequence[str],
    *,
    max_px: float = MATCH_PX,
    largest_px: float | None = None,
) -> LocalisationTable:
    """Score a set of images.

    Args:
        detections: of each image, at the threshold to be scored.
        ground_truths: of each image.
        class_names: C names.
        max_px: largest distance of a hit.
        largest_px: longest side of an object that counts; None for any.
    """
    classes = len(class_names)
    false_positives, false_negatives = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    errors: list[list[float]] = [[] for _ in class_names]
    for found, ground_truth in zip(detections, ground_truths, strict=True):
        matches = match_points(found, ground_truth, max_px=max_px, largest_px=largest_px)
        false_positives += np.bincount(found.class_ids[matches.false_positives], minlength=classes)
        false_negatives += np.bincount(
            ground_truth.class_ids[matches.false_negatives], minlength=classes
        )
        for row, distance in zip(matches.ground_truth_rows, matches.distance_px, strict=True):
            errors[ground_truth.class_ids[row]].append(float(distance))
    rows = tuple(
        _row(name, own, int(false_positives[i]), int(false_negatives[i]))
        for i, (name, own) in enumerate(zip(class_names, errors, strict=True))
    )
    everything = [error for own in errors for error in own]
    return LocalisationTable(
        rows,
        _row("total", everything, int(false_positives.sum()), int(false_negatives.sum())),
        max_px,
        largest_px,
    )


def _row(
    name: str, errors: list[float], false_positives: int, false_negatives: int
) -> LocalisationRow:
    mean_px = float(np.mean(errors)) if errors else None
    p95_px = float(np.percentile(errors, 95)) if errors else None
    return LocalisationRow(name, len(errors), false_positives, false_negatives, mean_px, p95_px)


def _points(detections: Detections, ground_truth: GroundTruth) -> tuple[FloatArray, FloatArray]:
    if detections.keypoints_xy.shape[1] and ground_truth.keypoints_xy.shape[1]:
        return detections.keypoints_xy[:, 0], ground_truth.keypoints_xy[:, 0]
    return _middles(detections.xyxy), _middles(ground_truth.xyxy)


def _middles(xyxy: FloatArray) -> FloatArray:
    return np.asarray((xyxy[:, :2] + xyxy[:, 2:]) / 2, np.float32)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
