"""Curves and counts, by hand and against pycocotools."""

from dataclasses import replace

import numpy as np
import pytest

from kpviewer.metrics.average_precision import average_precision
from kpviewer.metrics.curves import (
    ClassScore,
    PrecisionRecall,
    calibration,
    class_score,
    curve_of_matches,
    curves_by_class,
    threshold_curves,
    voc_average_precision,
)
from kpviewer.metrics.detection import MAX_CONFUSED, confusion_matrix, ranked_matches
from kpviewer.metrics.localisation import localisation_confusion, localisation_table
from kpviewer.structures import Detections, GroundTruth


def boxes(*positions: float) -> np.ndarray:
    """Return squares of 10 px, 20 px apart; a fraction of a position is an offset."""
    left = np.array(positions, np.float32).reshape(-1) * 20
    return np.stack([left, left * 0, left + 10, left * 0 + 10], 1).astype(np.float32)


def seen(*rows: tuple[float, float, int]) -> Detections:
    """Return detections from rows (position, score, class)."""
    rows = sorted(rows, key=lambda row: -row[1])
    count = len(rows)
    return Detections(
        boxes(*(row[0] for row in rows)),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int64),
        np.zeros((count, 0, 2), np.float32),
        np.zeros((count, 0), np.float32),
    )


def ground_truth(*rows: tuple[float, int], difficult: tuple[int, ...] = ()) -> GroundTruth:
    """Return ground truth from rows (position, class)."""
    hard = np.zeros(len(rows), np.bool_)
    hard[list(difficult)] = True
    count = len(rows)
    return GroundTruth(
        boxes(*(row[0] for row in rows)),
        np.array([row[1] for row in rows], np.int64),
        np.zeros((count, 0, 2), np.float32),
        np.zeros((count, 0), np.bool_),
        hard,
    )


# hit 0.9, false 0.8, hit 0.7, (another class 0.6), false 0.5; three true objects, one never found
IMAGES = (
    [seen((0, 0.9, 0), (5, 0.8, 0), (1, 0.6, 1)), seen((0, 0.7, 0), (7, 0.5, 0))],
    [ground_truth((0, 0), (1, 1)), ground_truth((0, 0), (3, 0))],
)


def precision_recall(
    found: list[Detections], true: list[GroundTruth], class_id: int
) -> PrecisionRecall:
    """Return the curve of the detections and the objects of one class alone."""
    own = [each.take(each.class_ids == class_id) for each in found]
    objects = [each.take(each.class_ids == class_id) for each in true]
    matched, scores, _ = ranked_matches(own, objects)
    return curve_of_matches(matched, scores, sum(int((~each.difficult).sum()) for each in objects))


def test_the_curve_goes_down_the_scores():
    curve = precision_recall(*IMAGES, class_id=0)
    assert curve.objects == 3
    assert curve.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.5])
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert curve.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_the_curves_of_all_classes_at_once_are_those_of_each():
    rng = np.random.default_rng(3)
    found, true = [], []
    for _ in range(30):
        spots = rng.integers(0, 6, 8).tolist()
        rows = [(spot + 0.1, round(float(rng.random()), 1), int(rng.integers(3))) for spot in spots]
        found.append(seen(*rows))  # with equal scores
        true.append(ground_truth(*((spot, spot % 4) for spot in range(6)), difficult=(1,)))
    true[0] = replace(true[0], labelled_ids=frozenset({0, 2}))
    for class_id, curve in enumerate(curves_by_class(found, true, 4)):
        alone = precision_recall(found, true, class_id)
        assert curve.objects == alone.objects
        for name in ("recall", "precision", "scores"):
            np.testing.assert_array_equal(getattr(curve, name), getattr(alone, name))


def test_a_class_at_a_threshold_by_hand():
    curve = precision_recall(*IMAGES, class_id=0)
    at = class_score(curve, 0.7)  # two true positives, one false positive, one of three not found
    assert (at.precision, at.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert at.f1 == pytest.approx(2 / 3)
    assert class_score(curve, 0.85) == ClassScore(1.0, pytest.approx(1 / 3))
    assert class_score(curve, 0.85).f1 == pytest.approx(2 * 1 / 3 / (4 / 3))
    assert class_score(curve, 0.95) == ClassScore(None, 0.0)
    assert class_score(curve, 0.95).f1 == 0
    nothing = class_score(precision_recall(*IMAGES, class_id=2), 0.5)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)


def test_voc_average_precision_by_hand():
    curve = precision_recall(*IMAGES, class_id=0)
    # the envelope is 1 up to a recall of 1/3, 2/3 up to 2/3, and nothing beyond
    assert voc_average_precision(curve) == pytest.approx(1 / 3 + 2 / 3 * 1 / 3)
    # of 0, 0.1 ... 1: four points at 1, three at 2/3, four at 0
    assert voc_average_precision(curve, eleven_points=True) == pytest.approx((4 + 3 * 2 / 3) / 11)
    assert voc_average_precision(precision_recall(*IMAGES, class_id=2)) is None


