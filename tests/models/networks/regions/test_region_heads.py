"""Heads and decoding of region-based detectors, against hand-worked numbers."""

import math

import pytest
import torch
from torch import Tensor

from kpviewer.models.networks.regions.architectures import REGION_SPEC, build_regions
from kpviewer.models.networks.regions.detector import roi_candidates
from kpviewer.models.networks.regions.heads import (
    LayersHead,
    PositionSensitiveMaps,
    RoiPredictions,
    VotingHead,
    box_coder,
)
from kpviewer.models.networks.regions.network import RegionOutputs

ROI = torch.tensor([[0.0, 0, 10, 20]])


def test_boxes_are_encoded_as_in_r_cnns_appendix_c():
    # centres (5, 10) and (15, 30), twice the size: t = (1, 1, ln 2, ln 2), times 10, 10, 5, 5
    found = box_coder().encode_single(torch.tensor([[5.0, 10, 25, 50]]), ROI)
    expected = torch.tensor([[10, 10, 5 * math.log(2), 5 * math.log(2)]])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        box_coder().decode_single(found, ROI), torch.tensor([[5.0, 10, 25, 50]])
    )


def test_layers_predict_a_box_for_each_class():
    found = LayersHead(8, 3)(torch.randn(5, 8, 7, 7))
    assert found.class_logits.shape == (5, 4)
    assert found.box_offsets.shape == (5, 4, 4)


def test_r_fcn_has_nine_maps_for_each_output_and_its_vote_is_their_mean():
    assert PositionSensitiveMaps(8, 3).eval()(torch.randn(1, 8, 4, 5)).shape == (1, 9 * 8, 4, 5)
    bins = torch.arange(9.0).reshape(1, 1, 3, 3) + 10 * torch.arange(8.0).reshape(1, 8, 1, 1)
    found = VotingHead()(bins)
    assert found.class_logits.tolist() == [[4, 14, 24, 34]]
    assert found.box_offsets.tolist() == [[[44, 54, 64, 74]]]


def logits(*scores: tuple[float, ...]) -> Tensor:
    """Return logits whose softmax is the scores, background first."""
    return torch.tensor(scores).log()


def test_an_roi_has_a_candidate_for_each_class_with_a_box_of_its_own():
    offsets = torch.zeros(2, 3, 4)
    offsets[0, 1] = torch.tensor([-5.0, 0, 0, 0])  # class 0 is moved by half of the RoI's width
    offsets[0, 2] = torch.tensor([10.0, 0, 0, 0])  # class 1 by its width
    rois = torch.cat([ROI, torch.tensor([[90.0, 90, 130, 120]])])
    scores = logits((0.1, 0.6, 0.3), (0.5, 0.1, 0.4))
    found = roi_candidates(rois, RoiPredictions(scores, offsets), (100, 110))
    assert found.xyxy.tolist() == [
        [0, 0, 5, 20], [10, 0, 20, 20], [90, 90, 110, 100], [90, 90, 110, 100],
    ]  # fmt: skip
    expected = torch.tensor([[0.6, 0], [0, 0.3], [0.1, 0], [0, 0.4]])
    torch.testing.assert_close(found.scores, expected)


def test_one_box_for_all_classes_has_the_scores_of_all():
    scores = logits((0.1, 0.6, 0.3))
    found = roi_candidates(ROI, RoiPredictions(scores, torch.zeros(1, 1, 4)), (100, 100))
    assert found.xyxy.tolist() == ROI.tolist()
    torch.testing.assert_close(found.scores, torch.tensor([[0.6, 0.3]]))


def test_candidates_are_ranked_in_each_image_also_in_one_without_rois():
    detector = build_regions(REGION_SPEC, "rfcn", "light")
    scores = logits((0.9, 0.1), (0.2, 0.8))
    predictions = RoiPredictions(scores, torch.zeros(2, 1, 4))
    raw = RegionOutputs([torch.cat([ROI, ROI + 1]), torch.zeros(0, 4)], predictions)
    found = detector.decode(raw, (100, 100))
    assert found.xyxy.shape == (2, 400, 4)
    assert found.xyxy[0, :2].tolist() == [[1, 1, 11, 21], [0, 0, 10, 20]]
    assert found.scores[0, :3, 0].tolist() == pytest.approx([0.8, 0.1, 0])
    assert not found.scores[1].any()
