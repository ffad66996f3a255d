from dataclasses import replace

import numpy as np
import pytest

from kpviewer.metrics.frame_error import frame_error
from kpviewer.structures import Detections, GroundTruth

FACE = [[30.0, 30.0], [50.0, 30.0], [40.0, 40.0], [32.0, 50.0], [48.0, 50.0]]  # eyes 20 px apart


def seen(boxes, points=None, classes=None):
    count = len(boxes)
    points = np.zeros((count, 0, 2)) if points is None else np.array(points)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.linspace(0.9, 0.5, count, dtype=np.float32),
        np.array(classes or [0] * count, np.int64),
        points.astype(np.float32),
        np.ones(points.shape[:2], np.float32),
    )


def true(boxes, points=None, *, visible=None, difficult=None, classes=None):
    count = len(boxes)
    points = np.zeros((count, 0, 2)) if points is None else np.array(points)
    return GroundTruth(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes or [0] * count, np.int64),
        points.astype(np.float32),
        np.ones(points.shape[:2], np.bool_) if visible is None else np.array(visible, np.bool_),
        np.array(difficult or [False] * count, np.bool_),
    )


def shifted(points, right_px, down_px):
    return np.array(points) + np.array((right_px, down_px))


BOX = [20, 20, 60, 60]
FAR = [200, 200, 240, 240]


@pytest.mark.parametrize(
    ("detections", "ground_truth", "counts"),
    [
        (seen([]), true([]), (0, 0, 0)),
        (seen([BOX]), true([]), (0, 0, 1)),
        (seen([]), true([BOX]), (0, 1, 0)),
        (seen([BOX]), true([BOX]), (1, 0, 0)),
        (seen([BOX, BOX]), true([BOX]), (1, 0, 1)),
        (seen([BOX]), true([BOX, FAR]), (1, 1, 0)),
        (seen([[20, 20, 60, 40]]), true([BOX]), (1, 0, 0)),  # IoU 20/40, the least that matches
        (seen([[20, 20, 60, 39]]), true([BOX]), (0, 1, 1)),  # IoU 19/40
        (seen([BOX], classes=[1]), true([BOX]), (0, 1, 1)),
        (seen([]), true([BOX], difficult=[True]), (0, 0, 0)),
        (seen([BOX]), true([BOX], difficult=[True]), (0, 0, 0)),
        (seen([BOX, BOX]), true([BOX], difficult=[True]), (0, 0, 0)),
        (seen([[30, 30, 40, 40]]), true([BOX], difficult=[True]), (0, 0, 0)),
        (seen([[40, 20, 80, 60]]), true([BOX], difficult=[True]), (0, 0, 0)),  # half of it inside
        (seen([[41, 20, 81, 60]]), true([BOX], difficult=[True]), (0, 0, 1)),
        (seen([FAR]), true([BOX], difficult=[True]), (0, 0, 1)),
        (seen([BOX]), true([BOX, BOX], difficult=[True, False]), (1, 0, 0)),
    ],
    ids=[
        "nothing",
        "false alarm",
        "miss",
        "hit",
        "the second of two is a false positive",
        "hit and miss",
        "half",
        "just under half",
        "another class",
        "difficult, not found",
        "difficult, found",
        "difficult, found twice",
        "inside a difficult region",
        "half inside a difficult region",
        "less than half inside a difficult region",
        "away from a difficult region",
        "the plain object goes before the difficult one",
    ],
)
def test_objects_are_counted(detections, ground_truth, counts):
    error = frame_error(detections, ground_truth)
    assert (error.matched, error.false_negatives, error.false_positives) == counts


def test_best_score_takes_the_object_that_a_lower_score_overlaps_more():
    better_placed = [20, 20, 60, 60]
    error = frame_error(seen([[20, 20, 60, 50], better_placed]), true([BOX]))
    assert (error.matched, error.false_positives) == (1, 1)
    assert error.mean_iou == pytest.approx(0.75)


