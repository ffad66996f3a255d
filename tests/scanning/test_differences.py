"""Differences of two models in all frames equal those of each frame by itself."""

import numpy as np
import pytest
from rotated_scenes import turned

from kpviewer.models.selection import select
from kpviewer.pipeline.results.comparing import difference
from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of
from kpviewer.scanning.differences import differences
from kpviewer.scanning.selection import survivors
from kpviewer.structures import Candidates, Thresholds

NAMES = ("face", "hand"), ("Hand", "car", "FACE")
SHARED = {0: 1, 2: 0}


def frame(seed: int, classes: int, points: int) -> Candidates:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 9))
    corner = rng.choice([0, 40, 80], (count, 2)) + rng.uniform(-3, 3, (count, 2))
    return Candidates(
        np.concatenate([corner, corner + rng.uniform(25, 35, (count, 2))], 1).astype(np.float32),
        rng.uniform(0, 1, (count, classes)).astype(np.float32),
        rng.uniform(0, 99, (count, points, 2)).astype(np.float32),
        rng.uniform(0, 1, (count, points)).astype(np.float32) if points else None,
        (110, 110),
    )


def scan(frames: dict[int, Candidates], classes: int, points: int) -> CandidateColumns:
    scanned = (ScannedFrame(index, None, each) for index, each in frames.items())
    return columns_of(scanned, classes, points, 0.05)


@pytest.mark.parametrize(
    ("points", "shared", "degrees"),
    [
        ((2, 2), None, 0),
        ((0, 2), None, 0),
        ((5, 5), None, 0),
        ((2, 2), [1, 0], 0),
        ((3, 2), [2, -1], 0),
        ((2, 2), None, 33),
    ],
)
def test_all_frames_equal_each_by_itself(points, shared, degrees):
    at = Thresholds(0.3, keypoint=0.4), Thresholds(0.5, class_scores={2: 0.2}, keypoint=0.6)
    first = {index: frame(index, 2, points[0]) for index in range(40)}
    second = {index: frame(index + 99, 3, points[1]) for index in range(10, 50)}
    if degrees:
        first, second = (
            {index: turned(each, degrees) for index, each in side.items()}
            for side in (first, second)
        )
    parts = [
        [
            survivors(scan({i: own[i] for i in range(lo, hi) if i in own}, classes, k), own_at)
            for lo, hi in ((0, 20), (20, 50))
        ]
        for own, classes, k, own_at in zip((first, second), (2, 3), points, at, strict=True)
    ]
    found = differences(parts[0], parts[1], at, SHARED, shared)
    assert found is not None
    assert found.frame_index.tolist() == list(range(10, 40))
    for row, index in enumerate(range(10, 40)):
        each = select(first[index], at[0]), select(second[index], at[1])
        expected = difference(*each, *NAMES, shared)
        mine = found.error(row)
        assert (mine.matched, mine.false_negatives, mine.false_positives) == (
            expected.matched,
            expected.false_negatives,
            expected.false_positives,
        )
        assert mine.keypoints_not_predicted == expected.keypoints_not_predicted
        names = "mean_px", "nme", "mean_iou"
        both = [[getattr(each, name) for name in names] for each in (mine, expected)]
        np.testing.assert_allclose(*np.array(both, float), rtol=1e-5)  # None is NaN


def test_without_a_common_frame_there_is_none():
    at = Thresholds()
    one = survivors(scan({0: frame(0, 2, 0)}, 2, 0), at)
    other = survivors(scan({1: frame(0, 2, 0)}, 2, 0), at)
    for first, second in (([], [one]), ([one], []), ([one], [other])):
        assert differences(first, second, (at, at), {0: 0, 1: 1}) is None
