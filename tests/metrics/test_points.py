import numpy as np
import pytest

from kpviewer.metrics.points import pck_correct, pck_lengths, point_score, root_mse
from kpviewer.structures import GroundTruth

POSE = ("right_shoulder", "left_hip", "neck")


def poses(points, visible=None, boxes=None):
    points = np.array(points, np.float32)
    count = points.shape[:2]
    return GroundTruth(
        np.array(boxes or [[0, 0, 50, 100]] * count[0], np.float32),
        np.zeros(count[0], np.int64),
        points,
        np.ones(count, np.bool_) if visible is None else np.array(visible),
        np.zeros(count[0], np.bool_),
    )


def test_a_point_is_right_within_a_share_of_the_length():
    gaps = np.array([[19.9, 20.0, 20.1, np.nan]], np.float32)
    hits = pck_correct(gaps, np.array([100], np.float32))
    assert hits[0, :3].tolist() == [1, 1, 0]
    assert np.isnan(hits[0, 3])
    assert np.isnan(pck_correct(gaps, np.array([np.nan], np.float32))).all()


def test_poses_are_measured_by_their_torso_and_other_objects_by_their_box():
    ground_truth = poses([[[10, 20], [40, 60], [5, 5]]])
    lengths, unit = pck_lengths(ground_truth, POSE)
    assert (lengths.tolist(), unit) == ([50], "torso")
    assert pck_lengths(ground_truth, [name.title().replace("_", " ") for name in POSE])[1] == unit
    lengths, unit = pck_lengths(ground_truth, ("a", "b", "c"))
    assert (lengths.tolist(), unit) == ([100], "longest side of the box")


def test_a_pose_without_a_known_torso_is_not_counted():
    ground_truth = poses(
        [[[0, 0], [30, 40], [5, 5]]] * 2, [[True, True, True], [True, False, True]]
    )
    found = ground_truth.keypoints_xy + np.array([[[0, 11]], [[0, 1]]], np.float32)
    score = point_score(found, ground_truth, POSE)
    assert score.pck == 0  # of the first only: 11 px of 50 are too many
    assert score.objects == 2
    assert score.mean_px == pytest.approx((3 * 11 + 2 * 1) / 5)  # of all points that are seen


def test_the_root_of_the_mean_square_is_over_coordinates():
    ground_truth = poses([[[0, 0], [0, 0], [0, 0]]])
    found = np.array([[[3, 4], [1, 2], [99, 99]]], np.float32)
    visible = np.array([[True, True, False]])
    # (9 + 16 + 1 + 4) / 4 = 7.5
    assert root_mse(found, ground_truth.keypoints_xy, visible) == pytest.approx(7.5**0.5)


def test_the_score_of_a_set_by_hand():
    ground_truth = poses([[[0, 0], [30, 40], [5, 5]], [[0, 0], [60, 80], [5, 5]]])
    found = ground_truth.keypoints_xy.copy()
    found[0, 2] += (6, 8)  # 10 px: 0.2 of 50
    found[1, 0] += (0, 21)  # of 100
    found[1, 1] += (-3, 4)
    score = point_score(found, ground_truth, POSE)
    assert score.objects == 2
    assert score.mean_px == pytest.approx((10 + 21 + 5) / 6)
    assert score.root_mse_px == pytest.approx(((100 + 441 + 25) / 12) ** 0.5)
    assert score.pck == pytest.approx(5 / 6)
    assert score.pck_by_point == pytest.approx((0.5, 1, 1))
    diagonal = (50**2 + 100**2) ** 0.5
    assert score.nme.mean == pytest.approx((10 / 3 + 26 / 3) / 2 / diagonal)
    assert score.bias == pytest.approx(((6 - 3) / 6 / diagonal, (8 + 21 + 4) / 6 / diagonal))
    assert score.bias_by_point[1] == pytest.approx((-3 / 2 / diagonal, 4 / 2 / diagonal))


def test_hidden_points_do_not_count_for_the_bias():
    ground_truth = poses(
        [[[0, 0], [30, 40], [5, 5]]] * 2, [[True, True, False], [True, False, False]]
    )
    found = ground_truth.keypoints_xy + np.array([2, -1], np.float32)
    found[0, 2] = found[1, 1] = 999
    score = point_score(found, ground_truth, POSE)
    each = pytest.approx((2 / 12500**0.5, -1 / 12500**0.5))  # 50 x 100 px
    assert (score.bias, score.bias_by_point[1]) == (each, each)
    assert score.bias_by_point[2] is None


def test_nothing_labelled_has_no_score():
    ground_truth = poses([[[0, 0], [1, 1], [2, 2]]], [[False] * 3])
    score = point_score(ground_truth.keypoints_xy, ground_truth, POSE)
    assert (score.objects, score.mean_px, score.root_mse_px, score.pck) == (0, None, None, None)
    assert score.pck_by_point == score.bias_by_point == (None, None, None)
    assert score.bias is None


def test_a_nan_prediction_is_wrong_not_left_out():
    ground_truth = poses([[[0, 0], [30, 40], [5, 5]]])
    found = ground_truth.keypoints_xy.copy()
    found[0, 2] = np.nan
    score = point_score(found, ground_truth, POSE)
    assert score.mean_px is not None and score.mean_px > 1e5
    assert score.pck == pytest.approx(2 / 3)


def test_a_face_whose_eyes_are_one_point_has_no_unit():
    ground_truth = poses([[[10, 10], [10, 10], [9, 9], [8, 8], [7, 7]],
                          [[0, 0], [10, 0], [5, 5], [2, 8], [8, 8]]])  # fmt: skip
    score = point_score(ground_truth.keypoints_xy + 1, ground_truth, "abcde")
    assert score.nme.objects == 1
    assert score.nme.mean == pytest.approx(2**0.5 / 10)
    assert score.bias == pytest.approx((0.1, 0.1))
