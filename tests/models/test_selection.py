"""Selection of detections from candidates: thresholds, classes, limits."""

import weakref
from dataclasses import replace

import numpy as np
import pytest

from kpviewer.models.ranking import Rows, dense
from kpviewer.models.selection import select, select_again
from kpviewer.structures import Candidates, NmsKind, Thresholds


def candidates(scores: list[list[float]], keypoints: int = 2) -> Candidates:
    """Boxes side by side, far apart."""
    count = len(scores)
    left = np.arange(count, dtype=np.float32) * 100
    xyxy = np.stack([left, left * 0, left + 50, left * 0 + 50], 1)
    points = np.repeat(xyxy[:, None, :2], keypoints, axis=1)
    return Candidates(xyxy, np.array(scores, np.float32).reshape(count, -1), points)


def test_detections_are_sorted_by_score_with_their_own_points():
    found = select(candidates([[0.6], [0.9], [0.3]]), Thresholds(score=0.5))
    assert found.scores.tolist() == [np.float32(0.9), np.float32(0.6)]
    assert found.keypoints_xy[:, 0, 0].tolist() == [100.0, 0.0]
    assert found.keypoint_scores.shape == (2, 2)


def test_a_score_equal_to_the_threshold_is_kept():
    assert len(select(candidates([[0.5]]), Thresholds(score=0.5))) == 1


@pytest.mark.parametrize("kind", NmsKind)
def test_a_score_of_0_is_no_detection_at_any_threshold(kind):
    found = select(candidates([[0.7, 0.0], [0.0, 0.0]]), Thresholds(score=0.0, nms=kind))
    assert found.class_ids.tolist() == [0]


def test_one_candidate_may_be_two_classes():
    found = select(candidates([[0.7, 0.8]]), Thresholds())
    assert found.class_ids.tolist() == [1, 0]


def test_hidden_classes_are_left_out():
    hidden = Thresholds(classes=frozenset({1}))
    assert select(candidates([[0.9, 0.1], [0.1, 0.8]]), hidden).class_ids.tolist() == [1]


def test_a_class_may_have_its_own_threshold():
    own = Thresholds(score=0.5, class_scores={1: 0.95})
    assert select(candidates([[0.9, 0.9]]), own).class_ids.tolist() == [0]


def test_the_number_of_detections_is_limited():
    many = candidates([[0.5 + index / 100] for index in range(20)])
    assert len(select(many, Thresholds(max_detections=7))) == 7


def test_without_candidates_or_shown_classes_there_is_no_detection():
    for kind in NmsKind:
        assert len(select(Candidates.empty(2, 5), Thresholds(nms=kind))) == 0
    assert len(select(candidates([[0.9]]), Thresholds(classes=frozenset()))) == 0


def test_soft_nms_drops_scores_below_the_threshold():
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 9]], np.float32)  # IoU 0.9
    two = Candidates(xyxy, np.array([[0.9], [0.8]], np.float32), np.zeros((2, 0, 2), np.float32))
    assert len(select(two, Thresholds(nms=NmsKind.SOFT_LINEAR, score=0.5))) == 1
    assert len(select(two, Thresholds(nms=NmsKind.SOFT_LINEAR, score=0.05))) == 2


def test_boxes_are_clipped_to_the_image_once_nms_is_done():
    # as whole boxes they overlap by 60/140, clipped to the image by 60/80
    xyxy = np.array([[-60, 0, 40, 10], [-20, 0, 60, 10]], np.float32)
    scores = np.array([[0.9], [0.8]], np.float32)
    points = np.zeros((2, 0, 2), np.float32)
    whole = Candidates(xyxy, scores, points, size_wh=(40, 8))
    found = select(whole, Thresholds(iou=0.5))
    assert found.xyxy.tolist() == [[0, 0, 40, 8], [0, 0, 40, 8]]


def test_candidates_with_a_known_overlap_are_left_out_from_the_limit_on():
    three = replace(candidates([[0.9], [0.8], [0.7]]), overlaps=np.array([0, 0.5, 0.4], np.float32))
    found = select(three, Thresholds(iou=0.5))
    assert found.xyxy[:, 0].tolist() == [0, 200]
    assert len(select(three, Thresholds(iou=0.5, nms=NmsKind.NONE))) == 3


