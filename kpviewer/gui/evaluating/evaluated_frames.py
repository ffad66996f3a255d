"""Store of frames with ground truth, whose kept candidates are evaluated at any thresholds.

No Qt and no thread: ``work`` evaluates frames in slices of limited time. All scores belong to the
present thresholds once ``pending`` is 0.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.metrics.curves import PrecisionRecall, curve_of_matches
from kpviewer.metrics.frame_error import frame_error
from kpviewer.metrics.matching import IGNORED, match
from kpviewer.models.selection import select, shown_ground_truth
from kpviewer.structures import (
    BoolArray,
    Candidates,
    Detections,
    FloatArray,
    FrameError,
    FrameResult,
    GroundTruth,
    IntArray,
    Thresholds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FLOOR = 0.05
"""Default lowest confidence of the curves; candidates below it in every class are dropped.

Suppressing and matching the hundreds below it would take ten times as long, for a part of the
curve where false positives outnumber true positives."""
MAX_FRAMES = 3000
"""Greatest number of frames (100 s at 30 fps); the oldest are dropped."""
MAX_BYTES = 96 * 2**20
"""Greatest size of all kept candidates, bytes; the oldest frames are dropped."""
_CERTAIN = 2.0
"""Rank of detections that every confidence keeps: their classes have thresholds of their own."""


class WorstBy(Enum):
    """Measure by which frames are ranked."""

    DISTANCE = "px"
    NME = "NME"
    OVERLAP = "1 − IoU"
    MISTAKES = "missed + false"

    def of(self, error: FrameError) -> float | None:
        """Return the value of a frame, higher is worse; None if it has none."""
        if self is WorstBy.DISTANCE:
            return error.mean_px
        if self is WorstBy.NME:
            return error.nme
        if self is WorstBy.OVERLAP:
            return None if error.mean_iou is None else 1.0 - error.mean_iou
        return float(error.false_negatives + error.false_positives) or None


@dataclass(frozen=True, slots=True)
class EvaluatedFrame:
    """Evaluated frame at the present thresholds."""

    index: int
    position_s: float | None
    error: FrameError


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """Summary of all frames so far; None if no frame has the value."""

    frames: int = 0
    mean_px: float | None = None
    worst_px: float | None = None
    mean_nme: float | None = None
    mean_iou: float | None = None
    matched: int = 0
    false_negatives: int = 0
    false_positives: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Matched:
    """Matches of a frame at the lowest confidence; a higher one keeps the best of them."""

    found: Detections
    is_true: BoolArray
    """(N,) whether a detection is a true positive, by descending score; ignored ones left out."""
    scores: FloatArray
    """(N,) scores of the same detections."""
    class_ids: IntArray
    """(N,) class ids of the same detections."""


@dataclass(slots=True, eq=False)
class _Kept:
    """Frame with the results that were computed for it; None is out of date."""

    index: int
    position_s: float | None
    candidates: Candidates
    ground_truth: GroundTruth
    counted_ids: IntArray
    """Class ids of the ground-truth objects that aren't difficult."""
    matched: _Matched | None = None
    error: FrameError | None = None

    @property
    def nbytes(self) -> int:
        """Size of the candidates, bytes."""
        kept = self.candidates
        arrays = (kept.xyxy, kept.scores, kept.keypoints_xy, kept.keypoint_scores)
        return sum(array.nbytes for array in arrays if array is not None)


