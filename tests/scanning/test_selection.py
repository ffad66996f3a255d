"""Selection from all frames at once equals ``select`` frame by frame."""

from dataclasses import replace

import numpy as np
import pytest

from kpviewer.models.selection import select
from kpviewer.scanning import selection, suppression
from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of
from kpviewer.scanning.selection import Superseded, ranked, shown, survivors
from kpviewer.structures import Candidates, NmsKind, Thresholds

FLOOR = 0.05


def frame(rng: np.random.Generator, classes: int, crowd: int) -> Candidates:
    """Candidates around a few objects, with ties of scores and of boxes, some of two classes."""
    count = int(rng.choice([0, 1, 5, 20, crowd]))
    objects = rng.uniform(0, 100, (4, 2))[rng.integers(0, 4, count)]
    corner = (objects + rng.integers(-4, 5, (count, 2))).round()
    xyxy = np.concatenate([corner, corner + rng.integers(8, 20, (count, 2))], 1)
    scores = rng.uniform(0, 1, (count, classes)) ** 2
    scores = scores.round(1) if rng.random() < 0.5 else scores  # ties
    scores[rng.random((count, classes)) < 0.4] = 0
    return Candidates(
        xyxy.astype(np.float32),
        scores.astype(np.float32),
        rng.uniform(0, 99, (count, 2, 2)).astype(np.float32),
        None,
        (90, 90) if rng.random() < 0.7 else None,
        rng.uniform(0, 1, count).astype(np.float32) if classes == 2 else None,
    )


def scan(originals: list[Candidates], classes: int) -> CandidateColumns:
    frames = (ScannedFrame(3 * row, None, one) for row, one in enumerate(originals))
    return columns_of(frames, classes, 2, FLOOR)


def assert_equal_to_select(
    columns: CandidateColumns, originals: list[Candidates], at: Thresholds, *others: Thresholds
) -> None:
    """Compare at thresholds, and at others with the survivors of the first."""
    remaining = survivors(columns, at)
    for thresholds in (at, *others):
        is_shown = shown(remaining, thresholds)
        for row, original in enumerate(originals):
            found = np.flatnonzero(is_shown & (remaining.frame_rows == row))
            expected = select(original, thresholds)
            for name in ("scores", "class_ids", "xyxy"):
                mine, its = getattr(remaining, name)[found], getattr(expected, name)
                np.testing.assert_array_equal(mine, its, err_msg=f"{name} of {row}, {thresholds}")
            points = columns.keypoints_xy[remaining.candidate_rows[found]]
            np.testing.assert_array_equal(points, expected.keypoints_xy)


