"""Structures check shapes, types and ranges."""

from dataclasses import replace

import numpy as np
import pytest
from sample_results import detections, ground_truth

from kpviewer.structures import Candidates, Detections, Frame, GroundTruth, Thresholds


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"xyxy must have shape \(M, 4\), got \(4,\)"):
        Candidates(
            np.zeros(4, np.float32), np.zeros((1, 1), np.float32), np.zeros((1, 0, 2), np.float32)
        )


def test_a_wrong_dtype_is_named():
    with pytest.raises(ValueError, match="bgr must have dtype uint8, got float32"):
        Frame(0, 0, None, np.zeros((2, 2, 3), np.float32))


def test_counts_must_agree():
    with pytest.raises(ValueError, match="scores must have shape"):
        Detections(
            np.zeros((2, 4), np.float32),
            np.zeros(1, np.float32),
            np.zeros(2, np.int64),
            np.zeros((2, 0, 2), np.float32),
            np.zeros((2, 0), np.float32),
        )


@pytest.mark.parametrize("empty", [Candidates.empty(), Detections.empty(5), GroundTruth.empty(5)])
def test_empty_means_none_found(empty):
    assert len(empty) == 0


def test_upright_boxes_among_rotated_ones_have_their_corners():
    plain = ground_truth((0, 0, 4, 4), (1, 1))
    rotated = replace(plain, outlines_xy=np.ones((1, 4, 2), np.float32))
    upright = [[0, 0], [4, 0], [4, 4], [0, 4]]
    parts = [GroundTruth.empty(1), plain, rotated]
    assert GroundTruth.joined(parts).outlines_xy.tolist() == [upright, [[1, 1]] * 4]
    assert GroundTruth.joined(parts[:2]).outlines_xy is None


def test_sides_of_rotated_boxes_are_those_as_they_lie():
    found = detections([(0, 0, 40, 40), (1, 2, 9, 5)])
    assert found.sides.tolist() == [[40, 40], [8, 3]]
    # 30 wide and 20 high, turned by 45 degrees: from the end of both sides on
    across, down = np.array([30, 30]) / 8**0.5, np.array([-20, 20]) / 8**0.5
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    corners = 20 + signs[:, :1] * across + signs[:, 1:] * down
    rotated = replace(found, outlines_xy=np.array([corners] * 2, np.float32))
    assert rotated.sides == pytest.approx(np.array([[30, 20]] * 2), abs=1e-4)
    masks = np.repeat(rotated.outlines_xy, 2, axis=1)
    assert replace(found, outlines_xy=masks).sides.tolist() == [[40, 40], [8, 3]]


@pytest.mark.parametrize("bad", [{"score": 1.5}, {"iou": -0.1}])
def test_thresholds_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        Thresholds(**bad)
