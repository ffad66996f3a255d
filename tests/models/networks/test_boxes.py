"""Offsets and IoU against torchvision and by hand."""

import pytest
import torch
from torchvision.ops import box_iou

from kpviewer.models.networks import boxes


def some_boxes(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 200
    return torch.cat([corner, corner + 10 + torch.rand(count, 2, generator=generator) * 100], -1)


def test_iou_equals_torchvision():
    a, b = some_boxes(30, 0), some_boxes(40, 1)
    # both divide the same float32 areas: only the order of operations differs
    torch.testing.assert_close(boxes.iou_matrix(a, b), box_iou(a, b), rtol=0, atol=1e-6)


def test_offsets_of_a_box_follow_the_paper():
    default = torch.tensor([[100.0, 100.0, 50.0, 40.0]])
    box = torch.tensor([[90.0, 84.0, 140.0, 124.0]])  # centre (115, 104), 50 x 40
    # (115 - 100) / 50 / 0.1 = 3 ; (104 - 100) / 40 / 0.1 = 1 ; log(1) = 0
    assert boxes.encode_boxes(box, default)[0].tolist() == pytest.approx([3.0, 1.0, 0.0, 0.0])


def test_decoding_undoes_encoding():
    ground_truth, anchors = some_boxes(50, 2), boxes.xyxy_to_cxcywh(some_boxes(50, 3))
    back = boxes.decode_boxes(boxes.encode_boxes(ground_truth, anchors), anchors)
    torch.testing.assert_close(back, ground_truth, rtol=1e-4, atol=1e-3)


def test_points_are_decoded_from_their_offsets():
    anchors = boxes.xyxy_to_cxcywh(some_boxes(20, 4))
    points = torch.rand(20, 5, 2) * 300
    back = boxes.decode_points(boxes.encode_points(points, anchors), anchors)
    torch.testing.assert_close(back, points, rtol=1e-4, atol=1e-3)


def test_extreme_offsets_stay_finite():
    anchors = torch.tensor([[10.0, 10.0, 5.0, 5.0]])
    assert torch.isfinite(boxes.decode_boxes(torch.full((1, 4), 1e6), anchors)).all()
