"""Localisation scores of small targets: precision, recall, F1 and error in px.

Detections are matched by the distance of their point, not by the overlap of boxes: such detectors
predict points, and their boxes have one size for targets of many sizes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kpviewer.geometry import box_centres, iou_matrix
from kpviewer.metrics.detection import MAX_CONFUSED
from kpviewer.metrics.matching import FALSE_POSITIVE, IGNORED, Matches, of_known_classes
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth, IntArray

MATCH_PX = 15.0
"""Largest distance of a match, px: half of a 30 px target."""


@dataclass(frozen=True, slots=True)
class LocalisationRow:
    """Scores of one class, or of all classes together."""

    name: str
    true_positives: int
    false_positives: int
    false_negatives: int
    mean_px: float | None
    """Mean distance of the true positives; None without any."""
    p95_px: float | None
    """95th percentile of that distance; None without any."""

    @property
    def support(self) -> int:
        """Number of true objects that aren't ignored."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> float | None:
        """Share of the detections that are true positives; None without detections."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the true objects that are found; None without true objects."""
        return _share(self.true_positives, self.support)

    @property
    def f1(self) -> float | None:
        """2 TP / (2 TP + FP + FN); None without detections and true objects."""
        return _share(
            2 * self.true_positives,
            2 * self.true_positives + self.false_positives + self.false_negatives,
        )


@dataclass(frozen=True, slots=True)
class LocalisationTable:
    """Result of ``localisation_table``."""

    rows: tuple[LocalisationRow, ...]
    """Scores of each class, by class id."""
    total: LocalisationRow
    """Scores of all classes together."""
    max_px: float = MATCH_PX
    """Largest distance of a match, px."""
    largest_px: float | None = None
    """Longest side of an object that counts, px; None: no limit."""


@dataclass(frozen=True, slots=True, eq=False)
class PointMatches:
    """Matches of the detections of one image with true objects, by the distance of points."""

    detection_rows: IntArray
    """(M,) rows of the matched detections."""
    ground_truth_rows: IntArray
    """(M,) rows of their true objects."""
    distance_px: FloatArray
    """(M,) distances of the matches."""
    false_positives: BoolArray
    """(N,) whether the detection is a false positive."""
    false_negatives: BoolArray
    """(T,) whether the true object is a false negative."""


def match_points(
    detections: Detections,
    ground_truth: GroundTruth,
    *,
    max_px: float = MATCH_PX,
    largest_px: float | None = None,
) -> PointMatches:
    """Match each detection, best score first, with the nearest free true object of its class.

    The point is the first keypoint if both sides have the same keypoints and it is labelled,
    otherwise the centre of the box. Objects that are difficult, or longer than ``largest_px``, are
    ignored, and so is a detection within ``max_px`` of one or inside its box. Classes that aren't
    labelled count as in ``matching.match``.

    Args:
        detections: detections of one image, by descending score.
        ground_truth: ground truth of the same image.
        max_px: largest distance of a match.
        largest_px: longest side of an object that counts; None: no limit.
    """
    found_xy, true_xy = _points(detections, ground_truth)
    gap = np.linalg.norm(found_xy - true_xy, axis=-1)  # (N, T)
    gap[detections.class_ids[:, None] != ground_truth.class_ids[None]] = np.inf
    counts = ~counted(ground_truth, largest_px).difficult
    free = counts.copy()
    pairs: list[tuple[int, int]] = []
    for row in range(len(detections)):
        distance = np.where(free, gap[row], np.inf)
        if len(ground_truth) and distance.min() <= max_px:
            best = int(distance.argmin())
            pairs.append((row, best))
            free[best] = False
    table = np.array(pairs, np.int64).reshape(-1, 2)
    low, high = ground_truth.xyxy[:, :2], ground_truth.xyxy[:, 2:]
    inside = ((found_xy >= low) & (found_xy <= high)).all(-1) & np.isfinite(gap)
    false_positives = ~(((gap <= max_px) | inside) & ~counts).any(1)
    false_positives &= ground_truth.is_labelled(detections.class_ids)
    false_positives[table[:, 0]] = False
    distances = gap[table[:, 0], table[:, 1]].astype(np.float32)
    return PointMatches(table[:, 0], table[:, 1], distances, false_positives, free)


