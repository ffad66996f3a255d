"""SSD losses, against torch and torchvision and by hand."""

import pytest
import torch
from torchvision.ops import box_iou

from kpviewer.models.networks.boxes import cxcywh_to_xyxy, encode_boxes, encode_points
from kpviewer.models.networks.ssd.anchors import MapAnchors, anchor_boxes
from kpviewer.models.networks.ssd.detector import SsdHeads
from kpviewer.models.networks.ssd.matching import UNMATCHED
from kpviewer.training.data.datasets import IGNORED, PADDED, Batch
from kpviewer.training.losses.ssd import SsdLossOptions, assign, hard_negatives, ssd_losses

ANCHORS = anchor_boxes((MapAnchors(16, ((16.0, 20.0), (30.0, 36.0))),), (64, 64))
OPTIONS = SsdLossOptions()


def batch(class_ids: list[list[int]], xyxy: torch.Tensor, labelled: bool = True) -> Batch:
    count = xyxy.shape[:2]
    points = (xyxy[..., None, :2] + xyxy[..., None, 2:]) / 2 + torch.zeros(*count, 5, 1)
    return Batch(
        torch.zeros(len(xyxy), 3, 64, 64, dtype=torch.uint8),
        xyxy,
        torch.tensor(class_ids),
        points,
        torch.full((*count, 5), labelled),
    )


def perfect_heads(ground_truth: Batch) -> SsdHeads:
    """Return heads that predict the targets exactly."""
    targets = assign(ground_truth, ANCHORS, OPTIONS)
    logits = torch.full((len(ground_truth.xyxy), len(ANCHORS), 1), -20.0)
    offsets = torch.zeros(len(ground_truth.xyxy), len(ANCHORS), 4)
    points = torch.zeros(len(ground_truth.xyxy), len(ANCHORS), 5, 2)
    for row, cell in (targets.matched != UNMATCHED).nonzero().tolist():
        index = targets.matched[row, cell]
        logits[row, cell] = 20.0
        offsets[row, cell] = encode_boxes(ground_truth.xyxy[row, index], ANCHORS[cell])
        points[row, cell] = encode_points(ground_truth.points_xy[row, index], ANCHORS[cell])
    return SsdHeads(logits, offsets, points)


GROUND_TRUTH = batch(
    [[0, PADDED], [0, 0]],
    torch.tensor([[[10.0, 8, 28, 30], [0, 0, 0, 0]], [[2, 2, 20, 24], [30, 30, 60, 64]]]),
)


def test_anchors_near_an_object_may_be_neither_object_nor_background():
    one = batch(
        [[0]], torch.tensor([[[24.0, 22, 40, 42]]])
    )  # the 16x20 anchor, shifted half a cell
    plain = assign(one, ANCHORS, OPTIONS)
    neutral = assign(one, ANCHORS, SsdLossOptions(neutral_iou=0.2))
    assert plain.matched.equal(neutral.matched)
    assert not plain.ignored.any()
    corners = cxcywh_to_xyxy(ANCHORS)
    near = box_iou(one.xyxy[0], corners)[0] >= 0.2
    assert neutral.ignored[0].equal(near & (plain.matched[0] == UNMATCHED))
    assert neutral.ignored.sum() > 1


@pytest.mark.parametrize("kind", ["focal", "hard-negatives"])
def test_perfect_predictions_cost_nothing(kind):
    losses = ssd_losses(
        perfect_heads(GROUND_TRUTH), GROUND_TRUTH, ANCHORS, SsdLossOptions(classification=kind)
    )
    assert float(sum(losses)) == pytest.approx(0.0, abs=1e-5)


