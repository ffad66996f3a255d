"""Precision, recall, F1 and error in px, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from sample_results import objects

from kpviewer.metrics.localisation import (
    localisation_confusion,
    localisation_table,
    match_points,
    match_within,
)
from kpviewer.metrics.matching import FALSE_POSITIVE, IGNORED
from kpviewer.structures import Detections, GroundTruth


def boxes(points: list[tuple[float, float]], side: float) -> np.ndarray:
    table = np.array(points, np.float32).reshape(-1, 2)
    return np.concatenate([table - side / 2, table + side / 2], 1).astype(np.float32)


def detections(*rows: tuple[float, float, int], keypoints: bool = True) -> Detections:
    """Return detections from rows (x, y, class), best first."""
    count = len(rows)
    points = np.array([row[:2] for row in rows], np.float32).reshape(count, 1, 2)
    return Detections(
        boxes([row[:2] for row in rows], 30),
        np.linspace(0.9, 0.6, count).astype(np.float32),
        np.array([row[2] for row in rows], np.int64),
        points if keypoints else points[:, :0],
        np.ones((count, int(keypoints)), np.float32),
    )


def ground_truth(
    *rows: tuple[float, float, int], side: float = 20, difficult: bool = False
) -> GroundTruth:
    count = len(rows)
    return objects(
        boxes([row[:2] for row in rows], side), [row[2] for row in rows], np.full(count, difficult)
    )


def test_the_table_counts_each_class_and_all_of_them():
    found = [
        detections((100, 50, 0), (300, 50, 1), (500, 50, 0)),  # 3 px off, 4 px off, nothing there
        detections((203, 54, 0), (400, 40, 1)),  # 5 px off; of the wrong class
        detections(),
    ]
    true = [
        ground_truth((103, 50, 0), (300, 54, 1)),
        ground_truth((200, 50, 0), (400, 40, 0)),
        ground_truth((10, 10, 1)),
    ]
    table = localisation_table(found, true, ("fi", "hb"))
    fi, hb = table.rows
    assert (fi.name, fi.true_positives, fi.false_positives, fi.false_negatives, fi.support) == (
        "fi",
        2,
        1,
        1,
        3,
    )
    assert (hb.name, hb.true_positives, hb.false_positives, hb.false_negatives, hb.support) == (
        "hb",
        1,
        1,
        1,
        2,
    )
    assert fi.precision == pytest.approx(2 / 3)
    assert fi.recall == pytest.approx(2 / 3)
    assert hb.f1 == pytest.approx(0.5)
    assert fi.mean_px == pytest.approx(4.0)  # 3 and 5
    assert fi.p95_px == pytest.approx(4.9)  # 95 % of the way from 3 to 5
    assert hb.mean_px == pytest.approx(4.0)
    total = table.total
    assert (total.true_positives, total.false_positives, total.false_negatives) == (3, 2, 2)
    assert total.f1 == pytest.approx(6 / 10)
    assert total.mean_px == pytest.approx(4.0)


def test_a_match_is_near_enough_whatever_the_overlap():
    far, near = detections((115.5, 50, 0)), detections((114.5, 50, 0))
    target = ground_truth((100, 50, 0), side=6)
    assert match_points(far, target).false_negatives.tolist() == [True]
    assert match_points(far, target).false_positives.tolist() == [True]
    assert match_points(near, target).false_negatives.tolist() == [False]
    assert match_points(near, target, max_px=10).false_negatives.tolist() == [True]


def test_the_best_detection_takes_the_nearest_and_each_object_is_found_once():
    matches = match_points(
        detections((300, 50, 0), (104, 50, 0), (100, 50, 0), (99, 50, 0)),
        ground_truth((100, 50, 0), (112, 50, 0)),
    )
    assert matches.detection_rows.tolist() == [1, 2]
    assert matches.ground_truth_rows.tolist() == [0, 1]
    assert matches.distance_px.tolist() == [4.0, 12.0]
    assert matches.false_positives.tolist() == [True, False, False, True]


def test_an_object_of_the_largest_size_counts():
    matches = match_points(detections((100, 50, 0)), ground_truth((100, 50, 0)), largest_px=20)
    assert matches.ground_truth_rows.tolist() == [0]


@pytest.mark.parametrize("kind", [{"difficult": True}, {"side": 90}], ids=["difficult", "too long"])
def test_ignored_objects_are_neither_matched_nor_missed(kind):
    found = detections((100, 50, 0), (130, 50, 0), (160, 50, 0), (102, 50, 1))
    table = localisation_table(
        [found], [ground_truth((100, 50, 0), **kind)], ("fi", "hb"), largest_px=40
    )
    inside = 2 if "side" in kind else 1  # of the box of 90 px, or within 15 px of its centre
    assert (table.rows[0].true_positives, table.rows[0].false_negatives) == (0, 0)
    assert table.rows[0].false_positives == 3 - inside
    assert table.rows[1].false_positives == 1  # of another class
    assert table.rows[0].mean_px is None


def test_without_objects_and_detections_there_is_no_share():
    table = localisation_table([detections()], [ground_truth()], ("fi",))
    assert table.total.precision is None
    assert table.total.recall is None
    assert table.total.f1 is None


def test_keypoints_count_where_both_sides_have_them():
    found = detections((100, 50, 0))
    true = ground_truth((100, 50, 0))
    points = np.array([[[103, 54]]], np.float32)
    pointed = GroundTruth(
        true.xyxy, true.class_ids, points, np.ones((1, 1), np.bool_), true.difficult
    )
    assert match_points(found, pointed).distance_px.tolist() == [5.0]
    assert match_points(detections((100, 50, 0), keypoints=False), pointed).distance_px == [0.0]


def test_objects_without_the_first_keypoint_are_compared_by_their_boxes():
    found = detections((300, 50, 0), (100, 50, 0))
    true = ground_truth((100, 54, 0), (300, 50, 0))
    points = np.array([[[0, 0]], [[303, 54]]], np.float32)
    labelled = np.array([[False], [True]])
    pointed = GroundTruth(true.xyxy, true.class_ids, points, labelled, true.difficult)
    matches = match_points(found, pointed)
    assert matches.ground_truth_rows.tolist() == [1, 0]
    assert matches.distance_px.tolist() == [5, 4]
    assert not matches.false_positives.any() and not matches.false_negatives.any()


def test_different_keypoints_are_compared_by_boxes():
    true = ground_truth((100, 50, 0))
    points = np.array([[[110, 50], [100, 60]]], np.float32)  # the first is another one
    pointed = replace(true, keypoints_xy=points, keypoints_visible=np.ones((1, 2), np.bool_))
    assert match_points(detections((100, 50, 0)), pointed).distance_px == [0.0]


def test_the_confusion_matrix_matches_by_distance_alone():
    found = [
        detections((100, 50, 0), (300, 50, 1), (500, 50, 0)),  # right, right, nothing there
        detections((203, 54, 0), (400, 40, 1)),  # right; hb where there is fi
    ]
    true = [
        ground_truth((103, 50, 0), (300, 54, 1)),
        ground_truth((200, 50, 0), (400, 40, 0), (10, 10, 1)),  # the last is missed
    ]
    counts = localisation_confusion(found, true, 2)
    assert counts.tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]


def test_the_confusion_matrix_leaves_out_what_doesn_t_count():
    difficult = ground_truth((100, 50, 0), difficult=True)
    large = ground_truth((100, 50, 0), side=90)
    for true in (difficult, large):
        counts = localisation_confusion([detections((101, 50, 1))], [true], 2, largest_px=40)
        assert not counts.any()
    assert localisation_confusion([detections()], [ground_truth()], 1).tolist() == [[0, 0], [0, 0]]


def test_matches_within_a_distance_have_the_form_of_those_by_overlap():
    found = detections((114, 50, 0), (300, 50, 0), (500, 50, 0))  # 14 px off, nothing, difficult
    true = ground_truth((100, 50, 0), (700, 50, 0), (510, 50, 0), side=30)
    true = replace(true, difficult=np.array([False, False, True]))
    matches = match_within(found, true, 15.0)
    assert matches.ground_truth_index.tolist() == [0, FALSE_POSITIVE, IGNORED]
    assert (matches.false_positives, matches.false_negatives) == (1, 1)
    assert matches.iou[0] == pytest.approx(16 / 44)
