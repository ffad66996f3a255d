"""Computation of scores over everything that was scanned, again and again.

``Scorer`` keeps what doesn't depend on the confidence, so a slider costs only the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from kpviewer.metrics.average_precision import AveragePrecision, size_of
from kpviewer.metrics.curves import PrecisionRecall, class_score, curve_of_matches, threshold_curves
from kpviewer.metrics.detection import MAX_CONFUSED
from kpviewer.metrics.matching import FALSE_POSITIVE, IGNORED
from kpviewer.metrics.multilabel import best_threshold
from kpviewer.scanning.frame_errors import FrameErrors
from kpviewer.scanning.ground_truth import GroundTruthColumns
from kpviewer.scanning.matches import MATCHED, ScanMatches, joined, scan_matches
from kpviewer.scanning.matching import greedy
from kpviewer.scanning.precision import ranked_by_class, scan_average_precision
from kpviewer.scanning.scores import BestScore, ClassRow, Recall, ScanScores, confidence_steps
from kpviewer.scanning.selection import Survivors, check_wanted
from kpviewer.structures import BoolArray, FloatArray, IntArray, Thresholds

_CERTAIN = 2.0
"""Rank of detections that every confidence keeps: their classes have thresholds of their own."""


class Scorer:
    """Scores of one model, again and again; what doesn't change is kept.

    Matches are kept for each part of what was scanned, as long as its survivors are the same
    object. Its owner calls ``score`` from one thread at a time, ``kept_errors`` from any.
    """

    def __init__(self) -> None:
        self._key: tuple[GroundTruthColumns | None, frozenset[int] | None] = (None, None)
        self._matches: WeakKeyDictionary[Survivors, ScanMatches] = WeakKeyDictionary()
        self._last: tuple[object, _Kept] | None = None
        """What the last scores depend on but the confidence, and what they are computed from; set
        as a whole, as another thread may read it."""

    def score(
        self,
        survivors: Sequence[Survivors],
        truth: GroundTruthColumns,
        thresholds: Thresholds,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> ScanScores:
        """Score everything that was scanned.

        Raises:
            Superseded: if the scores aren't wanted any longer.
        """
        if self._key[0] is not truth or self._key[1] != thresholds.classes:
            self._key = truth, thresholds.classes
            self._matches.clear()
        for part in survivors:
            if part not in self._matches:
                check_wanted(is_wanted)
                self._matches[part] = scan_matches(part, truth, thresholds.classes)
        columns = [part.columns for part in survivors]
        key = truth, thresholds.classes, tuple(survivors)
        kept = self._kept_for(key)
        if kept is None:
            check_wanted(is_wanted)
            floor = max(each.floor for each in columns)
            matches = joined([self._matches[part] for part in survivors])
            kept = _kept_of(matches, columns[0].num_classes, floor, is_wanted)
            self._last = key, kept
        check_wanted(is_wanted)
        return _scores(kept, sum(map(len, columns)), len(truth), thresholds)

    def kept_errors(
        self, survivors: Sequence[Survivors], truth: GroundTruthColumns, thresholds: Thresholds
    ) -> FrameErrors | None:
        """Return the errors of all frames if their matches are kept from ``score``, else None."""
        kept = self._kept_for((truth, thresholds.classes, tuple(survivors)))
        return None if kept is None else kept.matches.errors(thresholds)

    def _kept_for(self, key: object) -> _Kept | None:
        last = self._last
        return last[1] if last is not None and last[0] == key else None


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What doesn't depend on the confidence."""

    matches: ScanMatches
    precision: AveragePrecision
    curves: tuple[PrecisionRecall, ...]
    best: tuple[BestScore | None, ...]
    floor: float


def _kept_of(
    matches: ScanMatches, num_classes: int, floor: float, is_wanted: Callable[[], bool]
) -> _Kept:
    ids, scores, true_ids = matches.class_ids, matches.scores, matches.true_ids
    counted = true_ids[~matches.difficult & (true_ids < num_classes)]
    objects = np.bincount(counted, minlength=num_classes)
    precision = scan_average_precision(matches.coco, scores, ids, objects)
    ranked = ranked_by_class(np.flatnonzero(matches.outcomes != IGNORED), scores, ids, num_classes)
    steps = confidence_steps(floor)
    curves, best = [], []
    for class_id, mine in enumerate(ranked):
        is_true = matches.outcomes[mine] == MATCHED
        curves.append(curve_of_matches(is_true, scores[mine], int(objects[class_id])))
        best.append(_best(curves[-1], steps) if is_true.any() else None)
        check_wanted(is_wanted)
    return _Kept(matches, precision, tuple(curves), tuple(best), floor)


