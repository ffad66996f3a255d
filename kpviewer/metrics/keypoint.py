"""Keypoint error: distances in px, and the normalised mean error (NME) of faces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.metrics.matching import match
from kpviewer.structures import BoolArray, Detections, FloatArray, GroundTruth, IntArray

FACE_POINTS = 5
"""Number of keypoints of a face; the distance of the first two, the eyes, normalises NME."""


@dataclass(frozen=True, slots=True)
class KeypointScore:
    """NME over a set of images."""

    mean: float | None
    """Mean over objects of the object's mean error; None without compared objects."""
    median: float | None
    p90: float | None
    """90th percentile of the objects' mean errors."""
    objects: int
    """Number of matched objects that were compared."""
    normaliser: str
    """Name of the length that errors are divided by: "inter-ocular" or "box diagonal"."""
    not_predicted: int = 0
    """Number of labelled keypoints of matched objects whose score is below the threshold; they
    aren't compared."""


@dataclass(frozen=True, slots=True, eq=False)
class KeypointErrors:
    """Errors of the keypoints of the matched objects of one image."""

    objects: tuple[float, ...] = ()
    """NME of each object with a point that was compared."""
    not_predicted: int = 0
    """Number of labelled keypoints with a score below the threshold, which aren't compared."""


def normaliser_name(num_keypoints: int) -> str:
    """Return the name of the length that normalises errors of ``num_keypoints`` points."""
    return "inter-ocular" if num_keypoints == FACE_POINTS else "box diagonal"


def normaliser_notes(keypoint_names: Sequence[str]) -> tuple[str, ...]:
    """Return a note if five keypoints don't begin with the eyes of a face."""
    first = keypoint_names[:2]
    if len(keypoint_names) != FACE_POINTS or all("eye" in name.casefold() for name in first):
        return ()
    between = " and ".join(map(repr, first))
    return (f"NME is over the distance of {between}, as five keypoints count as those of a face",)


def normalisers(ground_truth: GroundTruth) -> FloatArray:
    """Return the length that normalises each object's error, px: (N,), NaN if undefined.

    A five-point face is normalised by the distance of its eyes. With a hidden eye it is left out,
    because mixing units would distort the mean. Other objects are normalised by the diagonal of
    their true box.
    """
    if ground_truth.keypoints_xy.shape[1] == FACE_POINTS:
        length = np.linalg.norm(
            ground_truth.keypoints_xy[:, 0] - ground_truth.keypoints_xy[:, 1], axis=-1
        )
        usable = ground_truth.keypoints_visible[:, :2].all(axis=1) & (length > 0)
    else:
        length = np.linalg.norm(ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2], axis=-1)
        usable = length > 0
    return np.where(usable, length, np.nan).astype(np.float32)


def distances(found_xy: FloatArray, true_xy: FloatArray, visible: BoolArray) -> FloatArray:
    """Return each point's distance from its ground truth, px: (M, K), NaN for hidden points."""
    gap = np.linalg.norm(found_xy - true_xy, axis=-1)
    return np.where(visible, gap, np.nan).astype(np.float32)


def matched_distances(
    detections: Detections, ground_truth: GroundTruth, rows: IntArray, true_rows: IntArray
) -> tuple[FloatArray, FloatArray, int]:
    """Compare the points of matched objects: those that are visible and predicted.

    Returns:
        Their distances, px, and NME: (M, K) each, NaN for other points; and the number of visible
        points that aren't predicted.
    """
    visible = ground_truth.keypoints_visible[true_rows]
    predicted = detections.keypoints_predicted[rows]
    true_xy = ground_truth.keypoints_xy[true_rows]
    gaps = distances(detections.keypoints_xy[rows], true_xy, visible & predicted)
    relative = gaps / normalisers(ground_truth)[true_rows, None]
    return gaps, relative, int(np.count_nonzero(visible & ~predicted))


def object_errors(
    detections: Detections,
    ground_truth: GroundTruth,
    *,
    counted: BoolArray | None = None,
) -> KeypointErrors:
    """Return the NME of each matched object of one image that has visible, predicted points.

    Args:
        detections: detections of the image, by descending score.
        ground_truth: ground truth of the image, with the same number of keypoints.
        counted: (N,) objects of ``ground_truth`` to compare, such as manually labelled ones.
    """
    if detections.keypoints_xy.shape[1] != ground_truth.keypoints_xy.shape[1]:
        return KeypointErrors()
    rows, true_rows = match(detections, ground_truth).pairs
    if counted is not None:
        rows, true_rows = rows[counted[true_rows]], true_rows[counted[true_rows]]
    _, relative, not_predicted = matched_distances(detections, ground_truth, rows, true_rows)
    means = tuple(float(np.nanmean(row)) for row in relative if np.isfinite(row).any())
    return KeypointErrors(means, not_predicted)


def keypoint_score(
    errors: Sequence[float], num_keypoints: int, not_predicted: int = 0
) -> KeypointScore:
    """Summarise the errors of objects, and the number of points without any, over a set."""
    name = normaliser_name(num_keypoints)
    if not errors:
        return KeypointScore(None, None, None, 0, name, not_predicted)
    p50, p90 = np.percentile(errors, (50, 90))
    mean, count = float(np.mean(errors)), len(errors)
    return KeypointScore(mean, float(p50), float(p90), count, name, not_predicted)
