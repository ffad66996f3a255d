"""Lanes of everything that was scanned, their pixel columns, and the worst frames."""

from dataclasses import replace

import numpy as np
import pytest

from kpviewer.models.selection import select
from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of
from kpviewer.scanning.frame_errors import FrameErrors
from kpviewer.scanning.lanes import BINS, How, Lanes, lanes_of, peaks, reduced
from kpviewer.scanning.selection import survivors
from kpviewer.structures import Candidates, Thresholds

NAN = float("nan")


def frame(*scores: tuple[float, float]) -> Candidates:
    """Boxes far apart, with scores for two classes."""
    left = np.arange(len(scores), dtype=np.float32) * 100
    boxes = np.stack([left, left * 0, left + 50, left * 0 + 50], 1)
    own = np.array(scores, np.float32).reshape(-1, 2)
    return Candidates(boxes, own, np.zeros((len(scores), 0, 2), np.float32))


def scan(frames: dict[int, Candidates]) -> CandidateColumns:
    return columns_of((ScannedFrame(i, None, each) for i, each in frames.items()), 2, 0, 0.05)


FRAMES = {
    2: frame((0.9, 0), (0.45, 0), (0, 0.7)),
    3: frame(),
    5: frame((0.3, 0.06)),
}


def lanes(thresholds: Thresholds, frames: range = range(7), **more: FrameErrors) -> Lanes:
    parts = [scan({2: FRAMES[2], 3: FRAMES[3]}), scan({5: FRAMES[5]})]
    return lanes_of(
        [survivors(part, thresholds) for part in parts], thresholds, frames=frames, **more
    )


def errors(index: list[int], px: list[float], missed: list[int], false: list[int]) -> FrameErrors:
    unknown = np.full(len(index), np.nan)
    counts = np.zeros(len(index), np.int64)
    return FrameErrors(
        np.array(index), unknown, np.array(px), unknown, unknown, counts,
        np.array(missed), np.array(false), counts, "box diagonal",
    )  # fmt: skip


def test_found_are_the_detections_and_minus_one_is_not_scanned():
    assert lanes(Thresholds(0.5)).found.tolist() == [-1, -1, 2, 0, -1, 0, -1]
    assert lanes(Thresholds(0.4)).found.tolist() == [-1, -1, 3, 0, -1, 0, -1]
    assert lanes(Thresholds(0.4, classes=frozenset({1}))).found[2] == 1
    assert lanes(Thresholds(0.4, class_scores={0: 0.2})).found.tolist()[-2:] == [1, -1]
    assert lanes(Thresholds()).scanned == 3


def test_scores_are_those_of_shown_classes_whatever_the_confidence():
    for score in (0.2, 0.8):
        both = lanes(Thresholds(score))
        np.testing.assert_allclose(both.best, [NAN, NAN, 0.9, 0, NAN, 0.3, NAN])
        assert both.heat[2].tolist() == [0, 0, 0, 1, 0, 1, 0, 1]  # 0.45, 0.7, 0.9 in eighths
        assert both.heat[5].tolist() == [1, 0, 1, 0, 0, 0, 0, 0]
        one = lanes(Thresholds(score, classes=frozenset({1}), class_scores={1: 0.9}))
        np.testing.assert_allclose(one.best, [NAN, NAN, 0.7, 0, NAN, 0.06, NAN])
        assert one.heat.sum(axis=1).tolist() == [0, 0, 1, 0, 0, 1, 0]


def test_lanes_may_be_of_some_frames_only():
    some = lanes(Thresholds(0.4), range(3, 6))
    assert some.first == 3
    assert some.found.tolist() == [0, -1, 0]
    assert len(some) == 3
    assert lanes(Thresholds(), range(100, 102)).found.tolist() == [-1, -1]
    assert len(lanes_of([], Thresholds(), frames=range(0))) == 0


def test_a_score_of_one_is_in_the_last_bin():
    whole = survivors(scan({0: frame((1.0, 0))}), Thresholds())
    assert lanes_of([whole], Thresholds(), frames=range(1)).heat[0, BINS - 1] == 1


def test_the_number_found_equals_select():
    rng = np.random.default_rng(0)
    originals = {i: frame(*rng.uniform(0, 1, (6, 2)).tolist()) for i in range(20)}
    for thresholds in (Thresholds(0.3), Thresholds(0.6, max_detections=2)):
        kept = survivors(scan(originals), thresholds)
        found = lanes_of([kept], thresholds, frames=range(20)).found
        assert found.tolist() == [len(select(each, thresholds)) for each in originals.values()]


