from dataclasses import replace

import numpy as np
import pytest

from kpviewer.metrics.keypoint import keypoint_score, normaliser_notes, normalisers, object_errors
from kpviewer.structures import Detections, GroundTruth

FACE = np.array([[30, 30], [50, 30], [40, 40], [32, 50], [48, 50]], np.float32)
BOXES = np.array([[20, 20, 60, 60], [120, 20, 160, 60]], np.float32)


def two_faces(errors_px):
    """Return two faces, and detections whose points are all off by the given px."""
    points = np.stack([FACE, FACE + np.array((100, 0))]).astype(np.float32)
    shift = np.array(errors_px, np.float32)[:, None, None] * np.array([1.0, 0.0], np.float32)
    ground_truth = GroundTruth(
        BOXES, np.zeros(2, np.int64), points, np.ones((2, 5), np.bool_), np.zeros(2, np.bool_)
    )
    ones = np.ones((2, 5), np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    return Detections(BOXES, scores, np.zeros(2, np.int64), points + shift, ones), ground_truth


def test_each_matched_face_gives_its_own_error():
    errors = object_errors(*two_faces([1.0, 4.0]))
    assert errors.objects == pytest.approx((0.05, 0.2))
    assert errors.not_predicted == 0


def test_faces_that_no_person_labelled_are_left_out():
    detections, ground_truth = two_faces([1.0, 4.0])
    errors = object_errors(detections, ground_truth, counted=np.array([False, True]))
    assert errors.objects == pytest.approx((0.2,))


def test_points_below_the_threshold_are_not_compared():
    detections, ground_truth = two_faces([1.0, 4.0])
    sure = np.array([[0.9, 0.2, 0.9, 0.9, 0.9], [0.1] * 5], np.float32)
    points = detections.keypoints_xy.copy()
    points[0, 1] += 1000  # a guess that the model itself doesn't believe
    found = replace(detections, keypoints_xy=points, keypoint_scores=sure, keypoint_threshold=0.5)
    errors = object_errors(found, ground_truth)
    assert errors.objects == pytest.approx((0.05,))
    assert errors.not_predicted == 6
    assert keypoint_score(errors.objects, 5, errors.not_predicted).not_predicted == 6
    everything = object_errors(replace(found, keypoint_threshold=0.0), ground_truth)
    assert everything.objects[0] > 10
    assert everything.not_predicted == 0


def test_a_face_counts_without_its_nose_but_not_without_an_eye():
    detections, ground_truth = two_faces([1.0, 4.0])
    seen = np.array([[True, True, False, True, True], [True, False, True, True, True]])
    errors = object_errors(detections, replace(ground_truth, keypoints_visible=seen))
    assert errors.objects == pytest.approx((0.05,))


@pytest.mark.parametrize(
    ("names", "noted"),
    [
        (["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"], False),
        (["Reye", "Leye", "n", "l", "r"], False),
        (["thumb", "index", "middle", "ring", "little"], True),
        (["1", "2", "3", "4", "5"], True),
        (["a", "b"], False),
        ([], False),
    ],
)
def test_five_points_that_are_no_face_are_noted(names, noted):
    notes = normaliser_notes(names)
    assert len(notes) == noted
    assert not noted or f"{names[0]!r} and {names[1]!r}" in notes[0]


def test_eyes_in_one_place_and_a_box_without_extent_are_no_units():
    _, faces = two_faces([0.0, 0.0])
    points = faces.keypoints_xy.copy()
    points[1, 1] = points[1, 0]
    np.testing.assert_equal(normalisers(replace(faces, keypoints_xy=points)), [20, np.nan])
    boxes = np.array([[1, 2, 31, 42], [5, 5, 5, 5]], np.float32)
    others = replace(
        faces, xyxy=boxes, keypoints_xy=points[:, :2], keypoints_visible=np.ones((2, 2), np.bool_)
    )
    np.testing.assert_equal(normalisers(others), [50, np.nan])


def test_model_with_other_keypoints_has_no_error():
    detections, _ = two_faces([0.0, 0.0])
    assert object_errors(detections, GroundTruth.empty(14)).objects == ()


def test_score_is_mean_median_and_90th_percentile_over_faces():
    score = keypoint_score([0.1, 0.2, 0.6], 5)
    assert (score.mean, score.median, score.p90) == pytest.approx((0.3, 0.2, 0.52))
    assert (score.objects, score.normaliser) == (3, "inter-ocular")


def test_score_of_nothing_is_unknown():
    score = keypoint_score([], 14)
    assert (score.mean, score.median, score.objects) == (None, None, 0)
    assert score.normaliser == "box diagonal"
