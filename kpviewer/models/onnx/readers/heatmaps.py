"""Heatmaps: a map for each keypoint of one object in a crop, whose peak is the keypoint."""

import numpy as np
from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.columns import Outputs, floats
from kpviewer.models.onnx.readers.crops import of_crop
from kpviewer.models.ranking import Rows
from kpviewer.structures import FloatArray, IntArray

_QUARTER = 0.25
"""Cells from a peak towards its higher neighbours."""
_REACH, _SIGMA = 5, 0.8
"""Cells and standard deviation of the blur before a peak is refined."""
_LEAST, _MOST = 1e-3, 50.0
"""Range of a map's values before their logarithm."""
_FLAT = np.finfo(np.float32).eps
"""Added to second derivatives, so that a flat map has its peak where it is."""


def read_heatmaps(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read keypoints in a crop from a map for each: (1, K, h, w), or (1, h, w, K).

    A keypoint lies a quarter of a cell from the maximum towards the higher neighbours. Its score is
    the maximum. The crop is the only box, with score 1.

    Source: mmpose, codecs/msra_heatmap.py; HRNet, lib/core/inference.py.
    """
    maps = _maps(outputs, description)
    cells, scores = _peaks(maps)
    sides = np.array(maps.shape[:0:-1])
    is_inside = np.all((cells > 1) & (cells < sides - 1), axis=1, keepdims=True)
    places = cells + np.sign(_rise(_around(maps, cells, 1))) * is_inside * _QUARTER
    return of_crop(places * (np.array(input_hw[::-1]) / sides), scores, description, input_hw)


def read_heatmaps_udp(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read maps as ``read_heatmaps``, of models whose outer cells lie on the outer pixels.

    A keypoint is at the peak of the Gaussian through the blurred map around the maximum, at most a
    cell away.

    Source: Zhang et al. 2020, DARK (arXiv:1910.06278), section 3.2; Huang et al. 2020, UDP
    (arXiv:1911.07524), section 3; transformers, models/vitpose/image_processing_vitpose.py.
    """
    maps = _maps(outputs, description)
    cells, scores = _peaks(maps)
    weights = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / _SIGMA) ** 2)
    blur = np.array([np.pad(weights, (row, 2 - row)) for row in range(3)]) / weights.sum()
    near = np.log((blur @ _around(maps, cells, _REACH + 1) @ blur.T).clip(_LEAST, _MOST))
    x, y = (_rise(near) / 2).T
    middle, corners = near[:, 1, 1], near[:, 0, 0] + near[:, 2, 2]
    sideways, upright = near[:, 1, 0] + near[:, 1, 2], near[:, 0, 1] + near[:, 2, 1]
    xx, yy = (each - 2 * middle + _FLAT for each in (sideways, upright))
    xy = (corners + 2 * middle - sideways - upright) / 2
    steps = np.stack([xy * y - yy * x, xy * x - xx * y], 1) / (xx * yy - xy * xy)[:, None]
    last = np.array(maps.shape[:0:-1]) - 1
    scale = (np.array(input_hw[::-1]) - 1) / last.clip(min=1)
    return of_crop((cells + steps.clip(-1, 1)) * scale, scores, description, input_hw)


def _maps(outputs: Outputs, description: OnnxDescription) -> FloatArray:
    """Return the (K, h, w) maps of the first output."""
    value, count = floats(next(iter(outputs.values()))), len(description.keypoints)
    if value.ndim == 4 and value.shape[1] != count and value.shape[3] == count:
        value = value.transpose(0, 3, 1, 2)
    if value.ndim != 4 or value.shape[1] != count or not value.size:
        raise WeightsError(
            f"The heatmaps must have shape (1, {count}, rows, columns), got {value.shape}. "
            f"See {GUIDE}."
        )
    return np.asarray(value[0])


def _peaks(maps: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return x and y of the (K, 2) cells with the maxima, and the (K,) maxima."""
    flat = maps.reshape(len(maps), -1)
    y, x = np.divmod(flat.argmax(1), maps.shape[2])
    return np.stack([x, y], 1), flat.max(1)


def _around(maps: FloatArray, cells: IntArray, reach: int) -> FloatArray:
    """Return the (K, 2 * reach + 1, 2 * reach + 1) values around cells; maps go on mirrored."""
    padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)), "symmetric")
    steps = np.arange(2 * reach + 1)
    x, y = (cells[:, axis, None] + steps for axis in (0, 1))
    return np.asarray(padded[np.arange(len(maps))[:, None, None], y[:, :, None], x[:, None, :]])


def _rise(near: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return by how much (K, 3, 3) values rise over the middle, along x and y: (K, 2)."""
    return np.stack([near[:, 1, 2] - near[:, 1, 0], near[:, 2, 1] - near[:, 0, 1]], 1)