def test_errors_are_put_at_their_frames():
    of = errors([2, 5, 9], [1.5, NAN, 3.0], [0, 1, 1], [2, 0, 0])
    both = lanes(Thresholds(), errors=of, differences=errors([3], [4.0], [1], [2]))
    np.testing.assert_array_equal(both.error_px, np.array([NAN, NAN, 1.5, NAN, NAN, NAN, NAN]))
    assert both.missed.tolist() == [-1, -1, 0, -1, -1, 1, -1]
    assert both.false_alarms.tolist() == [-1, -1, 2, -1, -1, 0, -1]
    assert both.disagreements.tolist() == [-1, -1, -1, 3, -1, -1, -1]
    assert both.difference_px[3] == 4.0
    assert both.mistakes.tolist() == [-1, -1, 2, -1, -1, 1, -1]
    assert both.deviation_px is both.error_px


def test_without_ground_truth_the_deviation_is_the_difference():
    two = lanes(Thresholds(), differences=errors([3], [4.0], [1], [2]))
    assert (two.has_errors, two.has_differences) == (False, True)
    assert two.deviation_px is two.difference_px
    assert two.mistakes is two.disagreements
    none = lanes(Thresholds())
    assert (none.has_errors, none.has_differences) == (False, False)
    assert np.isnan(none.deviation_px).all()
    assert none.worst(5, 1) == []


def test_worst_have_most_mistakes_then_the_greatest_error():
    of = errors([2, 3, 5], [90.0, 1.0, 8.0], [0, 1, 0], [0, 0, 0])
    assert lanes(Thresholds(), errors=of).worst(9, 1) == [3, 2, 5]
    assert lanes(Thresholds(), range(1, 7), errors=of).worst(2, 1) == [3, 2]
    assert lanes(Thresholds(), errors=of).worst(9, 2) == [3, 5]
    perfect = replace(of, mean_px=np.zeros(3), false_negatives=np.zeros(3, np.int64))
    assert lanes(Thresholds(), errors=perfect).worst(9, 1) == []


def test_a_bad_passage_is_one_peak():
    values = np.array([0, 1, 5, 5, 4, 0, 0, 3, 0, 5], float)
    assert peaks(values, 9, 3) == [2, 9]
    assert peaks(values, 9, 2) == [2, 9, 4, 7]
    assert peaks(values, 1, 1) == [2]
    assert peaks(np.zeros(0), 3, 1) == []


def test_one_bad_frame_of_100_000_is_seen():
    values = np.ones(100_000)
    values[56_789] = 40
    columns = reduced(values, np.linspace(0, 100_000, 1201), How.MAX)
    assert np.flatnonzero(columns == 40).tolist() == [56_789 * 1200 // 100_000]
    assert columns.min() == 1


@pytest.mark.parametrize("how", list(How))
@pytest.mark.parametrize(
    ("first", "last", "width"),
    [(0, 97, 10), (3, 50, 7), (20, 25, 40), (0, 97, 97), (-5, 120, 30), (0, 0.9, 8)],
)
def test_columns_equal_a_loop(how, first, last, width):
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 9, 97).astype(np.float32)
    values[rng.random(97) < 0.3] = np.nan
    edges = np.linspace(first, last, width + 1)
    function = {How.MAX: np.nanmax, How.MIN: np.nanmin, How.MEAN: np.nanmean}[how]
    expected = []
    for left, right in zip(np.floor(edges[:-1]), np.floor(edges[1:]), strict=True):
        rows = np.arange(left, max(right, left + 1))
        own = values[rows[(rows >= 0) & (rows < 97)].astype(int)]
        expected.append(function(own) if np.isfinite(own).any() else np.nan)
    np.testing.assert_allclose(reduced(values, edges, how), expected, rtol=1e-5)


def test_whole_numbers_below_zero_are_unknown():
    found = np.array([-1, 2, 0, -1], np.int32)
    np.testing.assert_array_equal(reduced(found, np.array([0, 2, 3, 4]), How.MAX), [2, 0, np.nan])
    np.testing.assert_array_equal(reduced(found, np.array([0, 3, 4]), How.MEAN), [1, np.nan])


def test_bins_are_reduced_one_by_one():
    heat = np.array([[1, 0], [3, 0], [0, 5]], np.int32)
    assert reduced(heat, np.array([0, 2, 3]), How.MEAN).tolist() == [[2, 0], [0, 5]]


def test_columns_outside_of_the_frames_are_unknown():
    values = np.ones(4)
    for edges in ([9, 10, 11], [-5, -4, -3]):
        assert np.isnan(reduced(values, np.array(edges, float), How.MAX)).all()
    assert np.isnan(reduced(np.zeros(0), np.arange(4.0), How.MEAN)).all()
