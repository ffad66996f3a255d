"""Matches of everything that was scanned with the ground truth, at the lowest confidence.

Suppression and matching go by descending score within a class, so a higher confidence only leaves
detections out: matches are computed once and serve every confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.geometry import box_centres, iou_of_sides, shared_of_sides
from kpviewer.metrics.keypoint import distances, normaliser_name, normalisers
from kpviewer.metrics.matching import FALSE_POSITIVE, IGNORED
from kpviewer.metrics.overlap import alike, outline_overlaps
from kpviewer.scanning.columns import CandidateColumns, scores_or_nan
from kpviewer.scanning.frame_errors import Float64Array, FrameErrors, means_by_frame
from kpviewer.scanning.ground_truth import GroundTruthColumns
from kpviewer.scanning.matching import Pairs, by_overlap, greedy, paired_sides, pairs_of
from kpviewer.scanning.precision import Boxes, CocoMatches, coco_matches
from kpviewer.scanning.selection import Survivors
from kpviewer.structures import BoolArray, FloatArray, GroundTruth, IntArray, Thresholds

MATCHED = 0
IOU = 0.5
"""Smallest overlap of a match."""


@dataclass(frozen=True, slots=True, eq=False)
class ScanMatches:
    """Detections in the G scored frames, and the objects that they match.

    A scored frame was scanned and has ground truth.
    """

    frame_index: IntArray
    """(G,) numbers of the scored frames."""
    position_s: Float64Array
    """(G,) media times, s; NaN if unknown."""
    frames: IntArray
    """(N,) scored frame of each detection, ascending. Only detections of classes that are shown,
    and labelled or among the objects of the frame, count."""
    class_ids: IntArray
    """(N,) classes of the detections."""
    scores: FloatArray
    """(N,) their scores, descending in each frame."""
    outcomes: IntArray
    """(N,) MATCHED, FALSE_POSITIVE or IGNORED."""
    iou: FloatArray
    """(N,) overlap with the matched object; 0 without a match."""
    covered: BoolArray
    """(N,) whether a difficult object of any class covers the detection, or its frame isn't
    completely labelled for its class."""
    near: Pairs
    """Pairs of a detection and an object of any class that isn't difficult, overlapping at least
    IOU, best first."""
    coco: CocoMatches
    true_frames: IntArray
    """(T,) scored frame of each object of the shown classes."""
    true_ids: IntArray
    """(T,) classes of the objects."""
    difficult: BoolArray
    """(T,) objects that are ignored."""
    areas: FloatArray
    """(T,) areas of the objects, px^2."""
    objects: IntArray
    """(H,) object of each hit."""
    gaps_px: FloatArray
    """(H, K) distances of the points of each hit, NaN for hidden ones; (H, 1) distances of the
    centres without shared keypoints."""
    lengths_px: FloatArray
    """(H,) normaliser of the distances of each hit; NaN if there is none."""
    point_scores: FloatArray | None
    """(H, K) scores of the points; None if there are none."""
    normaliser: str
    """Name of the length that normalises errors."""

    def __len__(self) -> int:
        """Return the number of scored frames."""
        return len(self.frame_index)

    @property
    def hits(self) -> IntArray:
        """(H,) rows of the detections that match an object."""
        return np.flatnonzero(self.outcomes == MATCHED)

    def is_shown(self, thresholds: Thresholds) -> BoolArray:
        """Return which detections reach the confidence of their class: (N,)."""
        return self.scores >= thresholds.least_scores(self.class_ids)

    def gaps(self, thresholds: Thresholds) -> tuple[FloatArray, IntArray]:
        """Return (H, K) distances of the predicted points, px, and (H,) how many are left out."""
        if self.point_scores is None:
            return self.gaps_px, np.zeros(len(self.gaps_px), np.int64)
        left_out = self.point_scores < np.float32(thresholds.keypoint)
        hidden = left_out & np.isfinite(self.gaps_px)
        return np.where(left_out, np.float32(np.nan), self.gaps_px), hidden.sum(axis=1)

    def errors(self, thresholds: Thresholds) -> FrameErrors:
        """Return the errors of all frames, as ``metrics.frame_error`` computes them."""
        count, hits, shown = len(self), self.hits, self.is_shown(thresholds)
        is_hit = shown[hits]
        gaps, hidden = self.gaps(thresholds)
        gaps, hidden = gaps[is_hit], hidden[is_hit]
        relative = gaps / self.lengths_px[is_hit, None]
        hits = hits[is_hit]
        frames, is_false = self.frames[hits], shown & (self.outcomes == FALSE_POSITIVE)
        matched = np.bincount(frames, minlength=count)
        objects = np.bincount(self.true_frames[~self.difficult], minlength=count)
        return FrameErrors(
            frame_index=self.frame_index,
            position_s=self.position_s,
            mean_px=means_by_frame(frames, gaps, count),
            nme=means_by_frame(frames, relative, count),
            mean_iou=means_by_frame(frames, self.iou[hits], count),
            matched=matched,
            false_negatives=objects - matched,
            false_positives=np.bincount(self.frames[is_false], minlength=count),
            not_predicted=np.bincount(frames, hidden, minlength=count).astype(np.int64),
            nme_normaliser=self.normaliser,
        )


def scan_matches(
    survivors: Survivors, truth: GroundTruthColumns, classes: frozenset[int] | None
) -> ScanMatches:
    """Match what suppression leaves with the ground truth.

    Args:
        survivors: survivors of all frames of some columns.
        truth: ground truth of the source.
        classes: shown classes; None means all.
    """
    columns = survivors.columns
    truth_rows = truth.rows_of(columns.frame_index)
    scored = np.flatnonzero(truth_rows >= 0)
    place = np.full(len(columns), -1, np.int64)
    place[scored] = np.arange(len(scored))
    true_place = np.full(len(truth), -1, np.int64)
    true_place[truth_rows[scored]] = np.arange(len(scored))
    frame_rows, class_ids = survivors.frame_rows, survivors.class_ids
    kept = np.flatnonzero((place[frame_rows] >= 0) & _is_in(class_ids, classes))
    kept, is_open = _with_known_classes(kept, truth_rows[frame_rows[kept]], class_ids[kept], truth)
    found = Boxes(
        place[frame_rows[kept]], class_ids[kept], survivors.xyxy[kept], survivors.outlines_of(kept)
    )
    true_rows = true_place[truth.frame_rows]
    counted = (true_rows >= 0) & _is_in(truth.objects.class_ids, classes)
    objects = truth.objects.take(counted)
    true = Boxes(true_rows[counted], objects.class_ids, objects.xyxy, objects.outlines_xy)
    difficult = objects.difficult
    object_rows, iou, near, covered = _matched(found, true, difficult)
    object_rows[is_open & (object_rows == FALSE_POSITIVE)] = IGNORED
    hits = np.flatnonzero(object_rows >= 0)
    gaps, lengths, points = _point_errors(
        columns,
        survivors.candidate_rows[kept[hits]],
        found.xyxy[hits],
        objects.take(object_rows[hits]),
    )
    return ScanMatches(
        frame_index=columns.frame_index[scored],
        position_s=columns.position_s[scored],
        frames=found.frame_rows,
        class_ids=found.class_ids,
        scores=survivors.scores[kept],
        outcomes=np.minimum(object_rows, MATCHED),
        iou=iou,
        covered=covered | is_open,
        near=near,
        coco=coco_matches(found, true, difficult, is_open),
        true_frames=true.frame_rows,
        true_ids=true.class_ids,
        difficult=difficult,
        areas=objects.areas,
        objects=object_rows[hits],
        gaps_px=gaps,
        lengths_px=lengths,
        point_scores=points,
        normaliser=normaliser_name(objects.keypoints_xy.shape[1]),
    )


def _with_known_classes(
    rows: IntArray, truth_rows: IntArray, class_ids: IntArray, truth: GroundTruthColumns
) -> tuple[IntArray, BoolArray]:
    """Return the rows of classes that their frames label, and which are labelled in part only."""
    is_open = ~truth.is_labelled(truth_rows, class_ids)
    if not is_open.any():
        return rows, is_open
    side = 1 + int(class_ids.max(initial=0))
    of_objects = truth.frame_rows * side + truth.objects.class_ids
    of_objects = of_objects[truth.objects.class_ids < side]
    known = ~is_open | np.isin(truth_rows * side + class_ids, of_objects)
    return rows[known], is_open[known]


def joined(parts: Sequence[ScanMatches]) -> ScanMatches:
    """Return the matches of all parts, at least one; no frame is in two of them."""
    if len(parts) == 1:
        return parts[0]
    frames, found, true = (
        np.cumsum([0, *map(len, each)])
        for each in (
            [part.frame_index for part in parts],
            [part.scores for part in parts],
            [part.true_ids for part in parts],
        )
    )
    points = None
    if any(part.point_scores is not None for part in parts):
        points = np.concatenate(
            [scores_or_nan(part.point_scores, part.gaps_px.shape) for part in parts]
        )
    every = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (
            *("frame_index", "position_s", "class_ids", "scores", "iou", "covered"),
            "outcomes",
            *("true_ids", "difficult", "areas", "gaps_px", "lengths_px"),
        )
    }
    return ScanMatches(
        **every,
        frames=np.concatenate([part.frames + at for part, at in zip(parts, frames, strict=False)]),
        near=Pairs(
            np.concatenate([part.near.rows + at for part, at in zip(parts, found, strict=False)]),
            np.concatenate([part.near.others + at for part, at in zip(parts, true, strict=False)]),
        ),
        coco=CocoMatches.joined([part.coco for part in parts]),
        true_frames=np.concatenate(
            [part.true_frames + at for part, at in zip(parts, frames, strict=False)]
        ),
        objects=np.concatenate([part.objects + at for part, at in zip(parts, true, strict=False)]),
        point_scores=points,
        normaliser=parts[0].normaliser,
    )


def _matched(
    found: Boxes, true: Boxes, difficult: BoolArray
) -> tuple[IntArray, FloatArray, Pairs, BoolArray]:
    """Return the object of each detection, and ``iou``, ``near`` and ``covered`` of a ScanMatches.

    Detections without an object are FALSE_POSITIVE or IGNORED.
    """
    pairs = pairs_of(found.frame_rows, true.frame_rows)
    is_difficult = difficult[pairs.others]
    overlap = _overlaps(found, true, pairs, is_difficult)
    same = found.class_ids[pairs.rows] == true.class_ids[pairs.others]
    covers = (overlap >= IOU) & is_difficult
    close = np.flatnonzero((overlap >= IOU) & ~is_difficult)
    order = close[by_overlap(pairs.take(close), overlap[close])]
    near, own = pairs.take(order), order[same[order]]
    same_class = pairs.take(own)
    taken = greedy(same_class, _keys(found), len(true.class_ids))
    rows, objects = same_class.rows[taken], same_class.others[taken]
    object_rows = np.full(len(found.class_ids), FALSE_POSITIVE, np.int64)
    object_rows[pairs.rows[covers & same]] = IGNORED
    object_rows[rows] = objects
    iou = np.zeros(len(object_rows), np.float32)
    iou[rows] = overlap[own[taken]]
    covered = np.zeros(len(object_rows), np.bool_)
    covered[pairs.rows[covers]] = True
    return object_rows, iou, near, covered


def _keys(found: Boxes) -> IntArray:
    return found.keys(int(found.class_ids.max(initial=0)) + 1)


def _is_in(class_ids: IntArray, classes: frozenset[int] | None) -> BoolArray:
    if classes is None:
        return np.ones(len(class_ids), np.bool_)
    return np.isin(class_ids, list(classes))


def _overlaps(found: Boxes, true: Boxes, pairs: Pairs, is_difficult: BoolArray) -> FloatArray:
    """Return the IoU of each pair, or the share of the detection in a difficult object: (P,)."""
    if (outlines := alike(found.outlines_xy, true.outlines_xy)) is not None:
        overlaps = outline_overlaps(*outlines, pairs.rows, pairs.others, is_difficult)
        return overlaps.astype(np.float32)
    overlap = iou_of_sides(*paired_sides(found.xyxy, true.xyxy, pairs))
    rows = np.flatnonzero(is_difficult)
    mine, others = paired_sides(found.xyxy, true.xyxy, pairs.take(rows))
    overlap[rows] = shared_of_sides(mine, others) / np.maximum(mine[4], 1e-9)
    return overlap


def _point_errors(
    columns: CandidateColumns, candidate_rows: IntArray, xyxy: FloatArray, true: GroundTruth
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return ``gaps_px``, ``lengths_px`` and ``point_scores`` of hits on true objects."""
    points = true.keypoints_xy.shape[1]
    if not points or columns.num_keypoints != points:
        gap = np.linalg.norm(box_centres(xyxy) - box_centres(true.xyxy), axis=-1)
        return gap[:, None].astype(np.float32), np.full(len(gap), np.nan, np.float32), None
    found_xy, scores = columns.keypoints_xy[candidate_rows], columns.keypoint_scores
    return (
        distances(found_xy, true.keypoints_xy, true.keypoints_visible),
        normalisers(true),
        None if scores is None else scores[candidate_rows],
    )
