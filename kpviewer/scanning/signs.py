"""Signs that a model may be wrong in a frame, found without ground truth.

Each kind has a suspicion in [0, 1], so that kinds can be sorted into one list:

======================  ==========================================================================
kind                    suspicion
======================  ==========================================================================
GONE                    an object is there, gone for up to MAX_GAP frames, and there again: 0.5,
                        and up to 1 if its scores are far above the threshold; 0.1 less for each
                        further frame
BRIEF                   an object is there for one frame alone: 0.3 to 0.8, by its score
BOX_JUMP                the box is not where its neighbours in time say: the deviation of centre
                        or size, as a share of half its diagonal
LANDMARK_JUMP           the same for one landmark relative to the centre of the box
COUNT                   the number of objects changes at once: the change by the larger number + 1
DISAGREEMENT            two models differ: 1 - the sum of IoUs of common objects by all objects
OUTSIDE                 landmarks lie outside their box: 0.3, and the distance by the diagonal
SHAPE                   landmarks are far from their usual places in a box: the largest deviation,
                        in sides of the box
NEAR                    a score is close to the threshold: 0.5 if it is equal, 0 at MARGIN
======================  ==========================================================================

The kinds up to COUNT need neighbouring frames of a video.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from kpviewer.scanning.matching import by_overlap, greedy, near_pairs, renamed
from kpviewer.scanning.selection import Survivors
from kpviewer.scanning.sightings import Links, Sightings, mutual_pairs, sightings_of
from kpviewer.structures import BoolArray, FloatArray, IntArray, Thresholds

MAX_GAP = 3
"""Greatest number of frames that an object may be gone for."""
MARGIN = 0.05
"""Distance of a score from the threshold at which it is no longer close."""
LEAST_BOX_JUMP, LEAST_LANDMARK_JUMP = 0.15, 0.1
"""Least jumps, in diagonals of the box."""
LEAST_DIFFERENCE = 0.3
"""Least suspicion of a disagreement."""
LEAST_SHAPE = 0.25
"""Least deviation from the usual shape, in sides of the box."""
UNUSUAL = 6.0
"""How many times larger than the median of the clip a deviation must be."""
ROOM = 0.2
"""Share of a box's sides by which landmarks may lie outside."""
FEW_FOR_SHAPE = 20
"""Number of detections of a class from which there is a usual shape."""


