"""Overlap of outlines: of rotated boxes as in DOTA's evaluation, of masks as in COCO's."""

from collections.abc import Iterable
from typing import Any, NamedTuple
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
    box_outlines,
    signed_areas,
)

Float64Array = NDArray[np.float64]
_kept: WeakKeyDictionary[Detections, tuple[ref[GroundTruth], Float64Array]] = WeakKeyDictionary()
"""Ground truth that detections were compared with last, and their overlaps."""
_UNLIKELY = 0.3
"""Overlap of two masks that counts as none: matches need 0.5."""
_ROUNDED = 1.5
"""Most pixels of a small mask for each px^2 of it."""
_MOST_SIDE_PX = 30_000
"""Side up to which masks are compared by their own pixels: pycocotools counts them in 32 bits."""


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
    """Return both outlines if those found are of masks, or both of rotated boxes; else boxes count.

    Four corners of each object may be its mask, too.
    """
    if found_xy is None or true_xy is None:
        return None
    are_rotated = [each.shape[1] == BOX_CORNERS for each in (found_xy, true_xy)]
    return (found_xy, true_xy) if are_rotated != [True, False] else None


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


class _Near(NamedTuple):
    """P pairs of masks whose boxes overlap."""

    rows: IntArray
    """(P,) detection of each."""
    others: IntArray
    """(P,) object of each."""
    is_crowd: BoolArray
    """(P,) pairs whose overlap is the share of the detection in the object."""
    most: Float64Array
    """(P,) largest area that both may share, px^2."""


def outline_overlaps(
    found_xy: FloatArray,
    true_xy: FloatArray,
    rows: IntArray,
    others: IntArray,
    is_crowd: BoolArray,
) -> Float64Array:
    """Return the overlap of P pairs of outlines, in [0, 1]: (P,).

    That of masks is exact for pixels; below 0.3 it may be 0. With an object that has a box and no
    mask, it is that of the boxes.

    Args:
        found_xy: (N, V, 2) outlines of detections, px.
        true_xy: (T, W, 2) outlines of objects, px; those of rotated boxes have four corners.
        rows: (P,) detection of each pair.
        others: (P,) object of each pair.
        is_crowd: (P,) pairs whose overlap is the share of the detection in the object, as COCO has
            it; of others it is the IoU.
    """
    if found_xy.shape[1] == BOX_CORNERS:
        shared = shared_area(found_xy[rows], true_xy[others])
        areas, true_areas = (abs(signed_areas(each)) for each in (found_xy, true_xy))
        return _overlap(shared, areas[rows], true_areas[others], is_crowd)
    boxes, true_boxes = (np.hstack([each.min(1), each.max(1)]) for each in (found_xy, true_xy))
    has_mask = (true_xy != box_outlines(true_boxes, true_xy.shape[1])).any((1, 2))[others]
    boxes, true_boxes = boxes.clip(0), true_boxes.clip(0)  # as masks, which have pixels from 0 on
    most = _shared_of_boxes(boxes[rows], true_boxes[others])
    near = np.flatnonzero((most > 0) & has_mask)
    sizes, true_sizes = (_sides(each).prod(1) for each in (boxes, true_boxes))
    overlaps = _overlap(most, sizes[rows], true_sizes[others], is_crowd)
    overlaps[has_mask] = 0
    overlaps[near] = _of_masks(
        found_xy, true_xy, _Near(rows[near], others[near], is_crowd[near], most[near])
    )
    return overlaps


def _overlap(
    shared: Float64Array, areas: Float64Array, true_areas: Float64Array, is_crowd: BoolArray
) -> Float64Array:
    union = np.where(is_crowd, areas, areas + true_areas - shared)
    return np.asarray(shared / np.where(shared > 0, union, 1))


def _shared_of_boxes(xyxy: FloatArray, true_xyxy: FloatArray) -> Float64Array:
    """Return the area that the boxes around two outlines share, px^2: (P,)."""
    low, high = np.maximum(xyxy, true_xyxy)[:, :2], np.minimum(xyxy, true_xyxy)[:, 2:]
    return np.asarray(_sides(np.hstack([low, high])).prod(1))


def _sides(xyxy: FloatArray) -> Float64Array:
    return np.asarray(np.maximum(xyxy[:, 2:].astype(np.float64) - xyxy[:, :2], 0))


def _of_masks(found_xy: FloatArray, true_xy: FloatArray, pairs: _Near) -> Float64Array:
    """Return the overlap of P pairs of masks, by their pixels; 0 where it can't be large."""
    from pycocotools import mask  # noqa: PLC0415 - the window starts without it

    rows, others, is_crowd, most = pairs
    if not len(rows):
        return np.zeros(0)
    ends = np.maximum(found_xy[rows].max((0, 1)), true_xy[others].max((0, 1))).clip(0)
    scale = min(1.0, _MOST_SIDE_PX / float(ends.max(initial=1)))
    width, height = np.ceil(ends * scale).astype(int) + 1

    def runs_of(outlines_xy: FloatArray, used: IntArray) -> tuple[dict[int, Any], Float64Array]:
        """Return the run lengths of the masks in use by their rows, and the area of each pair's."""
        kept, places = np.unique(used, return_inverse=True)
        polygons = (outlines_xy[kept].reshape(len(kept), -1) * scale).astype(float).tolist()
        runs = mask.frPyObjects(polygons, height, width)
        areas = np.array([float(mask.area(each)) for each in runs])[places]  # at most 255 at once
        return dict(zip(kept.tolist(), runs, strict=True)), areas

    (found, areas), (true, true_areas) = runs_of(found_xy, rows), runs_of(true_xy, others)
    shared = np.minimum(np.minimum(most * scale**2 * _ROUNDED, areas), true_areas)
    near = np.flatnonzero(_overlap(shared, areas, true_areas, is_crowd) >= _UNLIKELY).tolist()
    overlaps = np.zeros(len(rows))
    for pair in near:
        sides = [found[rows[pair]]], [true[others[pair]]], [is_crowd[pair]]
        overlaps[pair] = mask.iou(*sides)[0, 0]
    return overlaps
