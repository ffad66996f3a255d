"""Label sets by hand: four images, two classes."""

import numpy as np
import pytest

from kpviewer.metrics.multilabel import ThresholdSweep, multilabel_score, sweep_thresholds

SCORES = np.array([[0.9, 0.1], [0.8, 0.7], [0.3, 0.6], [0.2, 0.4]], np.float32)
PRESENT = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.bool_)
ALL = np.ones((4, 2), np.bool_)


def test_scores_at_one_threshold_are_those_by_hand():
    score = multilabel_score(SCORES, PRESENT, ALL, 0.5)
    # message: the first class in images 0 and 1, the second in 1 and 2; wrong: (1, 0) and (2, 0)
    assert score.accuracy_multi == pytest.approx(6 / 8)
    assert score.f1 == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    first, second = score.classes
    assert (first.positives, first.precision, first.recall) == (2, 0.5, 0.5)
    assert (second.positives, second.precision, second.recall) == (2, 1.0, 1.0)
    # hits of the first class at ranks 1 and 3: (1/1 + 2/3) / 2
    assert first.average_precision == pytest.approx(5 / 6)
    assert second.average_precision == pytest.approx(1.0)
    assert score.mean_average_precision == pytest.approx((5 / 6 + 1) / 2)


def test_the_sweep_finds_the_centre_of_the_best_thresholds():
    sweep = sweep_thresholds(SCORES, PRESENT, ALL)
    # F1 from 0.21 to 0.30: every true one message, two too many: 8 / (8 + 2)
    assert sweep.f1[20:30] == pytest.approx(0.8)
    assert sweep.f1.max() == pytest.approx(0.8)
    assert sweep.best("f1") == 0.25
    # 6 of 8 right there as well, and from 0.41 to 0.60, which is longer
    assert sweep.accuracy_multi[40:60] == pytest.approx(0.75)
    assert sweep.best("accuracy_multi") == 0.5


@pytest.mark.parametrize("threshold", [0.35, 0.7, 0.9])
def test_a_score_at_a_step_of_the_sweep_is_predicted_as_at_that_threshold(threshold):
    scores, sure = np.array([[threshold]], np.float32), np.ones((1, 1), np.bool_)
    sweep = sweep_thresholds(scores, sure, sure)
    assert sweep.f1[round(threshold * 100) - 1] == 1.0
    assert multilabel_score(scores, sure, sure, threshold).f1 == 1.0


def test_the_longest_run_of_equal_thresholds_is_taken_not_a_single_peak():
    thresholds = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], np.float32)
    values = np.array([0.9, 0.1, 0.9, 0.9, 0.9, 0.1, 0.9], np.float32)
    assert ThresholdSweep(thresholds, values, values).best() == pytest.approx(0.4)


def test_unknown_decisions_do_not_count():
    known = ALL.copy()
    known[1:3, 0] = False  # the two wrong decisions
    score = multilabel_score(SCORES, PRESENT, known, 0.5)
    assert (score.accuracy_multi, score.f1) == (1.0, 1.0)
    assert score.classes[0].positives == 1


def test_a_class_in_no_image_has_no_average_precision():
    present = PRESENT.copy()
    present[:, 0] = False
    score = multilabel_score(SCORES, present, ALL, 0.5)
    assert score.classes[0].average_precision is None
    assert score.mean_average_precision == pytest.approx(1.0)
    nothing = multilabel_score(SCORES, np.zeros_like(PRESENT), np.zeros_like(ALL), 0.5)
    assert nothing.mean_average_precision is None
    assert nothing.accuracy_multi == 0.0
