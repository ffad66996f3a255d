"""Proposals of selective search on images made by hand and at random."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from kpviewer.errors import WeightsError
from kpviewer.models.networks.regions.selective_search import FAST, ordered, selective_search

RECTANGLES = [[20, 30, 60, 80], [80, 10, 150, 60]]


@pytest.fixture
def rectangles():
    rgb = np.full((100, 160, 3), 128, np.uint8)
    for (x1, y1, x2, y2), colour in zip(RECTANGLES, ((220, 40, 30), (30, 60, 200)), strict=True):
        rgb[y1:y2, x1:x2] = colour
    return rgb


def overlaps(truth, xyxy) -> list[float]:
    return box_iou(torch.tensor(truth).float(), torch.from_numpy(xyxy)).amax(1).tolist()


def test_rectangles_of_one_colour_are_among_the_proposals(rectangles):
    assert min(overlaps(RECTANGLES, selective_search(rectangles))) > 0.9


def test_proposals_of_a_large_image_are_in_its_own_pixels(rectangles):
    large = rectangles.repeat(6, 0).repeat(6, 1)
    truth = (np.array(RECTANGLES) * 6).tolist()
    assert min(overlaps(truth, selective_search(large))) > 0.9


def test_the_whole_image_is_a_proposal(rectangles):
    assert [0, 0, 160, 100] in selective_search(rectangles).tolist()


def test_the_same_image_has_the_same_proposals_again(rectangles):
    np.testing.assert_array_equal(selective_search(rectangles), selective_search(rectangles))


def test_no_more_proposals_than_asked_for_are_the_first_ones(rectangles):
    every = selective_search(rectangles)
    np.testing.assert_array_equal(selective_search(rectangles, replace(FAST, most=3)), every[:3])


def test_a_box_of_two_groupings_stays_once_at_its_better_rank():
    one, other = np.array([[0, 0, 1, 1], [0, 0, 4, 4]]), np.array([[2, 2, 3, 3], [0, 0, 4, 4]])
    found = ordered([one, other], seed=0).tolist()
    assert sorted(found) == [[0, 0, 1, 1], [0, 0, 4, 4], [2, 2, 3, 3]]
    # ranks are (2, 1, 2, 1) times the numbers 0.637, 0.270, 0.041, 0.017 of numpy's seed 0
    assert found == [[0, 0, 4, 4], [2, 2, 3, 3], [0, 0, 1, 1]]


@settings(max_examples=25)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 32), st.integers(0, 9))
def test_proposals_are_different_boxes_inside_the_image(height, width, cell, seed):
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (height // cell + 1, width // cell + 1, 3), dtype=np.uint8)
    rgb = blocks.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    xyxy = selective_search(rgb, replace(FAST, side_px=48, most=200))
    assert xyxy.dtype == np.float32
    assert 1 <= len(xyxy) <= 200
    assert len(np.unique(xyxy, axis=0)) == len(xyxy)
    assert (xyxy[:, :2] >= 0).all()
    assert (xyxy[:, 2:] <= (width, height)).all()
    assert (xyxy[:, 2:] > xyxy[:, :2]).all()


def test_an_image_without_pixels_has_no_proposals():
    assert selective_search(np.zeros((0, 5, 3), np.uint8)).shape == (0, 4)


def test_without_scikit_image_one_line_names_the_cure(monkeypatch, rectangles):
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    with pytest.raises(WeightsError, match=r'pip install "kpviewer\[proposals\]"$'):
        selective_search(rectangles)