def match_within(detections: Detections, ground_truth: GroundTruth, max_px: float) -> Matches:
    """Return the matches of ``match_points`` in the form of ``matching.match``."""
    matches = match_points(detections, ground_truth, max_px=max_px)
    rows, true_rows = matches.detection_rows, matches.ground_truth_rows
    index = np.where(matches.false_positives, FALSE_POSITIVE, IGNORED).astype(np.int64)
    index[rows] = true_rows
    iou = np.zeros(len(detections), np.float32)
    iou[rows] = iou_matrix(detections.xyxy, ground_truth.xyxy)[rows, true_rows]
    return Matches(index, iou, int(matches.false_negatives.sum()))


def counted(ground_truth: GroundTruth, largest_px: float | None) -> GroundTruth:
    """Return the ground truth with objects longer than ``largest_px`` marked as difficult."""
    if largest_px is None:
        return ground_truth
    sides = ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2]
    is_long = sides.max(1, initial=0) > largest_px
    return replace(ground_truth, difficult=ground_truth.difficult | is_long)


def localisation_table(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    class_names: Sequence[str],
    *,
    max_px: float = MATCH_PX,
    largest_px: float | None = None,
) -> LocalisationTable:
    """Score a set of images, matched by ``match_points``."""
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


def localisation_confusion(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    num_classes: int,
    *,
    max_px: float = MATCH_PX,
    largest_px: float | None = None,
) -> IntArray | None:
    """Count the predicted classes of the true objects of each class, matched by distance alone.

    Returns:
        (C + 1, C + 1) counts, as of ``confusion_matrix``: the last row counts false positives, the
        last column false negatives. None with more than MAX_CONFUSED classes.
    """
    if num_classes > MAX_CONFUSED:
        return None
    counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    for seen, ground_truth in zip(detections, ground_truths, strict=True):
        found = of_known_classes(seen, ground_truth)
        matches = match_points(
            replace(found, class_ids=np.zeros_like(found.class_ids)),
            replace(
                ground_truth, class_ids=np.zeros_like(ground_truth.class_ids), labelled_ids=None
            ),
            max_px=max_px,
            largest_px=largest_px,
        )
        is_false = matches.false_positives & ground_truth.is_labelled(found.class_ids)
        actual = ground_truth.class_ids[matches.ground_truth_rows]
        np.add.at(counts, (actual, found.class_ids[matches.detection_rows]), 1)
        np.add.at(counts[num_classes], found.class_ids[is_false], 1)
        np.add.at(counts[:, num_classes], ground_truth.class_ids[matches.false_negatives], 1)
    return counts


def _row(
    name: str, errors: list[float], false_positives: int, false_negatives: int
) -> LocalisationRow:
    mean_px = float(np.mean(errors)) if errors else None
    p95_px = float(np.percentile(errors, 95)) if errors else None
    return LocalisationRow(name, len(errors), false_positives, false_negatives, mean_px, p95_px)


def _points(detections: Detections, ground_truth: GroundTruth) -> tuple[FloatArray, FloatArray]:
    """Return the points of detections and of true objects that are compared: (N, T, 2) each."""
    found, true = box_centres(detections.xyxy)[:, None], box_centres(ground_truth.xyxy)[None]
    found_xy, true_xy = detections.keypoints_xy, ground_truth.keypoints_xy
    if true_xy.shape[1] == found_xy.shape[1] > 0:
        first = true_xy[None, :, 0]  # at 0, 0 where it isn't labelled
        is_labelled = (ground_truth.keypoints_visible[:, 0] | first[0].any(1))[:, None]
        found = np.where(is_labelled, found_xy[:, :1], found)
        true = np.where(is_labelled, first, true)
    shape = (len(detections), len(ground_truth), 2)
    return np.broadcast_to(found, shape), np.broadcast_to(true, shape)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