class EvaluatedFrames:
    """Bounded store of frames with ground truth; a frame counts once, with its newest result.

    Args:
        max_frames: greatest number of frames.
        max_bytes: greatest size of all kept candidates, bytes.
        floor: lowest confidence that is evaluated.
    """

    def __init__(
        self, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES, floor: float = FLOOR
    ) -> None:
        self._max_frames, self._max_bytes = max_frames, max_bytes
        self._floor = floor
        self._thresholds = Thresholds()
        self._frames: dict[int, _Kept] = {}
        self._pending: dict[int, None] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._frames)

    @property
    def pending(self) -> int:
        """Number of frames still to be evaluated at the present thresholds."""
        return len(self._pending)

    @property
    def thresholds(self) -> Thresholds:
        """Thresholds at which frames are evaluated."""
        return self._thresholds

    @property
    def floor(self) -> float:
        """Lowest confidence that is evaluated."""
        return self._floor

    def clear(self, floor: float | None = None) -> None:
        """Forget all frames; ``floor``, if given, is the lowest confidence from now on."""
        self._floor = self._floor if floor is None else floor
        self._frames.clear()
        self._pending.clear()
        self._bytes = 0

    def add(self, result: FrameResult) -> None:
        """Keep the candidates of a frame that has ground truth, but not its image."""
        frame, candidates = result.frame, result.candidates
        if frame.ground_truth is None:
            return
        likely = candidates.scores.max(axis=1, initial=0.0) >= self._floor
        confidences = candidates.keypoint_scores
        kept = _Kept(
            frame.index,
            frame.position_s,
            Candidates(
                candidates.xyxy[likely],
                candidates.scores[likely],
                candidates.keypoints_xy[likely],
                None if confidences is None else confidences[likely],
                candidates.size_wh,
                None if candidates.overlaps is None else candidates.overlaps[likely],
            ),
            frame.ground_truth,
            frame.ground_truth.class_ids[~frame.ground_truth.difficult],
        )
        self._drop(frame.index)
        self._frames[frame.index] = kept
        self._pending[frame.index] = None
        self._bytes += kept.nbytes
        while len(self._frames) > 1 and (
            len(self._frames) > self._max_frames or self._bytes > self._max_bytes
        ):
            self._drop(next(iter(self._frames)))

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Evaluate at other thresholds from now on; a change of confidence keeps the matches."""
        if thresholds == self._thresholds:
            return
        same_matches = _at(0.0, thresholds) == _at(0.0, self._thresholds)
        self._thresholds = thresholds
        for kept in self._frames.values():
            kept.error = None
            if not same_matches:
                kept.matched = None
        self._pending = dict.fromkeys(self._frames)

    def work(self, until_s: float, clock: Callable[[], float]) -> None:
        """Evaluate pending frames until the clock (s) reaches ``until_s``; at least one, if any."""
        while self._pending:
            index, _ = self._pending.popitem()
            self._evaluate(self._frames[index])
            if clock() >= until_s:
                return

    def curve(self, class_id: int | None = None) -> PrecisionRecall:
        """Return the precision-recall curve of the evaluated frames.

        Args:
            class_id: class of the curve; None is all shown classes together, where classes with a
                threshold of their own keep it at every confidence.
        """
        kept = [(k.counted_ids, k.matched) for k in self._frames.values() if k.matched is not None]
        object_ids = np.concatenate([np.zeros(0, np.int64), *(each for each, _ in kept)])
        matches = [matched for _, matched in kept]
        objects = _count(object_ids, class_id, self._thresholds.classes)
        is_true = np.concatenate([np.zeros(0, np.bool_), *(one.is_true for one in matches)])
        scores = np.concatenate([np.zeros(0, np.float32), *(one.scores for one in matches)])
        ids = np.concatenate([np.zeros(0, np.int64), *(one.class_ids for one in matches)])
        if class_id is None:
            ranks, stays = self._ranks(scores, ids)
        else:
            ranks, stays = scores, ids == class_id
        is_true, ranks = is_true[stays], ranks[stays]
        order = np.argsort(-ranks, kind="stable")
        return curve_of_matches(is_true[order], ranks[order], objects)

    def summary(self) -> ErrorSummary:
        """Return the summary of the evaluated frames."""
        errors = [kept.error for kept in self._frames.values() if kept.error is not None]
        px = [error.mean_px for error in errors if error.mean_px is not None]
        return ErrorSummary(
            frames=len(errors),
            mean_px=_mean(px),
            worst_px=max(px, default=None),
            mean_nme=_mean([error.nme for error in errors if error.nme is not None]),
            mean_iou=_mean([error.mean_iou for error in errors if error.mean_iou is not None]),
            matched=sum(error.matched for error in errors),
            false_negatives=sum(error.false_negatives for error in errors),
            false_positives=sum(error.false_positives for error in errors),
        )

    def worst(self, by: WorstBy, count: int) -> list[EvaluatedFrame]:
        """Return the worst frames, worst first; of equal ones the earlier."""
        rated = [
            (value, -kept.index)
            for kept in self._frames.values()
            if kept.error is not None and (value := by.of(kept.error)) is not None
        ]
        frames = [self._frames[-index] for _, index in heapq.nlargest(count, rated)]
        return [
            EvaluatedFrame(kept.index, kept.position_s, kept.error)
            for kept in frames
            if kept.error is not None
        ]

    def _evaluate(self, kept: _Kept) -> None:
        ground_truth = shown_ground_truth(kept.ground_truth, self._thresholds)
        matched = kept.matched
        if matched is None:
            matched = kept.matched = _match(
                kept.candidates, ground_truth, _at(self._floor, self._thresholds)
            )
        if kept.error is None:
            # Suppression and matching go by descending score: a higher confidence cuts off a tail.
            least = np.full(kept.candidates.scores.shape[1], self._thresholds.score, np.float32)
            for class_id, score in self._thresholds.class_scores.items():
                least[class_id : class_id + 1] = score
            found = matched.found
            shown = found.take(found.scores >= least[found.class_ids])
            shown = replace(shown, keypoint_threshold=self._thresholds.keypoint)
            kept.error = frame_error(shown, ground_truth)

    def _ranks(self, scores: FloatArray, ids: IntArray) -> tuple[FloatArray, BoolArray]:
        """Return ranks to compare with a confidence, and which detections can pass at all."""
        ranks, stays = scores.copy(), np.ones(len(scores), np.bool_)
        for class_id, own in self._thresholds.class_scores.items():
            mine = ids == class_id
            stays &= ~mine | (scores >= np.float32(own))
            ranks[mine] = _CERTAIN
        return ranks, stays

    def _drop(self, index: int) -> None:
        kept = self._frames.pop(index, None)
        self._pending.pop(index, None)
        if kept is not None:
            self._bytes -= kept.nbytes


def _match(candidates: Candidates, ground_truth: GroundTruth, thresholds: Thresholds) -> _Matched:
    found = select(candidates, thresholds)
    index = match(found, ground_truth).ground_truth_index
    counted = index != IGNORED
    return _Matched(found, index[counted] >= 0, found.scores[counted], found.class_ids[counted])


def _at(score: float, thresholds: Thresholds) -> Thresholds:
    """Return thresholds of the same matches: one confidence for all classes, none of keypoints."""
    return replace(thresholds, score=score, class_scores={}, keypoint=0.0)


def _count(object_ids: IntArray, class_id: int | None, shown: frozenset[int] | None) -> int:
    """Count the objects of a class, or of all shown classes."""
    counts = np.ones(len(object_ids), np.bool_) if class_id is None else object_ids == class_id
    if shown is not None:
        counts &= np.isin(object_ids, list(shown))
    return int(np.count_nonzero(counts))


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
