"""Targets and losses of the grid detector, by hand."""

import math

import pytest
import torch

from kpviewer.models.networks.grid import GridHeads
from kpviewer.training.data.datasets import IGNORED, PADDED, Batch
from kpviewer.training.losses.grid import GridLossOptions, assign, grid_losses

GRID = (3, 4)
OPTIONS = GridLossOptions(class_weight=0.5, negatives=2)


def batch(*images: list[tuple[float, float, int]]) -> Batch:
    most = max(1, *(len(one) for one in images))
    rows = [one + [(0.0, 0.0, PADDED)] * (most - len(one)) for one in images]
    table = torch.tensor(rows, dtype=torch.float32).reshape(len(images), most, 3)
    pixels = torch.zeros(len(images), 3, 96, 128, dtype=torch.uint8)
    centres, ids = table[..., None, :2], table[..., 2].long()
    return Batch(pixels, torch.zeros(*ids.shape, 4), ids, centres, (ids >= 0)[..., None])


def perfect_heads(ground_truth: Batch) -> GridHeads:
    targets = assign(ground_truth, GRID, OPTIONS)
    logits = torch.nn.functional.one_hot(targets.class_ids, 3) * 40.0
    count = len(ground_truth.images)
    offsets = targets.offsets.transpose(1, 2).reshape(count, 2, *GRID)
    return GridHeads(offsets.clone(), logits.transpose(1, 2).reshape(count, 3, *GRID))


def test_the_cell_of_the_centre_has_the_offset_in_cells():
    targets = assign(batch([(52.0, 44.0, 1)]), GRID, OPTIONS)  # cell (1, 1), centred on (48, 48)
    assert targets.class_ids.reshape(GRID).tolist() == [[0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]]
    assert targets.offsets[0, 5].tolist() == [4 / 32, -4 / 32]
    assert not targets.ignored.any()  # the next centre is 28 px away, 0.875 cells


def test_both_neighbours_of_a_border_are_positive():
    targets = assign(batch([(65.0, 48.0, 0)]), GRID, OPTIONS)  # 0.53 and 0.47 cells off
    assert targets.class_ids.reshape(GRID)[1].tolist() == [0, 1, 1, 0]
    assert targets.offsets[0, 5].tolist() == [17 / 32, 0.0]
    assert targets.offsets[0, 6].tolist() == [-15 / 32, 0.0]


def test_a_cell_between_reach_and_doubt_is_ignored():
    targets = assign(batch([(70.0, 48.0, 0)]), GRID, OPTIONS)  # 22 px from cell (1, 1)'s centre
    assert targets.class_ids.reshape(GRID)[1].tolist() == [0, 0, 1, 0]
    assert targets.ignored.reshape(GRID)[1].tolist() == [False, True, False, False]


def test_the_nearer_of_two_targets_counts():
    targets = assign(batch([(33.0, 48.0, 0), (47.0, 48.0, 1)]), GRID, OPTIONS)
    assert targets.class_ids.reshape(GRID)[1].tolist() == [1, 2, 0, 0]


def test_an_ignored_target_has_no_loss():
    ground_truth = batch([(48.0, 48.0, IGNORED)], [])
    targets = assign(ground_truth, GRID, OPTIONS)
    assert not targets.class_ids.any()
    assert targets.ignored[0].nonzero().flatten().tolist() == [5]
    assert not targets.ignored[1].any()
    wrong = perfect_heads(ground_truth)
    wrong.class_logits[0, 2, 1, 1] = 400.0
    assert sum(grid_losses(wrong, ground_truth, OPTIONS)).item() == pytest.approx(0.0, abs=1e-6)


def test_perfect_predictions_cost_nothing():
    ground_truth = batch([(52.0, 44.0, 1), (110.0, 20.0, 0)], [])
    assert sum(
        grid_losses(perfect_heads(ground_truth), ground_truth, OPTIONS)
    ).item() == pytest.approx(0.0)


def test_the_offset_loss_is_the_mean_square_over_positive_cells():
    ground_truth = batch([(52.0, 44.0, 1), (110.0, 20.0, 0)])
    wrong = perfect_heads(ground_truth)
    wrong.offsets[0, 0, 1, 1] += 0.3  # one of four numbers of positive cells
    wrong.offsets[0, :, 2, 0] = 0.7
    losses = grid_losses(wrong, ground_truth, OPTIONS)
    assert losses.offsets.item() == pytest.approx(0.3**2 / 4)
    assert losses.classes.item() == pytest.approx(0.0, abs=1e-6)


def test_the_class_loss_counts_positives_and_the_hardest_negatives():
    ground_truth = batch([(48.0, 48.0, 0)])
    wrong = perfect_heads(ground_truth)
    wrong.class_logits[0, :, 1, 1] = 0.0  # positive: a cross-entropy of ln 3
    for column, logit in enumerate((3.0, 2.0, 1.0)):
        wrong.class_logits[0, :, 0, column] = torch.tensor([0.0, logit, -40.0])
    losses = grid_losses(wrong, ground_truth, OPTIONS)
    # the two hardest of three wrong background cells: ln(1 + e^3) and ln(1 + e^2)
    hardest = math.log(1 + math.e**3) + math.log(1 + math.e**2)
    assert losses.classes.item() == pytest.approx(0.5 * (math.log(3) + hardest) / 3, rel=1e-5)
    assert losses.offsets.item() == 0.0


def test_a_batch_without_any_target_still_has_a_gradient():
    ground_truth = batch([], [])
    heads = GridHeads(torch.zeros(2, 2, *GRID), torch.zeros(2, 3, *GRID, requires_grad=True))
    losses = grid_losses(heads, ground_truth, OPTIONS)
    assert losses.offsets.item() == 0.0
    assert losses.classes.item() == pytest.approx(0.5 * math.log(3), rel=1e-5)
    losses.classes.backward()
    assert heads.class_logits.grad is not None
    assert torch.isfinite(heads.class_logits.grad).all()
