"""Softmax with hard negatives and focal loss with class weights, by hand and against torch."""

import math

import pytest
import torch

from kpviewer.models.networks.boxes import encode_boxes
from kpviewer.models.networks.ssd.anchors import MapAnchors, anchor_boxes
from kpviewer.models.networks.ssd.detector import SsdHeads
from kpviewer.models.networks.ssd.matching import UNMATCHED
from kpviewer.training.data.datasets import IGNORED, PADDED, Batch
from kpviewer.training.losses.objects import ObjectLossOptions, object_losses
from kpviewer.training.losses.ssd import SsdLossOptions, assign

ANCHORS = anchor_boxes((MapAnchors(16, ((16.0, 16.0),)),), (64, 64))  # 16 boxes side by side
ONES = torch.ones(3)


def ground_truth(class_ids: list[list[int]], boxes: list[list[list[float]]]) -> Batch:
    count = (len(boxes), len(boxes[0]))
    return Batch(
        torch.zeros(len(boxes), 3, 64, 64, dtype=torch.uint8),
        torch.tensor(boxes),
        torch.tensor(class_ids),
        torch.zeros(*count, 0, 2),
        torch.zeros(*count, 0, dtype=torch.bool),
    )


# the anchors of cells 0 and 5, exactly; nothing in the second image
TWO = ground_truth(
    [[2, 0], [PADDED, PADDED]], [[[0, 0, 16, 16], [16, 16, 32, 32]], [[0, 0, 0, 0], [0, 0, 0, 0]]]
)


def heads(logits: torch.Tensor) -> SsdHeads:
    count = logits.shape[:2]
    return SsdHeads(logits, torch.zeros(*count, 4), torch.zeros(*count, 0, 2))


def test_three_negatives_a_positive_count_the_hardest_ones():
    logits = torch.zeros(2, 16, 4)
    logits[..., 0] = 20.0  # confident background
    logits[0, [0, 5]] = torch.tensor([0.0, 0.0, 0.0, 0.0])  # undecided: log 4 each
    logits[0, [9, 10]] = torch.tensor([0.0, 0.0, 0.0, 0.0])  # so are two of the six negatives
    got = object_losses(heads(logits), TWO, ANCHORS, ONES, ObjectLossOptions())
    # four undecided boxes over two matched ones; the quiet ones cost 3 exp(-20) each
    assert float(got.classification) == pytest.approx(4 * math.log(4) / 2, abs=1e-6)
    one = ObjectLossOptions(negatives=0)
    none = object_losses(heads(logits), TWO, ANCHORS, ONES, one)
    assert float(none.classification) == pytest.approx(2 * math.log(4) / 2, abs=1e-6)


def test_softmax_loss_equals_torch_over_the_chosen_boxes():
    torch.manual_seed(0)
    logits = torch.randn(2, 16, 4) * 3
    got = object_losses(heads(logits), TWO, ANCHORS, ONES, ObjectLossOptions())
    expected = 0.0
    for image, positives in ((0, {0: 3, 5: 1}), (1, {})):
        background = -logits[image].log_softmax(-1)[:, 0]
        others = sorted(
            (float(background[cell]) for cell in range(16) if cell not in positives), reverse=True
        )
        expected += sum(others[: max(3, 3 * len(positives))])
        for cell, label in positives.items():
            expected -= float(logits[image, cell].log_softmax(-1)[label])
    assert float(got.classification) == pytest.approx(expected / 2, rel=1e-5)


def test_a_class_weight_lowers_the_loss_of_its_objects_alone():
    logits = torch.zeros(2, 16, 4)
    logits[..., 0] = 20.0
    weights = torch.tensor([1.0, 1.0, 0.4])  # of class 2, the object in cell 0
    full = object_losses(heads(logits), TWO, ANCHORS, ONES, ObjectLossOptions())
    less = object_losses(heads(logits), TWO, ANCHORS, weights, ObjectLossOptions())
    assert float(full.classification) == pytest.approx(20 * (1 + 1) / 2, rel=1e-4)
    assert float(less.classification) == pytest.approx(20 * (1 + 0.4) / 2, rel=1e-4)
    sigmoid = torch.full((2, 16, 3), -20.0)
    full = object_losses(heads(sigmoid), TWO, ANCHORS, ONES, ObjectLossOptions())
    less = object_losses(heads(sigmoid), TWO, ANCHORS, weights, ObjectLossOptions())
    # focal: alpha 0.3 times 20 an object, the rest next to nothing
    assert float(full.classification) == pytest.approx(0.3 * 20 * (1 + 1) / 2, rel=1e-4)
    assert float(less.classification) == pytest.approx(0.3 * 20 * (1 + 0.4) / 2, rel=1e-4)


def test_boxes_cost_smooth_l1_of_their_offsets():
    moved = ground_truth([[1]], [[[1.6, 0, 17.6, 16]]])  # by a tenth of an anchor: one unit of dx
    quiet = torch.full((1, 16, 3), -20.0)
    got = object_losses(heads(quiet), moved, ANCHORS, ONES, ObjectLossOptions())
    assert float(got.boxes) == pytest.approx(0.5, abs=1e-5)  # beta 1: x^2 / 2, over one match
    right = heads(quiet)._replace(
        box_offsets=encode_boxes(moved.xyxy.expand(1, 16, 4), ANCHORS[None])
    )
    assert float(
        object_losses(right, moved, ANCHORS, ONES, ObjectLossOptions()).boxes
    ) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("labels", [3, 4])
def test_ignored_objects_have_no_loss(labels):
    crowd = ground_truth([[IGNORED]], [[[0, 0, 64, 32]]])
    loud = torch.zeros(1, 16, labels)
    loud[0, :8, -1] = 20.0  # a class is predicted everywhere in the crowd
    loud[0, 8:, : labels - 3] = 20.0
    loud[0, 8:, labels - 3 :] = -20.0
    got = object_losses(heads(loud), crowd, ANCHORS, ONES, ObjectLossOptions())
    assert float(got.classification) < 1e-4
    nothing = ground_truth([[PADDED]], [[[0, 0, 0, 0]]])
    counted = object_losses(heads(loud), nothing, ANCHORS, ONES, ObjectLossOptions())
    assert float(counted.classification) > 10


def test_only_anchors_over_a_half_match_beside_each_object_s_best():
    wide = ground_truth([[0]], [[[0, 0, 24, 16]]])  # overlaps 2/3 with cell 0, and 0.25 with cell 1
    matched = assign(wide, ANCHORS, SsdLossOptions(match_iou=0.5)).matched
    assert (matched[0] != UNMATCHED).nonzero().flatten().tolist() == [0]
