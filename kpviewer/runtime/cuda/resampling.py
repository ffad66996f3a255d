"""Resizing on a device as ``sources.resizing`` does on the host, by weights of neighbouring pixels.

Each kernel there is linear, and the same for all rows and for all columns. Resizing the unit
vectors of an axis, in float, therefore gives its weights. Results differ from the host's by
rounding: at most one of 256 levels.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from kpviewer.errors import PipelineError
from kpviewer.models.spec import Sampling
from kpviewer.sources.opencv import cv2
from kpviewer.sources.resizing import smooth_steps
from kpviewer.structures import FloatArray

_Matrices: TypeAlias = tuple[FloatArray, FloatArray]
"""Weights of the rows, (h, H), and of the columns, (w, W)."""


class _Axis(NamedTuple):
    """Pixels that each new pixel of an axis is a weighted sum of: n new ones of K each."""

    pixels: Tensor
    """(n * K,) int64."""
    weights: Tensor
    """(n, K) float32."""


class Resampling:
    """Resizes images of one size to another on a device.

    Raises:
        PipelineError: if the image grows along one axis and is averaged along the other.
    """

    def __init__(
        self,
        sampling: Sampling,
        from_hw: tuple[int, int],
        size_hw: tuple[int, int],
        device: torch.device,
    ) -> None:
        rows, columns = _MATRICES[sampling](from_hw, size_hw)
        self._rows, self._columns = _axis(rows, device), _axis(columns, device)
        self._has_levels = sampling is not Sampling.LINEAR_FLOAT
        self._is_same = from_hw == size_hw

    def __call__(self, images: Tensor) -> Tensor:
        """Resize (B, H, W, 3) uint8 to (B, h, w, 3) float32, of whole levels if the host's are."""
        if self._is_same:
            return images.float()
        resized = _along(_along(images, self._rows, 1), self._columns, 2)
        return resized.round() if self._has_levels else resized


def _along(images: Tensor, axis: _Axis, dim: int) -> Tensor:
    """Return weighted sums of neighbours along rows (dim 1) or columns (dim 2), float32."""
    count, taps = axis.weights.shape
    before, after = images.shape[:dim], images.shape[dim + 1 :]
    neighbours = images.index_select(dim, axis.pixels).view(*before, count, taps, *after)
    weights = axis.weights.view(count, taps, *(1 for _ in after))
    return (neighbours * weights).sum(dim + 1)


def _axis(matrix: FloatArray, device: torch.device) -> _Axis:
    """Return the neighbours of a matrix of weights, (n, N), as many for each row."""
    taps = int((matrix != 0).sum(1).max())
    index = np.sort(np.argsort(matrix == 0, axis=1, kind="stable")[:, :taps], axis=1)
    weights = np.take_along_axis(matrix, index, 1).astype(np.float32)
    return _Axis(torch.from_numpy(index).flatten().to(device), torch.from_numpy(weights).to(device))


def _smooth(from_hw: tuple[int, int], size_hw: tuple[int, int]) -> _Matrices:
    """Return the weights of ``resized``, a product over its steps."""
    rows = np.eye(from_hw[0], dtype=np.float32)
    columns = np.eye(from_hw[1], dtype=np.float32)
    for (height, width), kind in smooth_steps(from_hw, size_hw):
        grows = height > len(rows) or width > len(columns)
        if kind == cv2.INTER_AREA and grows:  # OpenCV then uses neither kernel as it is
            raise PipelineError(
                f"An image of {from_hw[1]} x {from_hw[0]} px shrinks along one side and grows along"
                f" the other to {size_hw[1]} x {size_hw[0]}, which only OpenCV does."
            )
        rows = _by_opencv(len(rows), height, kind) @ rows
        columns = _by_opencv(len(columns), width, kind) @ columns
    return rows, columns


def _linear(from_hw: tuple[int, int], size_hw: tuple[int, int]) -> _Matrices:
    """Return the weights of ``resized_linearly`` and ``resized_in_float``."""
    kind = cv2.INTER_LINEAR
    return (
        _by_opencv(from_hw[0], size_hw[0], kind),
        _by_opencv(from_hw[1], size_hw[1], kind),
    )


def _antialiased(from_hw: tuple[int, int], size_hw: tuple[int, int]) -> _Matrices:
    """Return the weights of ``resized_antialiased``."""

    def by_pillow(count: int, target: int) -> FloatArray:
        unit = Image.fromarray(np.eye(count, dtype=np.float32))
        resized = unit.resize((count, target), Image.Resampling.BILINEAR)
        return np.asarray(resized, np.float32)

    return by_pillow(from_hw[0], size_hw[0]), by_pillow(from_hw[1], size_hw[1])


def _by_opencv(count: int, target: int, kind: int) -> FloatArray:
    """Return the weights of OpenCV's resizing of an axis: (target, count)."""
    unit = np.eye(count, dtype=np.float32)
    return np.asarray(cv2.resize(unit, (count, target), interpolation=kind), np.float32)


_MATRICES: dict[Sampling, Callable[[tuple[int, int], tuple[int, int]], _Matrices]] = {
    Sampling.SMOOTH: _smooth,
    Sampling.LINEAR: _linear,
    Sampling.LINEAR_FLOAT: _linear,
    Sampling.ANTIALIASED: _antialiased,
}