def test_each_part_counts_its_own_errors():
    perfect = perfect_heads(GROUND_TRUTH)
    wrong_box = perfect._replace(box_offsets=perfect.box_offsets + 1.0)
    losses = ssd_losses(wrong_box, GROUND_TRUTH, ANCHORS, OPTIONS)
    # smooth L1 of 1 with beta 0.5 is 1 - 0.25; averaged over the four numbers of each match
    assert float(losses.boxes) == pytest.approx(0.75, abs=1e-5)
    assert float(losses.points) == pytest.approx(0.0, abs=1e-5)
    wrong_points = perfect._replace(point_offsets=perfect.point_offsets + 1.0)
    losses = ssd_losses(wrong_points, GROUND_TRUTH, ANCHORS, OPTIONS)
    assert float(losses.points) == pytest.approx(2 * (1 - 0.1), abs=1e-5)  # x and y, beta 0.2


def test_unlabelled_points_have_no_loss():
    hidden = GROUND_TRUTH._replace(labelled=torch.zeros_like(GROUND_TRUTH.labelled))
    perfect = perfect_heads(hidden)
    wrong = perfect._replace(point_offsets=perfect.point_offsets + 5.0)
    assert float(ssd_losses(wrong, hidden, ANCHORS, OPTIONS).points) == 0.0


def test_focal_loss_by_its_formula():
    torch.manual_seed(0)
    perfect = perfect_heads(GROUND_TRUTH)
    heads = perfect._replace(class_logits=torch.randn(2, len(ANCHORS), 1) * 3)
    matched = assign(GROUND_TRUTH, ANCHORS, OPTIONS).matched
    target = (matched != UNMATCHED).float()[..., None]
    of_ground_truth = torch.where(
        target > 0, heads.class_logits, -heads.class_logits
    ).sigmoid()  # p_t
    weight = torch.where(target > 0, 0.3, 0.7)  # alpha_t
    expected = (
        -weight * (1 - of_ground_truth) ** 2 * of_ground_truth.log()
    ).sum()  # Lin et al. 2017, eq. 5
    losses = ssd_losses(heads, GROUND_TRUTH, ANCHORS, OPTIONS)
    torch.testing.assert_close(losses.classification, expected / target.sum(), rtol=1e-5, atol=0)


def test_anchors_in_an_ignored_object_have_no_loss():
    crowd = batch([[IGNORED]], torch.tensor([[[0.0, 0, 32, 64]]]))
    quiet = torch.full((1, len(ANCHORS), 1), -20.0)
    zeros = SsdHeads(quiet, torch.zeros(1, len(ANCHORS), 4), torch.zeros(1, len(ANCHORS), 5, 2))
    left = ANCHORS[:, 0] < 16
    loud = torch.where(left[None, :, None], 20.0, quiet)
    assert float(sum(ssd_losses(zeros._replace(class_logits=loud), crowd, ANCHORS, OPTIONS))) < 1e-4
    everywhere = zeros._replace(class_logits=quiet.abs())
    assert float(sum(ssd_losses(everywhere, crowd, ANCHORS, OPTIONS))) > 1


def test_three_hardest_negatives_are_kept_for_each_positive():
    loss = torch.tensor([[9.0, 1, 5, 3, 8, 2, 7], [1, 2, 3, 4, 5, 6, 7]])
    positive = torch.tensor([[True] + [False] * 6, [False] * 7])
    ignored = torch.tensor([[False] * 4 + [True] + [False] * 2, [False] * 7])
    chosen = hard_negatives(loss, positive, ignored)
    assert chosen.nonzero().tolist() == [[0, 2], [0, 3], [0, 6], [1, 4], [1, 5], [1, 6]]


def test_every_box_of_the_ground_truth_has_an_anchor():
    matched = assign(GROUND_TRUTH, ANCHORS, OPTIONS).matched
    assert set(matched[0].tolist()) == {UNMATCHED, 0}
    assert set(matched[1].tolist()) == {UNMATCHED, 0, 1}
    assert (cxcywh_to_xyxy(ANCHORS)[matched[0] == 0] - GROUND_TRUTH.xyxy[0, 0]).abs().max() < 16
