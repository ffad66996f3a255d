import sys
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval
from sample_results import detections, objects

from kpviewer.metrics.average_precision import average_precision, average_precision_by_size


def seen(*rows):
    """Return detections from rows (x1, y1, x2, y2, score, class)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return detections(table[:, :4], table[:, 4], table[:, 5])


def true(*rows):
    """Return ground truth from rows (x1, y1, x2, y2, class, difficult)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return objects(table[:, :4], table[:, 4], table[:, 5])


def test_perfect_detections_score_one():
    ground_truths = [true((0, 0, 10, 10, 0, 0)), true((5, 5, 30, 30, 0, 0), (50, 50, 60, 60, 1, 0))]
    found = [
        seen((0, 0, 10, 10, 0.9, 0)),
        seen((5, 5, 30, 30, 0.8, 0), (50, 50, 60, 60, 0.7, 1)),
    ]
    result = average_precision(found, ground_truths, 2)
    assert (result.ap50, result.ap) == (pytest.approx(1.0), pytest.approx(1.0))
    assert result.ap50_by_class == pytest.approx((1.0, 1.0))


def test_a_false_positive_between_two_matches_lowers_the_score_by_hand():
    # Precision 1 up to recall 0.5, then 2/3: 51 of the 101 points lie at recall <= 0.5.
    ground_truths = [true((0, 0, 10, 10, 0, 0), (50, 50, 60, 60, 0, 0))]
    found = [seen((0, 0, 10, 10, 0.9, 0), (80, 80, 90, 90, 0.8, 0), (50, 50, 60, 60, 0.7, 0))]
    result = average_precision(found, ground_truths, 1)
    assert result.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize(("height", "passed"), [(7.2, 5), (5.2, 1)])
def test_an_overlap_counts_at_the_thresholds_that_it_passes(height, passed):
    # 10x10 against 10x7.2: IoU 0.72 passes 0.50, 0.55, 0.60, 0.65 and 0.70.
    result = average_precision([seen((0, 0, 10, height, 0.9, 0))], [true((0, 0, 10, 10, 0, 0))], 1)
    assert result.ap50 == pytest.approx(1.0)
    assert result.ap50_by_class == (pytest.approx(1.0),)
    assert result.ap == pytest.approx(passed / 10)


def test_classes_that_an_image_is_not_labelled_for_completely_count_only_as_matches():
    # By hand, as in LVIS: class 1 isn't labelled exhaustively, class 2 not at all.
    first = replace(true((0, 0, 10, 10, 0, 0), (50, 50, 60, 60, 1, 0)), labelled_ids=frozenset({0}))
    second = replace(true((0, 0, 10, 10, 2, 0)), labelled_ids=frozenset({1, 2}))
    found = seen(
        (0, 0, 10, 10, 0.9, 0),
        (20, 20, 30, 30, 0.95, 1),  # perhaps an object
        (50, 50, 60, 60, 0.8, 1),
        (0, 0, 10, 10, 0.7, 2),
    )
    result = average_precision([found, seen()], [first, second], 3)
    assert result.ap50_by_class == pytest.approx((1.0, 1.0, 0.0))
    result = average_precision([found, seen((9, 9, 30, 30, 0.9, 1))], [first, second], 3)
    assert result.ap50_by_class == pytest.approx((1.0, 0.5, 0.0))  # a false positive in the second


def test_objects_are_scored_by_area():
    # 40x20 px are small, 60x20 medium; of two large ones half are found: 51 of the 101 points
    small, medium = (0, 0, 40, 20), (0, 100, 60, 120)
    large, missed = (200, 200, 300, 300), (400, 200, 600, 300)
    ground_truths = [true(*((*box, 0, 0) for box in (small, medium, large, missed)))]
    found = [seen(*((*box, 0.9, 0) for box in (small, (0, 100, 43.2, 120), large)))]
    result = average_precision_by_size(found, ground_truths, 1)
    assert result == pytest.approx((1.0, 0.5, 51 / 101))


def test_detections_inside_an_ignore_region_count_neither_way():
    ground_truths = [true((0, 0, 10, 10, 0, 0), (40, 40, 90, 90, 0, 1))]
    crowd = [(45, 45, 55, 55, 0.95, 0), (60, 60, 70, 70, 0.94, 0)]
    found = [seen(*crowd, (0, 0, 10, 10, 0.9, 0))]
    assert average_precision(found, ground_truths, 1).ap50 == pytest.approx(1.0)


def test_a_missed_ignore_region_is_not_a_false_negative():
    ground_truths = [true((0, 0, 10, 10, 0, 0), (40, 40, 90, 90, 0, 1))]
    assert average_precision(
        [seen((0, 0, 10, 10, 0.9, 0))], ground_truths, 1
    ).ap50 == pytest.approx(1.0)


def test_classes_without_ground_truth_are_not_averaged():
    result = average_precision(
        [seen((0, 0, 10, 10, 0.9, 0), (0, 0, 10, 10, 0.8, 2))], [true((0, 0, 10, 10, 0, 0))], 3
    )
    assert result.ap50 == pytest.approx(1.0)
    assert result.ap50_by_class == (pytest.approx(1.0), None, None)


def test_nothing_to_find_has_no_precision():
    result = average_precision([seen((0, 0, 10, 10, 0.9, 0))], [true()], 1)
    assert (result.ap50, result.ap) == (None, None)


def test_nothing_found_scores_zero():
    assert average_precision([seen()], [true((0, 0, 10, 10, 0, 0))], 1).ap50 == 0.0


def test_nothing_is_written_to_stdout(capsys):
    average_precision([seen()], [true((0, 0, 10, 10, 0, 0))], 1)
    assert capsys.readouterr().out == ""


def test_what_other_threads_write_to_stdout_meanwhile_is_kept(capsys, monkeypatch):
    iou_of = COCOeval.computeIoU

    def reported(*arguments):
        sys.stdout.write("meanwhile\n")
        return iou_of(*arguments)

    monkeypatch.setattr(COCOeval, "computeIoU", reported)
    average_precision([seen()], [true((0, 0, 10, 10, 0, 0))], 1)
    assert capsys.readouterr().out == "meanwhile\n"
