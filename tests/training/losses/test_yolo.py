"""Losses of YOLOv3, by hand: perfect predictions, each part alone, ignored predictions."""

import math

import pytest
import torch
from torch import Tensor
from training.losses.test_yolo_targets import ANCHORS, FIRST_OF_16, STRIDES, batch

from kpviewer.models.networks.yolov3.heads import YoloHeads, YoloNetwork
from kpviewer.training.data.datasets import PADDED, Batch
from kpviewer.training.losses.yolo import YoloLosses, YoloLossOptions, yolo_losses

SURE = 20.0
OBJECT = batch([[1]], [[[37.6, 25.2, 77.6, 45.2]]])  # as in test_yolo_targets
ROW = FIRST_OF_16 + 4 * 6 + 2 * 6 + 3
OFFSETS = (math.log(0.6 / 0.4), math.log(0.2 / 0.8), math.log(0.8), math.log(2 / 3))


def quiet(batch_size: int = 1) -> Tensor:
    """Return rows of background: two maps, two anchors, three classes."""
    rows = torch.zeros(batch_size, 2 * 8 * 12 + 2 * 4 * 6, 8)
    rows[..., 4:] = -SURE
    return rows


def perfect() -> Tensor:
    rows = quiet()
    rows[0, ROW, :4] = torch.tensor(OFFSETS)
    rows[0, ROW, [4, 6]] = SURE
    return rows


def losses(rows: Tensor, objects: Batch, **options: float) -> YoloLosses:
    network = YoloNetwork(STRIDES, ANCHORS.tolist())
    fine, coarse = rows[:, :FIRST_OF_16], rows[:, FIRST_OF_16:]
    maps = [fine.reshape(len(rows), 2, 8, 12, 8), coarse.reshape(len(rows), 2, 4, 6, 8)]
    return yolo_losses(YoloHeads(maps), objects, network, YoloLossOptions(**options))


def test_perfect_predictions_have_no_loss():
    assert sum(losses(perfect(), OBJECT)).item() == pytest.approx(0, abs=1e-5)


def test_a_wrong_position_costs_cross_entropy_and_a_wrong_size_its_square():
    rows = perfect()
    rows[0, ROW, 0] = 0.0  # sigmoid 0.5 instead of 0.6
    rows[0, ROW, 2] += 0.5
    # Kullback-Leibler divergence of (0.6, 0.4) and (0.5, 0.5); half of 0.5 squared
    expected = 0.6 * math.log(1.2) + 0.4 * math.log(0.8) + 0.125
    weight = 2 - 800 / (64 * 96)
    assert losses(rows, OBJECT).boxes.item() == pytest.approx(weight * expected, rel=1e-4)


def test_gradients_of_the_box_are_those_of_darknet():
    rows = quiet().requires_grad_()
    losses(rows, OBJECT).boxes.backward()
    weight = 2 - 800 / (64 * 96)
    # sigmoid(0) - target for x and y, value - target for w and h
    expected = [0.5 - 0.6, 0.5 - 0.2, -math.log(0.8), -math.log(2 / 3)]
    assert rows.grad[0, ROW, :4].tolist() == pytest.approx([weight * e for e in expected], rel=1e-4)


def test_a_missed_object_costs_its_objectness_alone():
    rows = perfect()
    rows[0, ROW, 4] = 0.0
    got = losses(rows, OBJECT)
    assert got.objectness.item() == pytest.approx(math.log(2), abs=1e-5)
    assert got.classes.item() == pytest.approx(0, abs=1e-5)


def test_background_is_learned_except_over_half_an_object():
    beside = FIRST_OF_16 + 4 * 6 + 2 * 6 + 2  # one cell to the left, with the same anchor
    rows = perfect()
    rows[0, beside, 4] = 0.0
    # 50 x 30 px around (40, 40) overlaps the object in 27.4 x 20 px: IoU 0.31
    assert losses(rows, OBJECT).objectness.item() == pytest.approx(math.log(2), abs=1e-4)
    assert losses(rows, OBJECT, ignore_iou=0.3).objectness.item() == pytest.approx(0, abs=1e-4)


def test_classes_are_independent():
    rows = perfect()
    rows[0, ROW, 5:] = torch.tensor([0.0, SURE, 0.0])  # two others undecided
    assert losses(rows, OBJECT).classes.item() == pytest.approx(2 * math.log(2), abs=1e-5)


def test_two_objects_in_one_prediction_share_its_classes():
    box = OBJECT.xyxy[0, 0].tolist()
    rows = perfect()
    rows[0, ROW, 5] = SURE
    got = losses(rows, batch([[0, 1]], [[box, box]]))
    assert sum(got).item() == pytest.approx(0, abs=1e-5)


def test_losses_are_over_the_number_of_objects():
    box = OBJECT.xyxy[0, 0].tolist()
    rows = torch.cat([perfect(), perfect()])
    rows[:, ROW, 4] = 0.0
    both = losses(rows, batch([[1], [1]], [[box], [box]]))
    assert both.objectness.item() == pytest.approx(math.log(2), abs=1e-4)


def test_images_without_objects_teach_background():
    empty = batch([[PADDED]], [[[0, 0, 0, 0]]])
    rows = quiet()
    rows[0, 7, 4] = SURE
    got = losses(rows, empty)
    assert got.objectness.item() == pytest.approx(SURE, abs=1e-3)
    assert (got.boxes.item(), got.classes.item()) == (0, 0)


def test_weights_multiply_their_part():
    rows = quiet()
    plain = losses(rows, OBJECT)
    got = losses(rows, OBJECT, box_weight=2, objectness_weight=3, class_weight=4)
    factors = [float(new / old) for new, old in zip(got, plain, strict=True)]
    assert factors == pytest.approx([2, 3, 4])
