"""Anonymisation of detections: each box keeps only a few mean colours.

A network trained on blurred faces can recognise them through a Gaussian blur (McPherson, Shokri,
Shmatikov 2016, arXiv:1609.00408); coarser images are safer. Here a box keeps the mean colours of
``CELLS x CELLS`` parts, whatever its size in pixels, with a smooth ramp between them. The strength
doesn't depend on the size of the face. Plain numbers, no Qt.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpviewer.structures import FloatArray, FrameResult, ImageArray

CELLS = 6
"""Number of cells along each side of a box: at most 36 colours of a face are left."""
MARGIN = 0.2
"""Share of the box's side that is added at each edge: boxes of faces end at chin and forehead."""

_SAMPLES = 192
"""Number of rows and columns that a mean is computed from; at most about twice as many."""


def hidden_image(result: FrameResult, *, whole: bool = False) -> ImageArray:
    """Return the image of a result with all detections hidden.

    An image that no model has run on is hidden as a whole: its faces are unknown.

    Args:
        result: a result at the current thresholds, with detections of the shown classes.
        whole: hide the whole image, for models without boxes.

    Returns:
        (H, W, 3) uint8 BGR. The frame's own array if there is nothing to hide, else a copy.
    """
    bgr = result.frame.bgr
    if whole or not result.has_model:
        return hide_boxes(bgr, np.array([[-np.inf, -np.inf, np.inf, np.inf]], np.float32))
    boxes = result.detections.xyxy
    if result.second is not None:  # what one of two models misses, the other may find
        boxes = np.concatenate([boxes, result.second.detections.xyxy])
    return hide_boxes(bgr, boxes)


def hide_boxes(bgr: ImageArray, xyxy: FloatArray) -> ImageArray:
    """Hide boxes, each with its margin.

    Args:
        bgr: (H, W, 3) uint8; not modified.
        xyxy: (N, 4) float32 px. An edge that is NaN becomes the image's edge.

    Returns:
        (H, W, 3) uint8. The same array for N = 0, else a copy.
    """
    if not len(xyxy):
        return bgr
    hidden = bgr.copy()
    for left, top, right, bottom in _pixel_bounds(xyxy, bgr.shape[1], bgr.shape[0]).tolist():
        if left < right and top < bottom:
            part = (slice(top, bottom), slice(left, right))
            hidden[part] = _washed_out(hidden[part])
    return hidden


def _pixel_bounds(xyxy: FloatArray, width: int, height: int) -> NDArray[np.int64]:
    """Widen boxes by the margin, round outwards to whole pixels, and clip to the image."""
    low, high = xyxy[:, :2].astype(np.float64), xyxy[:, 2:].astype(np.float64)
    low, high = np.nan_to_num(low, nan=-np.inf), np.nan_to_num(high, nan=np.inf)
    size_wh = np.array([width, height], np.float64)
    low, high = np.clip(low, -size_wh, 2 * size_wh), np.clip(high, -size_wh, 2 * size_wh)
    margin = MARGIN * np.maximum(high - low, 0)
    low = np.clip(np.floor(low - margin), 0, size_wh)
    high = np.clip(np.ceil(high + margin), 0, size_wh)
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _washed_out(part: ImageArray) -> ImageArray:
    """Replace an (H, W, 3) part by the mean colours of its cells and ramps between them."""
    height, width = part.shape[:2]
    row_step, column_step = max(1, height // _SAMPLES), max(1, width // _SAMPLES)
    few = np.ascontiguousarray(part[::row_step, ::column_step], np.float32)
    rows, columns = _cell_count(height), _cell_count(width)
    means = _shares_of_pixels(few.shape[0], rows) @ few.reshape(few.shape[0], -1)
    means = _shares_of_pixels(few.shape[1], columns) @ means.reshape(rows, -1, 3)
    across = _ramps(width, columns) @ means  # (rows, W, 3)
    smooth = _ramps(height, rows) @ across.reshape(rows, -1)
    smooth += 0.5  # to the nearest
    return smooth.astype(np.uint8).reshape(part.shape)


def _cell_count(length: int) -> int:
    """Return the number of cells along a side, each of at least two pixels."""
    return max(1, min(CELLS, length // 2))


def _edges(length: int, cells: int) -> NDArray[np.int64]:
    """Return the first pixel of each cell of ``length`` pixels, then ``length``."""
    return np.linspace(0, length, cells + 1).astype(np.int64)


def _shares_of_pixels(length: int, cells: int) -> FloatArray:
    """Return the (cells, length) matrix that computes the means of cells."""
    shares = np.zeros((cells, length), np.float32)
    for row, (start, end) in enumerate(pairwise(_edges(length, cells).tolist())):
        shares[row, start:end] = 1 / (end - start)
    return shares


def _ramps(length: int, cells: int) -> FloatArray:
    """Return the (length, cells) matrix that interpolates linearly between cells."""
    edges = _edges(length, cells)
    centres = (edges[:-1] + edges[1:] - 1) / 2
    pixels = np.arange(length)
    shares = [np.interp(pixels, centres, row) for row in np.eye(cells)]
    return np.stack(shares, axis=1).astype(np.float32)