def _best(curve: PrecisionRecall, steps: FloatArray) -> BestScore | None:
    """Return the step with the highest F1; None without true positives."""
    f1 = threshold_curves(curve, steps).f1
    if not curve.objects or not f1.any():
        return None
    score = best_threshold(steps, f1)
    return BestScore(score, class_score(curve, score).f1 or 0.0)


def _scores(
    kept: _Kept, scanned: int, with_ground_truth: int, thresholds: Thresholds
) -> ScanScores:
    matches = kept.matches
    shown = matches.is_shown(thresholds)
    errors = matches.errors(thresholds)
    overall = _overall(matches, thresholds)
    relative, unit = _object_errors(matches, shown, thresholds)
    return ScanScores(
        scanned=scanned,
        scored=len(matches),
        with_ground_truth=with_ground_truth,
        floor=kept.floor,
        thresholds=thresholds,
        precision=kept.precision,
        overall=overall,
        curves=kept.curves,
        overall_best=_best(overall, confidence_steps(kept.floor)),
        rows=_rows(kept, shown),
        confusion=_confusion(matches, shown, len(kept.curves)),
        errors=errors,
        summary=errors.summary(),
        by_size=_by_size(matches, shown),
        object_errors=relative,
        error_unit=unit,
    )


def _overall(matches: ScanMatches, thresholds: Thresholds) -> PrecisionRecall:
    """Return the curve of all classes; those with thresholds of their own keep it throughout."""
    counted = matches.outcomes != IGNORED
    ids = matches.class_ids[counted]
    ranks, is_true = matches.scores[counted], matches.outcomes[counted] == MATCHED
    if thresholds.class_scores:
        stays = np.ones(len(ranks), np.bool_)
        ranks = ranks.copy()
        for class_id, own in thresholds.class_scores.items():
            mine = ids == class_id
            stays &= ~mine | (ranks >= np.float32(own))
            ranks[mine] = _CERTAIN
        ranks, is_true = ranks[stays], is_true[stays]
    order = np.argsort(-ranks, kind="stable")
    objects = int(np.count_nonzero(~matches.difficult))
    return curve_of_matches(is_true[order], ranks[order], objects)


def _rows(kept: _Kept, shown: BoolArray) -> tuple[ClassRow, ...]:
    matches, total = kept.matches, len(kept.curves)
    ids = matches.class_ids
    matched = np.bincount(ids[shown & (matches.outcomes == MATCHED)], minlength=total)
    false = np.bincount(ids[shown & (matches.outcomes == FALSE_POSITIVE)], minlength=total)
    return tuple(
        ClassRow(
            class_id,
            curve.objects,
            int(matched[class_id]),
            int(false[class_id]),
            kept.precision.ap50_by_class[class_id],
            kept.best[class_id],
        )
        for class_id, curve in enumerate(kept.curves)
        if curve.objects or false[class_id]
    )


def _by_size(matches: ScanMatches, shown: BoolArray) -> tuple[Recall, Recall, Recall]:
    sizes, found = size_of(matches.areas), matches.objects[shown[matches.hits]]
    objects = np.bincount(sizes[~matches.difficult], minlength=3)
    small, medium, large = map(Recall, np.bincount(sizes[found], minlength=3), objects)
    return small, medium, large


def _confusion(matches: ScanMatches, shown: BoolArray, num_classes: int) -> IntArray | None:
    """Return the table of ``confusion_matrix`` over all frames."""
    if num_classes > MAX_CONFUSED:
        return None
    true_ids = np.minimum(matches.true_ids, num_classes)
    near = matches.near.take(shown[matches.near.rows])
    taken = greedy(near, matches.frames, len(true_ids))
    rows, objects = near.rows[taken], near.others[taken]
    is_false = shown & ~matches.covered
    is_false[rows] = False
    missed = ~matches.difficult
    missed[objects] = False
    side = num_classes + 1
    cells = [
        true_ids[objects] * side + matches.class_ids[rows],
        num_classes * side + matches.class_ids[is_false],
        true_ids[missed] * side + num_classes,
    ]
    counts = np.bincount(np.concatenate(cells), minlength=side * side).reshape(side, side)
    return counts


def _object_errors(
    matches: ScanMatches, shown: BoolArray, thresholds: Thresholds
) -> tuple[FloatArray, str]:
    """Return the mean error of each found object, and its unit."""
    is_hit = shown[matches.hits]
    gaps = matches.gaps(thresholds)[0][is_hit]
    lengths = matches.lengths_px[is_hit]
    unit = matches.normaliser if np.isfinite(lengths).any() else "px"
    values = gaps / lengths[:, None] if unit != "px" else gaps
    values = values[np.isfinite(values).any(axis=1)]
    return np.nanmean(values, axis=1).astype(np.float32) if len(values) else values[:, 0], unit
