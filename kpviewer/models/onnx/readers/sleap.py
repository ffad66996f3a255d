"""Outputs of SLEAP's exports: keypoints of one animal, of several, or their centroids alone."""

from typing import NamedTuple

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.columns import Outputs, floats, output_of
from kpviewer.models.onnx.readers.grouping import grouped
from kpviewer.models.ranking import Rows, one_hot_scores
from kpviewer.structures import FloatArray

_PEAKS, _PEAK_VALUES = "peaks", "peak_vals"
_LINES, _PAIRS = "line_scores", "candidate_mask"
_CENTROIDS, _CENTROID_VALUES, _CLASSES = "centroids", "centroid_vals", "class_logits"


class _Animals(NamedTuple):
    """N animals of K keypoints."""

    points: FloatArray
    """(N, K, 2) x and y, NaN where there are none."""
    values: FloatArray
    """(N, K) heights of their peaks, 0 where there are none."""
    scores: FloatArray
    """(N,)"""


def read_sleap(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read the keypoints of each animal; its box is that of those that were found, at least 1 px.

    Outputs are ``peaks`` (1, K, 2) and ``peak_vals`` (1, K) of one animal, whose score is the mean
    of the values; or ``peaks`` (1, N, K, 2), ``peak_vals`` (1, N, K), ``centroids`` (1, N, 2) and
    ``centroid_vals`` (1, N), which are the scores. Without peaks, centroids are the keypoints. With
    ``line_scores`` (1, L, P * P), ``peaks`` (1, K, P, 2) are those of all animals.

    Source: sleap-nn 0.3.5, export/wrappers.
    """
    if _LINES in outputs:
        animals = _grouped(outputs, description)
    else:
        animals = _several(outputs) if _CENTROIDS in outputs else _one(outputs)
    shape = animals.values.shape
    if animals.points.shape != (*shape, 2) or len(animals.scores) != len(animals.values):
        raise WeightsError(
            f"{_PEAKS!r} and {_PEAK_VALUES!r} must have as many keypoints, got "
            f"{animals.points.shape} and {shape}. See {GUIDE}."
        )
    found = animals.scores != 0  # empty places
    points, values, scores = (each[found] for each in animals)
    is_hidden = (values == 0)[..., None]
    inside = np.where(is_hidden, np.nan, points)
    low, high = np.nanmin(inside, 1), np.nanmax(inside, 1)
    points = np.where(is_hidden, ((low + high) / 2)[:, None], points)
    xyxy = np.concatenate([low, np.maximum(high, low + 1)], 1)
    classes = np.zeros(len(scores), np.int64)
    if _CLASSES in outputs:
        classes = floats(output_of(outputs, _CLASSES))[0][found].argmax(-1)
    each_class = one_hot_scores(scores.clip(0, 1), classes, len(description.classes))
    return Rows(xyxy, each_class, points, values.clip(0, 1))


def _several(outputs: Outputs) -> _Animals:
    scores = floats(output_of(outputs, _CENTROID_VALUES))[0].clip(min=0)
    if _PEAKS not in outputs:
        return _Animals(floats(output_of(outputs, _CENTROIDS))[0][:, None], scores[:, None], scores)
    values = floats(output_of(outputs, _PEAK_VALUES))[0]
    has_any = (values != 0).any(-1)
    return _Animals(floats(output_of(outputs, _PEAKS))[0], values, scores * has_any)


def _one(outputs: Outputs) -> _Animals:
    points, values = (floats(output_of(outputs, name)) for name in (_PEAKS, _PEAK_VALUES))
    seen = np.maximum((values != 0).sum(-1), 1)
    return _Animals(points, values, values.sum(-1) / seen)


def _grouped(outputs: Outputs, description: OnnxDescription) -> _Animals:
    peaks, values, scores = (
        floats(output_of(outputs, name))[0] for name in (_PEAKS, _PEAK_VALUES, _LINES)
    )
    lines, (nodes, count) = description.skeleton, values.shape
    square = (len(lines), count, count)
    if scores.size != np.prod(square):
        raise WeightsError(
            f"Output {_LINES!r} must have {count} x {count} scores for each of {len(lines)} lines, "
            f"got {scores.shape}. See {GUIDE}."
        )
    are_pairs = output_of(outputs, _PAIRS)[0].reshape(square).astype(np.bool_)
    animals = grouped(scores.reshape(square), are_pairs, lines, nodes)
    rows = np.arange(nodes)
    seen = np.where(animals >= 0, values[rows, animals], 0)
    means = seen.sum(1) / (animals >= 0).sum(1).clip(min=1)
    return _Animals(peaks[rows, animals] / description.output.scale, seen, means)
