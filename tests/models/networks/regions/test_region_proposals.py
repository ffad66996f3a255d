"""Proposals: anchors and their labels by hand, and the search of an input's pixels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.networks.regions import proposals
from kpviewer.models.networks.regions.architectures import REGION_SPEC
from kpviewer.models.networks.regions.proposals import (
    Anchors,
    ProposalNetwork,
    SearchedProposals,
    is_ignored,
)

NONE = torch.zeros(0, 4)


def anchors_of(generator: Anchors) -> Tensor:
    """Return the anchors of a 2 x 3 map of an input of 32 x 48 px: (2, 3, 9, 4)."""
    images: Any = type("Images", (), {"tensors": torch.zeros(1, 3, 32, 48), "image_sizes": [0]})
    return generator(images, [torch.zeros(1, 4, 2, 3)])[0].reshape(2, 3, 9, 4)


def test_a_place_has_nine_anchors_of_three_areas_and_three_ratios():
    # w = s / sqrt(ratio), h = s * sqrt(ratio), rounded: 64 * sqrt(2) = 90.5, 64 / sqrt(2) = 45.3
    found = anchors_of(Anchors())[0, 0]
    expected = {
        (-23, -11, 23, 11), (-45, -23, 45, 23), (-91, -45, 91, 45),
        (-16, -16, 16, 16), (-32, -32, 32, 32), (-64, -64, 64, 64),
        (-11, -23, 11, 23), (-23, -45, 23, 45), (-45, -91, 45, 91),
    }  # fmt: skip
    assert {tuple(anchor) for anchor in found.int().tolist()} == expected


def test_anchors_are_a_stride_apart():
    found = anchors_of(Anchors())
    shift = torch.tensor([32.0, 16.0, 32.0, 16.0])  # two cells right, one down
    torch.testing.assert_close(found[1, 2], found[0, 0] + shift)


def test_anchors_have_the_sides_that_weights_hold():
    generator = Anchors()
    generator.load_state_dict({"sides_px": torch.tensor([10.0, 20.0, 30.0])})
    squares = anchors_of(generator)[0, 0, 3:6]
    assert (squares[:, 2] - squares[:, 0]).tolist() == [10, 20, 30]


def labels_of(anchors: list[list[int]], boxes: list[list[int]], ignored: Tensor = NONE) -> Tensor:
    target = {
        "boxes": torch.tensor(boxes).float().reshape(-1, 4),
        "labels": torch.ones(len(boxes), dtype=torch.int64),
        "ignored": ignored,
    }
    labels, _ = ProposalNetwork(4).assign_targets_to_anchors(
        [torch.tensor(anchors).float()], [target]
    )
    return labels[0]


def test_anchors_are_objects_from_07_and_background_below_03():
    box = [0, 0, 100, 100]
    # IoU 1, 0.7, 0.69, 0.3, 0.29, 0
    widths = (100, 70, 69, 30, 29)
    anchors = [*([0, 0, width, 100] for width in widths), [200, 200, 300, 300]]
    assert labels_of(anchors, [box]).tolist() == [1, 1, -1, -1, 0, 0]


def test_the_best_anchor_of_each_object_is_an_object_however_small_its_overlap():
    boxes = [[0, 0, 100, 100], [500, 500, 600, 600]]
    anchors = [[0, 0, 100, 100], [500, 500, 520, 600], [500, 500, 510, 600]]
    assert labels_of(anchors, boxes).tolist() == [1, 1, 0]


def test_anchors_inside_ignored_objects_are_neither():
    ignored = torch.tensor([[200.0, 200, 300, 300]])
    anchors = [[0, 0, 100, 100], [200, 200, 260, 260], [290, 290, 400, 400]]
    assert labels_of(anchors, [[0, 0, 100, 100]], ignored).tolist() == [1, -1, 0]
    assert labels_of(anchors, [], ignored).tolist() == [0, -1, 0]


def test_a_box_is_ignored_by_the_share_of_it_inside():
    ignored = torch.tensor([[0.0, 0, 100, 100]])
    boxes = torch.tensor([[59.0, 0, 159, 100], [61.0, 0, 161, 100], [10, 10, 20, 20]])
    assert is_ignored(boxes, ignored).tolist() == [True, False, True]
    assert is_ignored(boxes, NONE).tolist() == [False, False, False]


@pytest.mark.parametrize(("objects", "expected"), [(1000, (128, 128)), (5, (5, 251))])
def test_256_anchors_are_compared_half_of_them_objects(objects, expected):
    labels = torch.cat([torch.ones(objects), torch.zeros(2000), -torch.ones(100)])
    chosen = ProposalNetwork(4).fg_bg_sampler([labels])
    assert tuple(int(masks[0].sum()) for masks in chosen) == expected


def test_proposals_of_the_network_are_inside_the_input_at_reduced_precision_too():
    torch.manual_seed(0)
    network = ProposalNetwork(8).eval()
    images, features = torch.zeros(2, 3, 64, 96), torch.randn(2, 8, 4, 6)
    exact = network(images, features)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network(images, features)
    assert exact.losses == ()
    for first, second in zip(exact.xyxy, rounded.xyxy, strict=True):
        torch.testing.assert_close(first, second)
        assert 0 < len(first) <= 300
        assert (first >= 0).all()
        assert (first <= torch.tensor([96.0, 64, 96, 64])).all()


def test_the_search_sees_the_pixels_of_the_input(monkeypatch):
    seen = []

    def search(rgb: np.ndarray) -> np.ndarray:
        seen.append(rgb)
        return np.array([[0, 1, 5, 6], [0, 1, 4, 9]], np.float32)  # the second is too narrow

    monkeypatch.setattr(proposals, "selective_search", search)
    pixels = torch.randint(0, 256, (2, 3, 8, 9), dtype=torch.uint8)
    spec = replace(REGION_SPEC, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    images = Normalisation(spec, torch.device("cpu"))(pixels)
    found = SearchedProposals(spec)(images, images)
    assert [xyxy.tolist() for xyxy in found.xyxy] == [[[0, 1, 5, 6]]] * 2
    np.testing.assert_array_equal(np.stack(seen), pixels.permute(0, 2, 3, 1))


def test_training_takes_the_proposals_that_were_searched_for_beforehand():
    mine = torch.tensor([[1.0, 2, 3, 4]])
    images = torch.zeros(1, 3, 8, 8)
    found = SearchedProposals(REGION_SPEC)(images, images, [{"proposals": mine}])
    assert found.xyxy == [mine]
