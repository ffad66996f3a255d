"""Overlap of outlines: of rotated boxes as in DOTA's evaluation, of masks as in COCO's."""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from kpviewer.metrics.rotated import shared_area
from kpviewer.structures import (
    BOX_CORNERS,
    BoolArray,
    Detections,
    FloatArray,
    GroundTruth,
    IntArray,
    Shape,
    signed_areas,
)

Float64Array = NDArray[np.float64]
_kept: WeakKeyDictionary[Detections, tuple[ref[GroundTruth], Float64Array]] = WeakKeyDictionary()
_UNLIKELY = 0.3
"""Overlap of two masks that counts as none: matches need 0.5."""


def shape_of(objects: Iterable[Detections | GroundTruth]) -> Shape:
    """Return what the objects of several images are."""
    outlines = (each.outlines_xy for each in objects if len(each))
    corners = max((each.shape[1] for each in outlines if each is not None), default=0)
    if not corners:
        return Shape.UPRIGHT
    return Shape.ROTATED if corners == BOX_CORNERS else Shape.MASKS


def alike(
    found_xy: FloatArray | None, true_xy: FloatArray | None
) -> tuple[FloatArray, FloatArray] | None:
    """Return both outlines if both are of rotated boxes, or both of masks; else boxes count."""
    if found_xy is None or true_xy is None:
        return None
    are_rotated = [each.shape[1] == BOX_CORNERS for each in (found_xy, true_xy)]
    return (found_xy, true_xy) if are_rotated[0] == are_rotated[1] else None


def overlaps_of(detections: Detections, ground_truth: GroundTruth) -> Float64Array | None:
    """Return the overlap of each detection with each object of its class, 0 with others: (N, T).

    That with a difficult object is the share of the detection in it. It is kept while both are in
    use: several scores need it.

    Returns:
        None if boxes are compared.
    """
    outlines = alike(detections.outlines_xy, ground_truth.outlines_xy)
    if outlines is None:
        return None
    kept = _kept.get(detections)
    if kept is not None and kept[0]() is ground_truth:
        return kept[1]
    compared = detections.class_ids[:, None] == ground_truth.class_ids
    rows, others = np.nonzero(compared)
    overlaps = np.zeros(compared.shape)
    is_crowd = ground_truth.difficult[others]
    overlaps[rows, others] = outline_overlaps(*outlines, rows, others, is_crowd)
    _kept[detections] = ref(ground_truth), overlaps
    return overlaps


def outline_overlaps(
    found_xy: FloatArray,
    true_xy: FloatArray,
    rows: IntArray,
    others: IntArray,
    is_crowd: BoolArray,
) -> Float64Array:
    """Return the overlap of P pairs of outlines, in [0, 1]: (P,).

    That of masks is exact for pixels; below 0.3 it may be 0.

    Args:
        found_xy: (N, V, 2) outlines of detections, px.
        true_xy: (T, W, 2) outlines of objects, px, of the same shape.
        rows: (P,) detection of each pair.
        others: (P,) object of each pair.
        is_crowd: (P,) pairs whose overlap is the share of the detection in the object, as COCO has
            it; of others it is the IoU.
    """
    areas, true_areas = (abs(signed_areas(each)) for each in (found_xy, true_xy))
    areas, true_areas = areas[rows], true_areas[others]
    if found_xy.shape[1] == BOX_CORNERS:
        shared = shared_area(found_xy[rows], true_xy[others])
        return _overlap(shared, areas, true_areas, is_crowd)
    most = np.minimum(_shared_of_boxes(found_xy, true_xy, rows, others), areas)
    near = _overlap(np.minimum(most, true_areas), areas, true_areas, is_crowd) >= _UNLIKELY
    overlaps = np.zeros(len(rows))
    overlaps[near] = _of_masks(found_xy, true_xy, rows[near], others[near], is_crowd[near])
    return overlaps


def _overlap(
    shared: Float64Array, areas: Float64Array, true_areas: Float64Array, is_crowd: BoolArray
) -> Float64Array:
    union = np.where(is_crowd, areas, areas + true_areas - shared)
    return np.asarray(shared / np.where(shared > 0, union, 1))


def _shared_of_boxes(
    found_xy: FloatArray, true_xy: FloatArray, rows: IntArray, others: IntArray
) -> Float64Array:
    """Return the area that the boxes around two outlines share, px^2: (P,)."""
    (low, high), (true_low, true_high) = (
        (each.min(1).astype(np.float64), each.max(1)) for each in (found_xy, true_xy)
    )
    sides = np.minimum(high[rows], true_high[others]) - np.maximum(low[rows], true_low[others])
    return np.asarray(np.maximum(sides, 0).prod(1))


def _of_masks(
    found_xy: FloatArray,
    true_xy: FloatArray,
    rows: IntArray,
    others: IntArray,
    is_crowd: BoolArray,
) -> Float64Array:
    from pycocotools import mask  # noqa: PLC0415 - the window starts without it

    if not len(rows):
        return np.zeros(0)
    ends = np.maximum(found_xy[rows].max((0, 1)), true_xy[others].max((0, 1)))
    width, height = np.ceil(ends).astype(int) + 1

    def runs_of(outlines_xy: FloatArray, used: IntArray) -> dict[int, Any]:
        """Return the run lengths of some masks, by their rows."""
        kept = np.unique(used)
        polygons = outlines_xy[kept].reshape(len(kept), -1).astype(np.float64).tolist()
        return dict(zip(kept.tolist(), mask.frPyObjects(polygons, height, width), strict=True))

    found, true = runs_of(found_xy, rows), runs_of(true_xy, others)
    pairs = zip(rows.tolist(), others.tolist(), is_crowd.tolist(), strict=True)
    return np.array([mask.iou([found[a]], [true[b]], [crowd])[0, 0] for a, b, crowd in pairs])