@pytest.mark.parametrize("found", range(11))
def test_eleven_points_reach_each_tenth_exactly(found):
    scores = np.linspace(1, 0.1, found, dtype=np.float32)
    curve = curve_of_matches(np.ones(found, np.bool_), scores, 10)
    tenths = found + 1 if found else 0  # 0, 0.1 ... of the recall
    assert voc_average_precision(curve, eleven_points=True) == pytest.approx(tenths / 11)


def test_area_is_near_what_coco_samples_at_101_points():
    rng = np.random.default_rng(5)
    found, true = [], []
    for _ in range(60):
        positions = rng.permutation(12)[:6]
        true.append(ground_truth(*((int(position), 0) for position in positions[:4])))
        rows = [(int(p), float(rng.beta(4, 2)), 0) for p in positions[:3]]
        rows += [(int(p), float(rng.beta(2, 4)), 0) for p in positions[4:]]
        found.append(seen(*rows))
    area = voc_average_precision(precision_recall(found, true, 0))
    assert area == pytest.approx(average_precision(found, true, 1).ap50, abs=0.01)


def test_difficult_objects_count_neither_way():
    found, true = [seen((0, 0.9, 0), (1, 0.8, 0))], [ground_truth((0, 0), (1, 0), difficult=(0,))]
    curve = precision_recall(found, true, 0)
    assert (curve.objects, curve.precision.tolist()) == (1, [1.0])
    assert confusion_matrix(found, true, 1).tolist() == [[1, 0], [0, 0]]


def test_calibration_by_hand():
    result = calibration(*IMAGES, bins=2)
    # under 0.5: none; from 0.5: scores 0.9 0.8 0.7 0.6 0.5, of which 0.9, 0.7 and 0.6 match
    assert result.counts.tolist() == [0, 5]
    assert np.isnan(result.precision[0])
    assert result.precision[1] == pytest.approx(3 / 5)
    assert result.mean_score[1] == pytest.approx(0.7)
    assert result.expected_error == pytest.approx(0.1)
    assert calibration([seen()], [ground_truth()]).expected_error is None


def test_a_sure_detection_belongs_to_the_last_bin():
    assert calibration([seen((0, 1.0, 0))], [ground_truth((0, 0))], bins=4).counts.tolist() == [
        0,
        0,
        0,
        1,
    ]


def test_confusion_by_hand():
    found = [seen((0, 0.9, 1), (1, 0.8, 1), (5, 0.7, 0), (2, 0.3, 0))]
    true = [ground_truth((0, 0), (1, 1), (2, 0))]
    # 0 taken for 1; 1 found; the third is missed, as its score is low; one 0 where nothing is
    assert confusion_matrix(found, true, 2).tolist() == [[0, 1, 1], [0, 1, 0], [1, 0, 0]]
    assert confusion_matrix(found, true, 2, score=0.2)[0].tolist() == [1, 1, 0]


def test_confusion_of_very_many_classes_is_left_out():
    assert confusion_matrix([], [], MAX_CONFUSED).shape == (1001, 1001)
    assert confusion_matrix([], [], MAX_CONFUSED + 1) is None
    assert localisation_confusion([], [], MAX_CONFUSED + 1) is None


def test_confusion_counts_labelled_classes_alone():
    found = [seen((0, 0.9, 1), (5, 0.7, 0))]
    true = [replace(ground_truth((0, 1), (1, 1)), labelled_ids=frozenset({1}))]
    assert confusion_matrix(found, true, 2).tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 0]]


def test_an_additional_detection_of_a_class_that_is_labelled_in_part_is_no_mistake():
    found = [seen((0, 0.9, 1), (5, 0.7, 1))]
    true = [replace(ground_truth((0, 1), (1, 0)), labelled_ids=frozenset({0}))]
    assert confusion_matrix(found, true, 2).tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert ranked_matches(found, true)[0].tolist() == [True]
    table = localisation_table(found, true, ("a", "b")).total
    assert (table.true_positives, table.false_positives, table.false_negatives) == (1, 0, 1)
    counts = localisation_confusion(found, true, 2)
    assert counts.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_many_thresholds_at_once_equal_each_alone():
    curve = precision_recall(*IMAGES, class_id=0)
    thresholds = np.array([0.0, 0.5, 0.51, 0.7, 0.71, 0.9, 0.95], np.float32)
    table = threshold_curves(curve, thresholds)
    for row, threshold in enumerate(thresholds):
        alone = class_score(curve, threshold)
        assert table.recall[row] == pytest.approx(alone.recall)
        assert table.f1[row] == pytest.approx(alone.f1)
        if alone.precision is None:
            assert np.isnan(table.precision[row])
        else:
            assert table.precision[row] == pytest.approx(alone.precision)
    assert table.f1[3] == pytest.approx(2 / 3)  # 2 TP, 1 FP, 1 FN


def test_no_ground_truth_has_no_recall_and_no_f1():
    table = threshold_curves(
        precision_recall([seen((0, 0.9, 0))], [ground_truth()], class_id=0),
        np.array([0.5], np.float32),
    )
    assert table.precision.tolist() == [0.0]
    assert np.isnan(table.recall).all()
    assert np.isnan(table.f1).all()
