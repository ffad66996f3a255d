"""Proposals have the errors of a detector."""

import torch

from kpviewer.models.networks.boxes import iou_matrix
from kpviewer.training.data.proposals import COPIES, proposals_of


def test_proposals_overlap_their_box_like_those_of_a_detector() -> None:
    torch.manual_seed(0)
    ground_truth = torch.tensor([[10.0, 20.0, 60.0, 90.0], [100.0, 100.0, 108.0, 110.0]])
    shaken = proposals_of(ground_truth.repeat(500, 1, 1))
    assert shaken.shape == (500, 2 * COPIES, 4)
    for index, box in enumerate(ground_truth):
        copies = shaken[:, index * COPIES : (index + 1) * COPIES].reshape(-1, 4)
        assert len(copies.unique(dim=0)) == len(copies)
        overlap = iou_matrix(copies, box[None])[:, 0]
        # sides off by 0.07 of the box, of which four add up: about 0.8, rarely under a half
        assert 0.72 < overlap.mean() < 0.88
        assert (overlap > 0.5).float().mean() > 0.97


def test_proposals_of_padding_have_an_area() -> None:
    boxes = proposals_of(torch.zeros(1, 3, 4))
    assert (boxes[..., 2:] - boxes[..., :2] >= 1).all()
