"""Which prediction of YOLOv3 is responsible for which object, by hand."""

import math

import pytest
import torch

from kpviewer.training.data.datasets import IGNORED, PADDED, Batch
from kpviewer.training.losses.yolo_targets import overlapping, responsible

ANCHORS = torch.tensor([[[10.0, 12.0], [14.0, 8.0]], [[20.0, 40.0], [50.0, 30.0]]])
STRIDES = (8, 16)
SHAPES = [(8, 12), (4, 6)]  # 64 x 96 px
FIRST_OF_16 = 2 * 8 * 12
"""Number of predictions of the map of stride 8."""


def batch(class_ids: list[list[int]], boxes: list[list[list[float]]]) -> Batch:
    count = (len(boxes), len(boxes[0]))
    return Batch(
        torch.zeros(len(boxes), 3, 64, 96, dtype=torch.uint8),
        torch.tensor(boxes, dtype=torch.float32),
        torch.tensor(class_ids),
        torch.zeros(*count, 0, 2),
        torch.zeros(*count, 0, dtype=torch.bool),
    )


def test_the_anchor_of_the_most_similar_size_is_responsible_in_the_cell_of_the_centre():
    # 40 x 20 px around (57.6, 35.2): the 50 x 30 anchor fits best, IoU 800 / 1500
    found = responsible(batch([[1]], [[[37.6, 25.2, 77.6, 45.2]]]), ANCHORS, STRIDES, SHAPES)
    # second anchor of stride 16, row 2, column 3 of 4 x 6 cells
    assert found.row.tolist() == [FIRST_OF_16 + 4 * 6 + 2 * 6 + 3]
    assert found.image.tolist() == [0]
    assert found.class_ids.tolist() == [1]
    assert found.offset_xy[0].tolist() == pytest.approx([0.6, 0.2], abs=1e-5)
    assert found.log_wh[0].tolist() == pytest.approx([math.log(0.8), math.log(2 / 3)], abs=1e-5)
    assert found.weight.tolist() == pytest.approx([2 - 800 / (64 * 96)])


def test_a_small_object_belongs_to_the_fine_map():
    # 12 x 8 px around (95, 63), in the last cell: the second anchor of stride 8, IoU 96 / 112
    found = responsible(batch([[0]], [[[89, 59, 101, 67]]]), ANCHORS, STRIDES, SHAPES)
    assert found.row.tolist() == [8 * 12 + 7 * 12 + 11]
    assert found.offset_xy[0].tolist() == pytest.approx([0.875, 0.875])


def test_padding_and_ignored_objects_have_no_responsible_prediction():
    two = batch(
        [[IGNORED, 0], [2, PADDED]],
        [[[0, 0, 20, 20], [8, 8, 18, 20]], [[8, 8, 18, 20], [0, 0, 0, 0]]],
    )
    found = responsible(two, ANCHORS, STRIDES, SHAPES)
    assert found.image.tolist() == [0, 1]
    assert found.class_ids.tolist() == [0, 2]
    assert found.log_wh.tolist() == [[0, 0], [0, 0]]


def test_an_object_beyond_the_edge_is_in_the_last_cell():
    found = responsible(batch([[0]], [[[91, -8, 101, 4]]]), ANCHORS, STRIDES, SHAPES)
    assert found.row.tolist() == [11]  # centre (96, -2): row 0, column 11
    assert found.offset_xy.tolist() == [[1, 0]]


def test_predictions_over_half_an_object_are_no_background():
    objects = batch([[0, PADDED]], [[[0, 0, 20, 20], [0, 0, 0, 0]]])
    predicted = torch.tensor(
        [[[0, 0, 20, 11], [0, 0, 20, 9.0], [60, 40, 80, 60], [0, 0, 0, 0]]]
    )  # IoU 0.55, 0.45, 0, 0
    assert overlapping(predicted, objects, 0.5).tolist() == [[True, False, False, False]]


def test_predictions_inside_an_ignored_object_are_no_background():
    crowd = batch([[IGNORED]], [[[0, 0, 60, 60]]])
    predicted = torch.tensor([[[4, 4, 10, 10.0], [56, 0, 66, 10]]])  # whole, and 0.4 of it
    assert overlapping(predicted, crowd, 0.5).tolist() == [[True, False]]
    person = batch([[0]], [[[0, 0, 60, 60]]])
    assert overlapping(predicted, person, 0.5).tolist() == [[False, False]]


def test_images_without_objects_are_background_everywhere():
    empty = batch([[PADDED]], [[[0, 0, 0, 0]]])
    assert len(responsible(empty, ANCHORS, STRIDES, SHAPES).row) == 0
    assert not overlapping(torch.rand(1, 5, 4) * 50, empty, 0.5).any()