def test_boxes_with_a_known_overlap_are_not_compared():
    crossed = candidates([[0.9], [0.8]])
    crossed = replace(crossed, xyxy=crossed.xyxy[[0, 0]], overlaps=np.zeros(2, np.float32))
    for kind in NmsKind:
        assert select(crossed, Thresholds(nms=kind)).scores.tolist() == pytest.approx([0.9, 0.8])


def test_keypoints_have_their_own_scores_or_none():
    plain = candidates([[0.9], [0.6]])
    assert np.isnan(select(plain, Thresholds()).keypoint_scores).all()
    own = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    scored = replace(plain, keypoint_scores=own)
    assert select(scored, Thresholds(score=0.7)).keypoint_scores.tolist() == [own[0].tolist()]


def test_detections_know_the_threshold_of_keypoints():
    scores = np.array([[0.9]], np.float32)
    own = np.array([[0.5, 0.49, 1.0]], np.float32)
    xyxy, points = np.array([[0, 0, 9, 9]], np.float32), np.zeros((1, 3, 2), np.float32)
    found = select(Candidates(xyxy, scores, points, own), Thresholds(keypoint=0.5))
    assert found.keypoints_predicted.tolist() == [[True, False, True]]
    assert found.take(np.array([0])).keypoint_threshold == 0.5
    everything = select(Candidates(xyxy, scores, points, own), Thresholds(keypoint=0.0))
    assert everything.keypoints_predicted.all()
    unscored = select(Candidates(xyxy, scores, points), Thresholds(keypoint=1.0))
    assert unscored.keypoints_predicted.all()
    assert not unscored.has_keypoint_scores


def test_rows_of_opposite_infinities_go_without_a_warning():
    far = float("inf")
    xyxy = np.array([[-far, -far, far, far], [0, 0, 10, 10]], np.float32)
    rows = Rows(xyxy, np.full((2, 1), 0.9, np.float32), np.zeros((2, 0, 2), np.float32))
    assert dense([rows]).xyxy.tolist() == [[[0, 0, 10, 10]]]


@pytest.mark.parametrize("limit", [300, 5])
def test_a_selection_at_other_thresholds_is_that_of_all_candidates(limit):
    random = np.random.default_rng(3)
    corner = random.uniform(0, 200, (300, 2))
    xyxy = np.concatenate([corner, corner + random.uniform(20, 60, (300, 2))], 1)
    scores = np.round(random.uniform(0, 1, (300, 3)) ** 3, 2)  # with ties
    crowd = Candidates(
        xyxy.astype(np.float32),
        scores.astype(np.float32),
        random.uniform(0, 200, (300, 2, 2)).astype(np.float32),
        random.uniform(0, 1, (300, 2)).astype(np.float32),
        size_wh=(180, 180),
    )
    looser = replace(crowd, overlaps=random.uniform(0, 1, 300).astype(np.float32))
    asked = Thresholds(max_detections=limit)
    for score in (0.6, 0.02, 0.3, 0.1, 0.0, 0.5, 0.31):
        for changed in (
            replace(asked, score=score),
            replace(asked, score=score, iou=0.2, classes=frozenset({0, 2})),
            replace(asked, score=score, class_scores={1: 0.07}),
            replace(asked, score=score, nms=NmsKind.SOFT_LINEAR),
            replace(asked, score=score, nms=NmsKind.NONE),
        ):
            for own in (crowd, looser):
                expected, found = select(own, changed), select_again(own, changed)
                assert np.array_equal(found.xyxy, expected.xyxy)
                assert np.array_equal(found.scores, expected.scores)
                assert np.array_equal(found.class_ids, expected.class_ids)
                assert np.array_equal(found.keypoints_xy, expected.keypoints_xy)
                assert np.array_equal(found.keypoint_scores, expected.keypoint_scores)


def test_what_was_selected_last_is_kept_no_longer_than_its_frame():
    crowd = candidates([[0.9], [0.8]])
    select_again(crowd, Thresholds())
    frame = weakref.ref(crowd)
    del crowd
    assert frame() is None
