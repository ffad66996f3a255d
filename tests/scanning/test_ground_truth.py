"""Ground truth of many frames in flat arrays."""

from dataclasses import replace

import numpy as np

from kpviewer.scanning.ground_truth import ground_truth_columns
from kpviewer.structures import GroundTruth


def objects(*lefts: float, points: int = 2, labelled: frozenset[int] | None = None) -> GroundTruth:
    count = len(lefts)
    return GroundTruth(
        np.array([(left, 0, left + 9, 9) for left in lefts], np.float32).reshape(-1, 4),
        np.arange(count),
        np.full((count, points, 2), 5, np.float32),
        np.ones((count, points), np.bool_),
        np.zeros(count, np.bool_),
        labelled_ids=labelled,
    )


def test_frames_ascend_and_keep_their_objects():
    columns = ground_truth_columns({9: objects(1.0), 4: objects(2.0, 3.0), 6: objects()})
    assert columns.frame_index.tolist() == [4, 6, 9]
    assert columns.frame_rows.tolist() == [0, 0, 2]
    assert columns.objects.xyxy[:, 0].tolist() == [2, 3, 1]
    assert columns.rows_of(np.array([9, 5, 4, 99])).tolist() == [2, -1, 0, -1]
    assert ground_truth_columns({}).rows_of(np.array([0, 1])).tolist() == [-1, -1]


def test_missing_keypoints_are_not_labelled():
    columns = ground_truth_columns({0: objects(1.0), 1: objects(1.0, points=0)})
    assert columns.objects.keypoints_visible.tolist() == [[True, True], [False, False]]


def test_classes_are_labelled_frame_by_frame():
    some = replace(objects(1.0), labelled_ids=frozenset({1}))
    columns = ground_truth_columns({0: objects(1.0), 1: some})
    labelled = columns.is_labelled(np.array([0, 1, 1]), np.array([0, 0, 1]))
    assert labelled.tolist() == [True, False, True]


def test_areas_are_kept_and_those_of_boxes_stand_in_for_others():
    stated = replace(objects(1.0, 2.0), mask_areas=np.array([7, 60], np.float32))
    columns = ground_truth_columns({0: stated, 1: objects(3.0)})
    assert columns.objects.areas.tolist() == [7, 60, 81]