@pytest.mark.parametrize("kind", list(NmsKind))
@pytest.mark.parametrize("classes", [1, 2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_frames_at_once_equal_frames_one_by_one(kind, classes, seed):
    rng = np.random.default_rng(seed)
    originals = [frame(rng, classes, crowd=80) for _ in range(25)]
    at = Thresholds(
        FLOOR, iou=float(rng.choice([0.0, 0.3, 0.5, 1.0])), nms=kind, sigma=rng.uniform(0.1, 0.9)
    )
    others = (
        replace(at, score=0.3),
        replace(at, score=0.8, classes=frozenset({0, 3, 9})),
        replace(at, score=0.5, class_scores={0: 0.2, 1: 0.9, 9: 0.1}, keypoint=0.9),
        replace(at, classes=frozenset()),
    )
    assert_equal_to_select(scan(originals, classes), originals, at, *others)


@pytest.mark.parametrize("kind", list(NmsKind))
@pytest.mark.parametrize("limit", [0, 1, 7])
def test_the_number_of_detections_is_limited_as_in_select(kind, limit):
    rng = np.random.default_rng(limit)
    originals = [frame(rng, 3, crowd=60) for _ in range(20)]
    at = Thresholds(FLOOR, nms=kind, max_detections=limit)
    others = (replace(at, score=0.4), replace(at, class_scores={1: 0.8}))
    assert_equal_to_select(scan(originals, 3), originals, at, *others)


@pytest.mark.parametrize("kind", list(NmsKind))
def test_slices_of_frames_change_nothing(kind, monkeypatch):
    monkeypatch.setattr(selection, "SLICE", 50)
    rng = np.random.default_rng(3)
    originals = [frame(rng, 2, crowd=120) for _ in range(30)]
    assert_equal_to_select(scan(originals, 2), originals, Thresholds(0.1, nms=kind))


@pytest.mark.parametrize("few", [0, 1000])
def test_a_few_crowds_are_worked_on_one_by_one(few, monkeypatch):
    monkeypatch.setattr(suppression, "FEW", few)
    monkeypatch.setattr(suppression, "PADDED", ())
    rng = np.random.default_rng(4)
    originals = [frame(rng, 2, crowd=60) for _ in range(20)]
    assert_equal_to_select(scan(originals, 2), originals, Thresholds(max_detections=9))


@pytest.mark.parametrize("padded", [(), (1, 5, 300), (300,)])
def test_groups_padded_or_not_give_the_same(padded, monkeypatch):
    monkeypatch.setattr(suppression, "PADDED", padded)
    monkeypatch.setattr(suppression, "GROUPS", 3)
    rng = np.random.default_rng(6)
    originals = [frame(rng, 2, crowd=60) for _ in range(20)]
    for limit in (300, 2):
        at = Thresholds(FLOOR, iou=0.6, max_detections=limit)
        assert_equal_to_select(scan(originals, 2), originals, at)
        kept = survivors(scan(originals, 2), at)
        _, counts = np.unique(kept.frame_rows * 2 + kept.class_ids, return_counts=True)
        assert counts.max() <= limit


def test_boxes_that_are_no_numbers_suppress_nothing():
    rng = np.random.default_rng(5)
    broken = [frame(rng, 1, crowd=10) for _ in range(9)]
    for one in broken:
        one.xyxy[::3] = np.nan
    for kind in NmsKind:
        assert_equal_to_select(scan(broken, 1), broken, Thresholds(FLOOR, nms=kind))


def test_by_hand():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]], np.float32)
    one = Candidates(
        boxes, np.array([[0.5], [0.9], [0.7]], np.float32), np.zeros((3, 0, 2), np.float32)
    )
    columns = columns_of(
        [ScannedFrame(4, None, one), ScannedFrame(6, None, one.empty())], 1, 0, FLOOR
    )
    kept = survivors(columns, Thresholds(iou=0.79))  # the first two overlap by 80/100
    assert kept.candidate_rows.tolist() == [1, 2]
    assert kept.frame_rows.tolist() == [0, 0]
    assert kept.starts.tolist() == [0, 2, 2]
    assert shown(kept, Thresholds(0.8)).tolist() == [True, False]
    assert survivors(columns, Thresholds(iou=0.81)).candidate_rows.tolist() == [1, 2, 0]


def test_a_known_order_of_entries_is_used_again():
    columns = scan([frame(np.random.default_rng(0), 2, 20) for _ in range(9)], 2)
    order = ranked(columns)
    for kind in NmsKind:
        again = survivors(columns, Thresholds(nms=kind), order=order)
        np.testing.assert_array_equal(
            again.candidate_rows, survivors(columns, Thresholds(nms=kind)).candidate_rows
        )


def test_nothing_is_found_in_no_frames():
    for kind in NmsKind:
        nothing = survivors(scan([], 1), Thresholds(nms=kind))
        assert len(nothing) == len(shown(nothing, Thresholds())) == 0
        assert nothing.starts.tolist() == [0]


def test_work_that_is_not_wanted_ends_between_slices(monkeypatch):
    monkeypatch.setattr(selection, "SLICE", 5)
    columns = scan([frame(np.random.default_rng(0), 1, 20) for _ in range(30)], 1)
    answers = iter([True, True, False])
    with pytest.raises(Superseded):
        survivors(columns, Thresholds(), is_wanted=lambda: next(answers))
    assert next(answers, None) is None