def test_face_error_is_divided_by_the_distance_of_the_eyes():
    moved = shifted([FACE], 3, 4)  # 5 px each
    error = frame_error(seen([BOX], moved), true([BOX], [FACE]))
    assert error.mean_px == pytest.approx(5.0)
    assert error.nme == pytest.approx(0.25)
    assert error.nme_normaliser == "inter-ocular"


def test_hidden_points_are_not_compared():
    wrong_mouth = np.array([FACE], float)
    wrong_mouth[0, 3:] += 100.0
    wrong_mouth[0, 0] += [0.0, 6.0]
    visible = [[True, True, True, False, False]]
    error = frame_error(seen([BOX], wrong_mouth), true([BOX], [FACE], visible=visible))
    assert error.mean_px == pytest.approx(2.0)  # 6, 0 and 0
    assert error.nme == pytest.approx(0.1)


def test_face_with_a_hidden_eye_has_px_but_no_nme():
    visible = [[True, False, True, True, True]]
    moved = shifted([FACE], 3, 4)
    error = frame_error(seen([BOX], moved), true([BOX], [FACE], visible=visible))
    assert error.mean_px == pytest.approx(5.0)
    assert error.nme is None


def test_other_skeletons_are_divided_by_the_diagonal_of_the_box():
    points = [[[30.0, 30.0], [50.0, 30.0]]]
    error = frame_error(seen([[0, 0, 30, 40]], shifted(points, 0, 5)),
                        true([[0, 0, 30, 40]], points))  # fmt: skip
    assert error.nme == pytest.approx(0.1)
    assert error.nme_normaliser == "box diagonal"


def test_box_centres_are_compared_where_there_are_no_keypoints():
    error = frame_error(seen([[24, 23, 64, 63]]), true([BOX]))
    assert error.mean_px == pytest.approx(5.0)
    assert error.nme is None
    assert error.mean_iou == pytest.approx(36 * 37 / (2 * 1600 - 36 * 37))


def test_box_centres_are_compared_where_the_model_has_other_keypoints():
    error = frame_error(seen([BOX], [FACE[:2]]), true([BOX], [FACE]))
    assert (error.mean_px, error.nme) == (0.0, None)


def test_nothing_matched_gives_no_error():
    error = frame_error(seen([FAR], [FACE]), true([BOX], [FACE]))
    assert (error.mean_px, error.nme, error.mean_iou) == (None, None, None)


def test_classes_that_the_ground_truth_does_not_label_are_ignored():
    detections = seen([BOX, FAR, FAR], classes=[1, 0, 2])
    ground_truth = replace(true([BOX], classes=[1]), labelled_ids=frozenset({1, 2}))
    error = frame_error(detections, ground_truth)
    assert (error.matched, error.false_negatives, error.false_positives) == (
        1,
        0,
        1,
    )  # class 0 isn't labelled
    empty = replace(true([]), labelled_ids=frozenset({1}))
    assert frame_error(detections, empty).false_positives == 1


def test_keypoints_below_the_threshold_are_counted_and_not_compared():
    guess = shifted(FACE, 1, 0)
    guess[2] = (9999, 9999)
    found = replace(
        seen([BOX], [guess]),
        keypoint_scores=np.array([[0.9, 0.9, 0.3, 0.9, 0.4]], np.float32),
        keypoint_threshold=0.5,
    )
    visible = [[True, True, True, True, False]]
    error = frame_error(found, true([BOX], [FACE], visible=visible))
    assert error.mean_px == pytest.approx(1.0)
    assert error.nme == pytest.approx(1 / 20)
    assert error.keypoints_not_predicted == 1  # of the hidden point nothing is known
    assert frame_error(replace(found, keypoint_threshold=0.0), true([BOX], [FACE])).mean_px > 1000
    unsure = replace(found, keypoint_threshold=1.0)
    error = frame_error(unsure, true([BOX], [FACE]))
    assert (error.mean_px, error.nme, error.keypoints_not_predicted) == (None, None, 5)
