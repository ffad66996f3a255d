"""Outlines of masks, so that a mask is a few numbers a row, as a box and keypoints are."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import bridged, largest_parts
from kpviewer.models.nms import nms
from kpviewer.models.ranking import Masks
from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, IntArray, Thresholds, box_outlines

MASK_CORNERS = 64
"""Number of corners of each outline; those of simpler ones come several times at the end."""
LEAST_MASK_SCORE = 0.05
"""Objects below it have the outlines of their boxes, as do those that a better one hides."""
_HIDDEN_IOU = 0.9
_MOST = 300
"""Most objects of an image that get the outline of their mask."""
_FEWEST = 3
"""Corners of an area."""
_MOST_PARTS = 8
_TRACED_PX = 640 * 480
"""Pixels that a mask is enlarged to at least, as an outline runs half a pixel within its mask."""


def mask_outlines(xyxy: FloatArray, scores: FloatArray, masks: Masks) -> FloatArray:
    """Return the outline of each object's mask; parts and holes are joined by bridges.

    Args:
        xyxy: (P, 4) boxes, input px; a mask ends at its box.
        scores: (P, C) scores in [0, 1].
        masks: their masks.

    Returns:
        (P, MASK_CORNERS, 2) float32 corners, input px.
    """
    outlines = box_outlines(xyxy, MASK_CORNERS)
    for row in _shown(xyxy, scores).tolist():
        if (outline := _outline(xyxy[row], masks, row)) is not None:
            outlines[row] = outline[np.minimum(np.arange(MASK_CORNERS), len(outline) - 1)]
    return outlines


def _shown(xyxy: FloatArray, scores: FloatArray) -> IntArray:
    """Return the rows whose masks may be looked at, best first."""
    limit = Thresholds(iou=_HIDDEN_IOU, max_detections=_MOST)
    rows, _ = nms(xyxy, scores.max(1, initial=0), scores.argmax(1), limit, LEAST_MASK_SCORE)
    return rows[:_MOST]


def _outline(box: FloatArray, masks: Masks, row: int) -> FloatArray | None:
    """Return the (V, 2) corners of a mask, V <= MASK_CORNERS, input px; None if it is empty."""
    height, width = masks.maps.shape[1:]
    scale = np.array([masks.input_hw[1] / width, masks.input_hw[0] / height])
    ends = np.clip(box.reshape(2, 2) / scale, 0, (width, height))  # px of the map
    (left, top), (right, bottom) = np.floor(ends[0]).astype(int), np.ceil(ends[1]).astype(int)
    left, top = max(left - 1, 0), max(top - 1, 0)  # a pixel more, as the next ones count, too
    levels = masks.levels(row, (slice(top, bottom + 1), slice(left, right + 1)))
    if not levels.size:
        return None  # the box is beside the input
    fine = max(1, min(16, math.isqrt(_TRACED_PX // levels.size)))
    enlarged = cv2.resize(levels, None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR)
    (first_x, first_y), (end_x, end_y) = np.rint((ends - (left, top)) * fine).astype(int)
    inside = np.zeros(enlarged.shape, np.uint8)
    inside[first_y:end_y, first_x:end_x] = enlarged[first_y:end_y, first_x:end_x] > 0
    rings, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    corners = _simplified(rings)
    if len(corners) < _FEWEST:
        return None
    return np.asarray(((corners + 0.5) / fine + (left, top)) * scale, np.float32)


def _simplified(rings: Sequence[Any]) -> NDArray[np.float64]:
    """Return one polygon of at most MASK_CORNERS, as near to the rings as a power of 1.5 px.

    It has no corners if no ring has an area.
    """
    areas = np.array([cv2.contourArea(ring) for ring in rings])
    kept = [rings[row] for row in largest_parts(areas, _MOST_PARTS)]
    if not kept:
        return np.zeros((0, 2))
    most = MASK_CORNERS - 2 * (len(kept) - 1)
    tolerance = 1.0
    while True:
        parts = [cv2.approxPolyDP(ring, tolerance, True)[:, 0] for ring in kept]
        if sum(map(len, parts)) <= most:
            return bridged([part.astype(np.float64) for part in parts])
        tolerance *= 1.5