class Kind(Enum):
    """Reason to suspect a frame."""

    GONE = "gone"
    BRIEF = "brief"
    BOX_JUMP = "box jump"
    LANDMARK_JUMP = "landmark jump"
    COUNT = "count"
    DISAGREEMENT = "disagreement"
    OUTSIDE = "outside"
    SHAPE = "shape"
    NEAR = "near"


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """Signs of one kind: (S,) each, in any order."""

    kind: Kind
    frames: IntArray
    suspicion: FloatArray
    class_ids: IntArray | None = None
    values: Mapping[str, FloatArray | IntArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class SecondScan:
    """What the second model found, to compare with the first."""

    survivors: Sequence[Survivors]
    thresholds: Thresholds
    shared_ids: Mapping[int, int]
    """Classes of the first model by those of the second, where both have the class."""


def near_threshold(likely: Sightings) -> Signs:
    """Return scores close to the threshold."""
    away = np.abs(likely.scores - likely.least)
    rows = np.flatnonzero(away < MARGIN)
    return Signs(
        Kind.NEAR,
        likely.frames[rows],
        0.5 * (1 - away[rows] / MARGIN),
        likely.class_ids[rows],
        {"score": likely.scores[rows], "threshold": likely.least[rows]},
    )


def flicker(seen: Sightings, links: Links, is_wanted: Callable[[], bool]) -> list[Signs]:
    """Return objects that are gone for a few frames, and those that are there for one alone."""
    ends, begins = links.following < 0, links.preceding < 0
    is_brief = ends & begins & _has_neighbours(seen)[seen.frames]
    gone: list[tuple[IntArray, IntArray, int]] = []
    for gap in range(1, MAX_GAP + 1):
        pairs = mutual_pairs(seen, ends, begins, gap + 1, is_wanted)
        ends[pairs.rows] = begins[pairs.others] = False
        is_brief[pairs.rows] = is_brief[pairs.others] = False
        gone.append((pairs.rows, pairs.others, gap))
    before = np.concatenate([rows for rows, _, _ in gone])
    after = np.concatenate([others for _, others, _ in gone])
    gaps = np.repeat([gap for *_, gap in gone], [len(rows) for rows, _, _ in gone])
    strength = (_margin(seen, before) + _margin(seen, after)) / 2
    brief = np.flatnonzero(is_brief)
    return [
        Signs(
            Kind.GONE,
            seen.frames[before] + 1,
            (0.5 + 0.5 * strength - 0.1 * (gaps - 1)).astype(np.float32),
            seen.class_ids[before],
            {"frames": gaps},
        ),
        Signs(
            Kind.BRIEF,
            seen.frames[brief],
            0.3 + 0.5 * _margin(seen, brief),
            seen.class_ids[brief],
            {"score": seen.scores[brief]},
        ),
    ]


def _has_neighbours(seen: Sightings) -> BoolArray:
    """Return which frames have scanned frames right before and after them: (F,)."""
    close = np.diff(seen.frame_index) == 1
    has = np.zeros(len(seen.frame_index), np.bool_)
    has[1:-1] = close[:-1] & close[1:]
    return has


def _margin(seen: Sightings, rows: IntArray) -> FloatArray:
    """Return how far scores are above their thresholds: 0 to 1."""
    room = np.maximum(1 - seen.least[rows], 1e-6)
    return np.asarray((seen.scores[rows] - seen.least[rows]) / room, np.float32)


def jumps(seen: Sightings, links: Links) -> list[Signs]:
    """Return boxes and landmarks that aren't half-way between those before and after."""
    rows = np.flatnonzero((links.following >= 0) & (links.preceding >= 0))
    before, after = links.preceding[rows], links.following[rows]
    centres, sides, points = seen.centres, seen.sides, seen.points_xy
    diagonal = np.linalg.norm((sides[before] + sides[after]) / 2, axis=1)
    shift = centres[rows] - (centres[before] + centres[after]) / 2
    moved = np.linalg.norm(shift, axis=1) / diagonal
    grown = np.abs(np.log(sides[rows] ** 2 / (sides[before] * sides[after]))) / 2
    box = np.maximum.reduce([moved, grown[:, 0], grown[:, 1]])
    signs = [_jump(Kind.BOX_JUMP, seen, rows, box, LEAST_BOX_JUMP, {})]
    if points.shape[1]:
        bent = points[rows] - (points[before] + points[after]) / 2 - shift[:, None]
        away = np.nan_to_num(np.linalg.norm(bent, axis=2)) / diagonal[:, None]
        worst = away.argmax(axis=1)
        share = away[np.arange(len(rows)), worst]
        point = {"point": worst}
        signs.append(_jump(Kind.LANDMARK_JUMP, seen, rows, share, LEAST_LANDMARK_JUMP, point))
    return signs


def _jump(
    kind: Kind,
    seen: Sightings,
    rows: IntArray,
    share: FloatArray,
    least: float,
    values: Mapping[str, IntArray],
) -> Signs:
    """Return the jumps that are large, and unusual in this clip."""
    usual = float(np.median(share)) if len(share) else 0.0
    large = np.flatnonzero(share >= max(least, UNUSUAL * usual))
    kept = {name: each[large] for name, each in values.items()}
    return Signs(
        kind,
        seen.frames[rows[large]],
        np.minimum(share[large] / 0.5, 1),
        seen.class_ids[rows[large]],
        {"share": share[large], **kept},
    )


def count_changes(seen: Sightings) -> Signs:
    """Return frames with far more or far fewer objects than the frame before."""
    counts = seen.counts()
    before, after = counts[:-1], counts[1:]
    step, larger = np.abs(after - before), np.maximum(before, after)
    sudden = (np.diff(seen.frame_index) == 1) & (step >= 2) & (2 * step >= larger)
    frames = np.flatnonzero(sudden)
    return Signs(
        Kind.COUNT,
        frames + 1,
        (step[frames] / (larger[frames] + 1)).astype(np.float32),
        values={"before": before[frames], "after": after[frames]},
    )


def odd_landmarks(seen: Sightings) -> list[Signs]:
    """Return landmarks outside their box, and shapes that are far from the usual one."""
    points = seen.points_xy.shape[1]
    if not points or not len(seen):
        return []
    places = (seen.points_xy - seen.xyxy[:, None, :2]) / seen.sides[:, None]
    beyond = np.maximum(-places, places - 1)
    over = np.maximum(beyond[..., 0], beyond[..., 1])
    outside = over > ROOM  # (N, K), false for NaN
    rows = np.flatnonzero(outside.any(axis=1))
    signs = []
    if len(rows) * 5 < len(seen):  # some models place landmarks outside on purpose
        far = np.nanmax(np.where(outside, over, 0)[rows], axis=1, initial=0)
        signs.append(
            Signs(
                Kind.OUTSIDE,
                seen.frames[rows],
                np.minimum(0.3 + far, 1).astype(np.float32),
                seen.class_ids[rows],
                {"points": outside[rows].sum(axis=1)},
            )
        )
    if points >= 3:
        signs.append(_odd_shapes(seen, places))
    return signs


def _odd_shapes(seen: Sightings, places: FloatArray) -> Signs:
    """Return objects whose landmarks aren't where those of the class usually are."""
    off = np.zeros(len(seen), np.float32)
    for class_id in np.unique(seen.class_ids):
        mine = np.flatnonzero(seen.class_ids == class_id)
        own = places[mine]
        own = own[:, np.isfinite(own).any(axis=(0, 2))]
        if len(mine) < FEW_FOR_SHAPE or not own.shape[1]:
            continue
        away = np.linalg.norm(own - np.nanmedian(own, axis=0), axis=2)
        deviation = np.nan_to_num(away).max(axis=1)
        usual = float(np.median(deviation))
        off[mine] = np.where(deviation >= max(LEAST_SHAPE, UNUSUAL * usual), deviation, 0)
    rows = np.flatnonzero(off)
    return Signs(Kind.SHAPE, seen.frames[rows], np.minimum(off[rows], 1), seen.class_ids[rows])


def disagreement(seen: Sightings, other: SecondScan, is_wanted: Callable[[], bool]) -> Signs:
    """Return frames in which two models found different objects."""
    second = sightings_of(other.survivors, other.thresholds)
    beyond = int(seen.class_ids.max(initial=-1)) + 1
    second = replace(second, class_ids=renamed(second.class_ids, other.shared_ids, beyond))
    common, rows, second_rows = np.intersect1d(
        seen.frame_index, second.frame_index, assume_unique=True, return_indices=True
    )
    classes = 1 + max(int(each.class_ids.max(initial=0)) for each in (seen, second))
    first_of, second_of = (np.full(len(each.frame_index), -1, np.int64) for each in (seen, second))
    first_of[rows], second_of[second_rows] = np.arange(len(common)), np.arange(len(common))
    seen = seen.take(first_of[seen.frames] >= 0)
    second = second.take(second_of[second.frames] >= 0)
    frames, second_frames = first_of[seen.frames], second_of[second.frames]
    groups = second_frames * classes + second.class_ids
    keys = frames * classes + seen.class_ids
    pairs, overlap = near_pairs(second.xyxy, groups, seen.xyxy, keys, 0.5, is_wanted)
    order = by_overlap(pairs, overlap)
    taken = order[greedy(pairs.take(order), groups, len(seen))]
    count = len(common)
    at = second_frames[pairs.rows[taken]]
    both = np.bincount(at, minlength=count)
    agreed = np.bincount(at, overlap[taken], minlength=count)
    only_a = np.bincount(frames, minlength=count) - both
    only_b = np.bincount(second_frames, minlength=count) - both
    total = both + only_a + only_b
    suspicion = np.where(total > 0, 1 - agreed / np.maximum(total, 1), 0)
    found = np.flatnonzero(suspicion >= LEAST_DIFFERENCE)
    values = {"both": both[found], "only_a": only_a[found], "only_b": only_b[found]}
    return Signs(Kind.DISAGREEMENT, rows[found], suspicion[found].astype(np.float32), values=values)
