"""Selection of distinct boxes."""

import torch

from kpviewer.models.networks.distinct import distinct


def test_the_best_of_each_object_comes_first_and_repeats_come_last():
    first, repeat, other, third = [0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [50, 0, 60, 9]
    boxes = torch.tensor([[first, repeat, other, third], [first, other, third, repeat]]).float()
    rows, is_object = distinct(boxes, 3)
    assert rows.tolist() == [[0, 2, 3], [0, 1, 2]]
    assert is_object.all()
    rows, is_object = distinct(boxes[:1], 4)
    assert rows.tolist() == [[0, 2, 3, 1]]
    assert is_object.tolist() == [[True, True, True, False]]


def test_fewer_boxes_than_requested_are_all_returned():
    rows, is_object = distinct(torch.tensor([[[0.0, 0, 10, 10]]]), 8)
    assert rows.tolist() == [[0]]
    assert is_object.tolist() == [[True]]
