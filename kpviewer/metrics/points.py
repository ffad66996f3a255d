"""Scores of keypoints in given boxes: PCK, and errors in px.

``metrics.keypoint`` scores the keypoints of detections. Here every object has a prediction, because
the model runs on the crop of its true box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.annotations.derived.classes import normalised_name
from kpviewer.metrics.keypoint import KeypointScore, distances, keypoint_score, normalisers
from kpviewer.structures import BoolArray, FloatArray, GroundTruth

PCK_SHARE = 0.2
"""Largest error of a correct point, relative to the object's length."""
_NOWHERE_PX = 1e6
"""Coordinate that replaces NaN: far from every point."""
TORSO = ("lefthip", "rightshoulder")
"""Keypoints whose distance is the length of a pose, as ``normalised_name`` writes them."""


@dataclass(frozen=True, slots=True)
class PointScore:
    """Errors of keypoints over a set of objects."""

    objects: int
    """Number of objects with a labelled point."""
    mean_px: float | None
    """Mean distance; None without labelled points, as for the other scores."""
    root_mse_px: float | None
    """Root mean squared error of the coordinates, as a squared loss minimises it."""
    nme: KeypointScore
    bias: tuple[float, float] | None
    """Mean of predicted minus true position, right and down, normalised as NME.

    A bias far from 0 means that model and labels disagree on the definition of a point.
    """
    bias_by_point: tuple[tuple[float, float] | None, ...]
    pck: float | None
    """Share of the points with an error of at most 0.2 of their object's length."""
    pck_by_point: tuple[float | None, ...]
    pck_unit: str
    """Name of the length: "torso" or "longest side of the box"."""


def point_score(
    found_xy: FloatArray,
    ground_truth: GroundTruth,
    keypoint_names: Sequence[str],
) -> PointScore:
    """Score the keypoints of N objects.

    Args:
        found_xy: (N, K, 2) predicted keypoints, px.
        ground_truth: the N objects of all images together; only visible points count.
        keypoint_names: names of the K points.
    """
    visible = ground_truth.keypoints_visible
    found_xy = np.nan_to_num(found_xy, nan=_NOWHERE_PX)  # wrong, not unknown
    gaps = distances(found_xy, ground_truth.keypoints_xy, visible)  # (N, K), NaN where unknown
    lengths, unit = pck_lengths(ground_truth, keypoint_names)
    right = pck_correct(gaps, lengths)
    units = normalisers(ground_truth)
    relative = gaps / units[:, None]
    shifts = (found_xy - ground_truth.keypoints_xy) / units[:, None, None]  # (N, K, 2)
    shifts[~visible] = np.nan
    errors = [float(np.nanmean(row)) for row in relative if not np.isnan(row).all()]
    return PointScore(
        objects=int(visible.any(1).sum()),
        mean_px=_mean(gaps),
        root_mse_px=root_mse(found_xy, ground_truth.keypoints_xy, visible),
        nme=keypoint_score(errors, len(keypoint_names)),
        bias=_mean_xy(shifts),
        bias_by_point=tuple(_mean_xy(shifts[:, point]) for point in range(shifts.shape[1])),
        pck=_mean(right),
        pck_by_point=tuple(_mean(column) for column in right.T),
        pck_unit=unit,
    )


def root_mse(found_xy: FloatArray, true_xy: FloatArray, visible: BoolArray) -> float | None:
    """Return the root mean squared error of the coordinates of visible points, px.

    With equal errors in x and y it is 1 / sqrt(2) of the root mean squared distance.
    """
    gap = (found_xy - true_xy)[visible]  # (P, 2)
    return float(np.sqrt(np.mean(np.square(gap, dtype=np.float64)))) if gap.size else None


def pck_correct(gaps_px: FloatArray, lengths_px: FloatArray) -> FloatArray:
    """Return which points are correct, from (N, K) distances and (N,) lengths: (N, K).

    The values are 1, 0, or NaN if the distance or the length is unknown.

    Source: Yang and Ramanan 2013, Articulated Human Detection with Flexible Mixtures of Parts
    (IEEE TPAMI 35), section 6.1: PCK, a distance of at most alpha * max(h, w).
    """
    limit = PCK_SHARE * lengths_px[:, None]
    known = ~np.isnan(gaps_px) & ~np.isnan(limit)
    return np.where(known, gaps_px <= limit, np.nan).astype(np.float32)


def pck_lengths(ground_truth: GroundTruth, keypoint_names: Sequence[str]) -> tuple[FloatArray, str]:
    """Return the length of each object for PCK, and the name of that length.

    The length of a pose is its torso, left hip to right shoulder, as usual for LSP; a pose without
    both points isn't counted. The length of another object is the longest side of its box.

    Returns:
        (N,) lengths, px, NaN if unknown; "torso" or "longest side of the box".
    """
    plain = [normalised_name(name) for name in keypoint_names]
    if all(name in plain for name in TORSO):
        ends = [plain.index(name) for name in TORSO]
        points = ground_truth.keypoints_xy[:, ends]
        length = np.linalg.norm(points[:, 0] - points[:, 1], axis=-1)
        usable = ground_truth.keypoints_visible[:, ends].all(1) & (length > 0)
        return np.where(usable, length, np.nan).astype(np.float32), "torso"
    return (ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2]).max(1), "longest side of the box"


def _mean(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if known.size else None


def _mean_xy(shifts: FloatArray) -> tuple[float, float] | None:
    x, y = _mean(shifts[..., 0]), _mean(shifts[..., 1])
    return None if x is None or y is None else (x, y)
