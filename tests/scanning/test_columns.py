"""Candidates of many frames in columns: nothing that selection needs is lost."""

from dataclasses import replace

import numpy as np
import pytest

from kpviewer.models.selection import select
from kpviewer.scanning.columns import (
    CandidateColumns,
    ScannedFrame,
    columns_of,
    concatenated,
    floor_for,
)
from kpviewer.structures import Candidates, Detections, NmsKind, Thresholds

FLOOR = 0.05


def candidates(seed: int, count: int = 12, *, classes: int = 3, points: int = 2) -> Candidates:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (count, 2))
    xyxy = np.concatenate([corner, corner + rng.uniform(10, 60, (count, 2))], 1)
    scores = rng.uniform(0, 1, (count, classes)) ** 4  # most are below the floor
    return Candidates(
        xyxy.astype(np.float32),
        scores.astype(np.float32),
        rng.uniform(0, 99, (count, points, 2)).astype(np.float32),
        rng.uniform(0, 1, (count, points)).astype(np.float32),
        (80, 70),
    )


def columns(*frames: tuple[int, Candidates]) -> CandidateColumns:
    return columns_of((ScannedFrame(index, index / 30, one) for index, one in frames), 3, 2, FLOOR)


def assert_same(found: Detections, expected: Detections) -> None:
    for name in ("xyxy", "scores", "class_ids", "keypoints_xy", "keypoint_scores"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("kind", list(NmsKind))
@pytest.mark.parametrize("score", [FLOOR, 0.3])
def test_select_finds_the_same_in_columns_as_in_the_original(kind, score):
    originals = [candidates(seed) for seed in range(5)]
    kept = columns(*enumerate(originals))
    for thresholds in (Thresholds(score, nms=kind), Thresholds(score, class_scores={1: 0.6})):
        for row, original in enumerate(originals):
            assert_same(select(kept.candidates(row), thresholds), select(original, thresholds))


def test_only_scores_that_reach_the_floor_are_kept():
    xyxy = np.array([[0, 0, 9, 9]] * 3, np.float32)
    scores = np.array([[0.04, 0.01, 0], [0.05, 0.7, 0.049], [0, 0, 0.2]], np.float32)
    kept = columns((4, Candidates(xyxy, scores, np.zeros((3, 2, 2), np.float32))))
    assert kept.frame_index.tolist() == [4]
    assert kept.starts.tolist() == [0, 2]
    assert kept.entry_rows.tolist() == [0, 0, 1]
    assert kept.entry_classes.tolist() == [0, 1, 2]
    assert kept.entry_scores.tolist() == np.array([0.05, 0.7, 0.2], np.float32).tolist()


def test_frames_ascend_and_of_two_the_last_counts():
    old, new, other = candidates(0), candidates(1), candidates(2)
    kept = columns((7, old), (3, other), (7, new))
    assert kept.frame_index.tolist() == [3, 7]
    assert_same(select(kept.candidates(1), Thresholds()), select(new, Thresholds()))


def test_a_frame_without_candidates_counts_and_needs_no_shape():
    kept = columns((0, Candidates.empty()), (1, candidates(1)), (2, Candidates.empty()))
    assert np.diff(kept.starts)[[0, 2]].tolist() == [0, 0]
    assert len(kept.candidates(2)) == 0
    assert len(columns()) == 0


def test_a_frame_may_have_no_position_and_no_size():
    one = replace(candidates(0), size_wh=None)
    kept = columns_of([ScannedFrame(0, None, one)], 3, 2, FLOOR)
    assert np.isnan(kept.position_s).tolist() == [True]
    assert kept.candidates(0).size_wh is None


def test_overlaps_and_their_absence_can_be_mixed():
    plain = candidates(0)
    overlapped = replace(candidates(1), overlaps=np.linspace(0, 1, 12, dtype=np.float32))
    unscored = replace(candidates(2), keypoint_scores=None)
    originals = [plain, overlapped, unscored]
    mixed = columns(*enumerate(originals))
    joined = concatenated([columns((row, each)) for row, each in enumerate(originals)])
    for kept in (mixed, joined):
        for row, original in enumerate(originals):
            assert_same(
                select(kept.candidates(row), Thresholds(0.1)), select(original, Thresholds(0.1))
            )


def test_parts_are_joined_in_the_order_of_their_frames():
    originals = {index: candidates(index) for index in (0, 1, 2, 5, 6)}
    old = columns((5, candidates(99)), (6, originals[6]))
    first = columns(*((index, originals[index]) for index in (0, 1, 2)))
    joined = concatenated([old, first, columns((5, originals[5]))])
    whole = columns(*originals.items())
    for name in ("frame_index", "starts", "xyxy", "entry_rows", "entry_classes", "entry_scores"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    joined.check_values()


def test_size_is_that_of_the_arrays():
    box, score = np.ones((1, 4), np.float32), np.ones((1, 1), np.float32)
    one = Candidates(box, score, np.zeros((1, 0, 2), np.float32))
    kept = columns_of([ScannedFrame(0, 0.0, one)], 1, 0, FLOOR)
    # frame: index 8, position 8, size 8, starts 16; row: box 16; entry: row 8, class 4, score 4
    assert kept.nbytes == 40 + 16 + 16


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("frame_index", np.array([3, 3]), "frame_index"),
        ("frame_index", np.array([-1, 3]), "frame_index"),
        ("size_wh", np.full((2, 2), -1, np.int32), "size_wh"),
        ("starts", np.array([0, 3, 1]), "starts"),
        ("starts", np.array([0, 1, 9]), "starts"),
        ("entry_rows", np.array([0, 0]), "entry_rows"),
        ("entry_rows", np.array([1, 0]), "entry_rows"),
        ("entry_classes", np.array([0, 3], np.int32), "entry_classes"),
        ("entry_classes", np.array([-1, 0], np.int32), "entry_classes"),
        ("entry_scores", np.array([0.5, np.nan], np.float32), "entry_scores"),
        ("entry_scores", np.array([0.5, 0.01], np.float32), "entry_scores"),
        ("entry_scores", np.array([0.5, 1.5], np.float32), "entry_scores"),
    ],
)
def test_values_out_of_range_are_refused(field, value, rule):
    one = Candidates(
        np.ones((1, 4), np.float32), np.array([[0, 0.5, 0]], np.float32),
        np.ones((1, 2, 2), np.float32),
    )  # fmt: skip
    good = columns((0, one), (1, one))
    good.check_values()
    with pytest.raises(ValueError, match=rule):
        replace(good, **{field: value}).check_values()


def test_a_wrong_shape_or_type_is_refused_at_once():
    good = columns((0, candidates(0)))
    with pytest.raises(ValueError, match="starts"):
        replace(good, starts=good.starts[:-1])
    with pytest.raises(ValueError, match="entry_rows"):
        replace(good, entry_rows=good.entry_rows.astype(np.int32))


def test_the_floor_is_below_a_low_threshold_of_the_model():
    assert floor_for(0.5) == 0.05
    assert floor_for(0.1) == 0.025
