"""COCO average precision of many frames at once, equal to that of pycocotools.

``metrics.average_precision`` runs pycocotools itself, which takes seconds for thousands of frames;
a slider that moves can't wait for it. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import shared_of_sides, xyxy_to_xywh
from kpviewer.metrics.average_precision import AveragePrecision, mean_known
from kpviewer.metrics.overlap import alike, outline_overlaps
from kpviewer.scanning.matching import (
    Pairs,
    by_overlap,
    greedy,
    paired_sides,
    pairs_of,
    rank_in_group,
)
from kpviewer.structures import BoolArray, FloatArray, IntArray

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
AREAS = (0.0, 1e10)
"""Least and greatest area of a false positive, px^2."""
MAX_DETECTIONS = 100
"""Number of detections of a class and frame that count, the best ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """N boxes of many frames, for one side of a comparison."""

    frame_rows: IntArray
    """(N,) frame of each box, ascending; both sides count them alike."""
    class_ids: IntArray
    """(N,) classes."""
    xyxy: FloatArray
    """(N, 4) corners, px."""
    outlines_xy: FloatArray | None = None
    """(N, V, 2) corners of rotated boxes or masks, px; None: the boxes are upright."""

    def keys(self, num_classes: int) -> IntArray:
        """Return a number for each pair of frame and class: (N,)."""
        return self.frame_rows * num_classes + self.class_ids


@dataclass(frozen=True, slots=True, eq=False)
class CocoMatches:
    """What average precision needs to know of N detections."""

    counts: BoolArray
    """(N,) whether a detection is among the best MAX_DETECTIONS of its class and frame."""
    matched: BoolArray
    """(10, N) whether it matches an object, at each of IOUS."""
    ignored: BoolArray
    """(10, N) whether it is neither true nor false."""

    @classmethod
    def joined(cls, parts: Sequence[CocoMatches]) -> CocoMatches:
        """Return the matches of all parts, at least one."""
        return cls(
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.matched for part in parts], axis=1),
            np.concatenate([part.ignored for part in parts], axis=1),
        )


def coco_matches(
    found: Boxes, true: Boxes, difficult: BoolArray, is_open: BoolArray
) -> CocoMatches:
    """Match detections as pycocotools does.

    Args:
        found: N detections, by descending score in each frame.
        true: T objects.
        difficult: (T,) objects that are ignored, COCO's crowds.
        is_open: (N,) detections that are ignored unless they match an object.
    """
    num_classes = 1 + max(int(each.class_ids.max(initial=0)) for each in (found, true))
    keys = found.keys(num_classes)
    counts = rank_in_group(keys) < MAX_DETECTIONS
    pairs = pairs_of(keys, true.keys(num_classes))
    pairs = pairs.take(counts[pairs.rows])
    overlap = _coco_iou(found, true, pairs, difficult[pairs.others])
    is_crowd = difficult[pairs.others]
    covered = np.zeros(len(keys))
    np.maximum.at(covered, pairs.rows[is_crowd], overlap[is_crowd])
    near = np.flatnonzero(~is_crowd & (overlap >= IOUS[0]))
    pairs, overlap = pairs.take(near), overlap[near]
    order = by_overlap(pairs, overlap, last_of_ties=True)
    matched = np.zeros((len(IOUS), len(keys)), np.bool_)
    for row, iou in enumerate(IOUS):
        order = order[overlap[order] >= iou]
        best = pairs.take(order)
        matched[row, best.rows[greedy(best, keys, len(true.xyxy))]] = True
    area = xyxy_to_xywh(found.xyxy)[:, 2:].astype(np.float64).prod(axis=1)
    is_odd = (area < AREAS[0]) | (area > AREAS[1]) | is_open
    return CocoMatches(counts, matched, ~matched & ((covered >= IOUS[:, None]) | is_odd))


def scan_average_precision(
    matches: CocoMatches, scores: FloatArray, class_ids: IntArray, objects: IntArray
) -> AveragePrecision:
    """Return the average precision of all frames.

    Args:
        matches: matches of N detections.
        scores: (N,) scores.
        class_ids: (N,) classes.
        objects: (C,) number of true objects of each class that aren't difficult.
    """
    num_classes = len(objects)
    precision = np.full((len(IOUS), len(RECALLS), num_classes), -1.0)
    ranked = ranked_by_class(np.flatnonzero(matches.counts), scores, class_ids, num_classes)
    for class_id in np.flatnonzero(objects):
        mine = ranked[class_id]
        precision[..., class_id] = _precision(
            matches.matched[:, mine], matches.ignored[:, mine], objects[class_id]
        )
    by_class = [mean_known(precision[0, :, class_id]) for class_id in range(num_classes)]
    return AveragePrecision(mean_known(precision[0]), mean_known(precision), tuple(by_class))


def ranked_by_class(
    rows: IntArray, scores: FloatArray, class_ids: IntArray, num_classes: int
) -> list[IntArray]:
    """Return the rows of each class, by descending score."""
    ranked = rows[np.argsort(-scores[rows], kind="stable")]
    ranked = ranked[np.argsort(class_ids[ranked], kind="stable")]
    ends = np.cumsum(np.bincount(class_ids[ranked], minlength=num_classes))
    return np.split(ranked, ends[:-1])


def _precision(matched: BoolArray, ignored: BoolArray, objects: int) -> NDArray[np.float64]:
    """Return the precision at each of RECALLS: (T, 101), of (T, N) detections, best first.

    A row at a time: cumsum holds Python's global lock, and a window waits for it.
    """
    rows = [_precision_of(*each, objects) for each in zip(matched, ignored, strict=True)]
    return np.stack(rows)


def _precision_of(matched: BoolArray, ignored: BoolArray, objects: int) -> NDArray[np.float64]:
    if not len(matched):
        return np.zeros(len(RECALLS))
    true = np.cumsum(matched & ~ignored).astype(np.float64)
    false = np.cumsum(~matched & ~ignored)
    right = true / (false + true + np.spacing(1))
    right = np.maximum.accumulate(right[::-1])[::-1]
    return np.append(right, 0.0)[np.searchsorted(true / objects, RECALLS)]


def _coco_iou(
    found_boxes: Boxes, true_boxes: Boxes, pairs: Pairs, is_crowd: BoolArray
) -> NDArray[np.float64]:
    """Return the overlap of each pair in double precision, as pycocotools computes it.

    The union with a crowd is the detection alone.
    """
    both = found_boxes, true_boxes
    if (outlines := alike(*(each.outlines_xy for each in both))) is not None:
        return outline_overlaps(*outlines, pairs.rows, pairs.others, is_crowd)
    found, true = (xyxy_to_xywh(each.xyxy).astype(np.float64) for each in both)
    areas, true_areas = found[:, 2:].prod(axis=1), true[:, 2:].prod(axis=1)
    found[:, 2:] += found[:, :2]
    true[:, 2:] += true[:, :2]
    shared = shared_of_sides(*paired_sides(found, true, pairs))
    union = areas[pairs.rows] + true_areas[pairs.others] - shared
    union = np.where(is_crowd, areas[pairs.rows], union)
    return np.where(shared > 0, shared / np.where(shared > 0, union, 1), 0)
