"""Agreement of two runs of one model."""

import numpy as np
import pytest

from kpviewer.metrics.agreement import agreement
from kpviewer.structures import Detections


def detections(*rows):
    """Return detections from (x, score, class, x of the keypoint); boxes are 100 px wide."""
    return Detections(
        np.array([(x, 0, x + 100, 100) for x, *_ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, *_ in rows], np.float32),
        np.array([kind for _, _, kind, _ in rows], np.int64),
        np.array([[(at, 0)] for *_, at in rows], np.float32).reshape(-1, 1, 2),
        np.full((len(rows), 1), np.nan, np.float32),
    )


def test_largest_differences_are_those_of_matched_detections():
    first = [detections((0, 0.9, 0, 50), (500, 0.8, 1, 550)), detections((0, 0.7, 0, 50))]
    second = [detections((2, 0.85, 0, 55), (500, 0.8, 1, 550)), detections((1, 0.62, 0, 50))]
    result = agreement(first, second)
    assert (result.box_px, result.keypoint_px) == (2, 5)
    assert result.score == pytest.approx(0.08, abs=1e-6)
    assert (result.unmatched, result.detections) == (0, 3)


def test_detections_that_only_one_run_has_are_counted_and_not_compared():
    first = [detections((0, 0.9, 0, 50), (500, 0.8, 0, 550))]
    other_class_and_far_away = detections((0, 0.3, 1, 90), (900, 0.2, 0, 990))
    result = agreement(first, [other_class_and_far_away])
    assert (result.unmatched, result.detections) == (4, 2)
    assert (result.box_px, result.keypoint_px, result.score) == (None, None, None)


def test_two_identical_runs_agree():
    run = [detections((0, 0.9, 0, 50)), detections()]
    result = agreement(run, run)
    assert (result.box_px, result.keypoint_px, result.score, result.unmatched) == (0, 0, 0, 0)


def test_a_keypoint_that_is_not_a_number_is_not_compared():
    first = [detections((0, 0.9, 0, np.nan))]
    assert agreement(first, [detections((0, 0.9, 0, 5))]).keypoint_px is None
