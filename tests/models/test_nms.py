"""Hard NMS against torchvision; soft NMS against a literal loop and by hand."""

import math

import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms

from kpviewer.geometry import iou_matrix
from kpviewer.models.nms import nms
from kpviewer.structures import NmsKind, Thresholds


def random_boxes(seed: int, count: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 100, (count, 2))
    xyxy = np.concatenate([corner, corner + rng.uniform(5, 60, (count, 2))], 1).astype(np.float32)
    scores = rng.permutation(np.linspace(0.01, 0.99, count)).astype(np.float32)
    return xyxy, scores, rng.integers(0, 3, count)


@pytest.mark.parametrize("count", [120, 2000])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("iou", [0.0, 0.3, 0.45, 0.9])
def test_hard_nms_equals_torchvision(seed, iou, count):
    xyxy, scores, classes = random_boxes(seed, count)
    thresholds = Thresholds(iou=iou, max_detections=count)
    kept, final = nms(xyxy, scores, classes, thresholds, floor=0.0)
    expected = batched_nms(*map(torch.from_numpy, (xyxy, scores, classes)), iou)
    assert kept.tolist() == expected.tolist()
    assert final.tolist() == scores[kept].tolist()


def slow_soft(xyxy, scores, kind: NmsKind, iou: float, sigma: float, floor: float):
    """Soft-NMS by the paper's pseudo-code, for one class."""
    left = {i: float(s) for i, s in enumerate(scores) if s >= floor}
    overlap = iou_matrix(xyxy, xyxy)
    out = []
    while left:
        best = max(left, key=left.__getitem__)
        out.append((best, left.pop(best)))
        for other in list(left):
            o = float(overlap[best, other])
            if kind is NmsKind.SOFT_GAUSSIAN:
                left[other] *= math.exp(-o * o / sigma)
            elif o > iou:
                left[other] *= 1 - o
            if left[other] < floor:
                del left[other]
    return out


@pytest.mark.parametrize("count", [60, 150, 600])
@pytest.mark.parametrize("kind", [NmsKind.SOFT_LINEAR, NmsKind.SOFT_GAUSSIAN])
def test_soft_nms_equals_the_papers_loop(kind, count):
    xyxy, scores, _ = random_boxes(11, count)
    thresholds = Thresholds(nms=kind, iou=0.3, sigma=0.5)
    kept, final = nms(xyxy, scores, np.zeros(count, np.int64), thresholds, floor=0.05)
    expected = slow_soft(xyxy, scores, kind, 0.3, 0.5, 0.05)
    assert kept.tolist() == [index for index, _ in expected]
    # float32 here, Python floats there, over at most 60 products
    np.testing.assert_allclose(final, [score for _, score in expected], rtol=1e-5)


@pytest.mark.parametrize("kind", [NmsKind.SOFT_LINEAR, NmsKind.SOFT_GAUSSIAN])
def test_soft_nms_of_several_classes_is_that_of_each_alone(kind):
    xyxy, scores, classes = random_boxes(5, 60)
    kept, final = nms(xyxy, scores, classes, Thresholds(nms=kind, iou=0.3, sigma=0.5), floor=0.05)
    expected = []
    for class_id in range(3):
        own = np.flatnonzero(classes == class_id)
        for index, score in slow_soft(xyxy[own], scores[own], kind, 0.3, 0.5, 0.05):
            expected.append((int(own[index]), score))
    expected.sort(key=lambda pair: -pair[1])
    assert kept.tolist() == [index for index, _ in expected]
    np.testing.assert_allclose(final, [score for _, score in expected], rtol=1e-5)


@pytest.mark.parametrize("kind", [NmsKind.HARD, NmsKind.SOFT_LINEAR, NmsKind.SOFT_GAUSSIAN])
def test_classes_of_any_size_are_as_each_alone(kind):
    """Small classes take their steps together, padded to the largest; large ones do not."""
    xyxy, scores, _ = random_boxes(3, 260)
    classes = np.repeat(np.arange(6), [150, 1, 60, 2, 40, 7])
    thresholds = Thresholds(nms=kind, iou=0.3, sigma=0.5, max_detections=12)
    kept, final = nms(xyxy, scores, classes, thresholds, floor=0.05)
    assert sorted(kept.tolist()) == sorted(set(kept.tolist()))
    for class_id in range(6):
        own = np.flatnonzero(classes == class_id)
        alone, score = nms(xyxy[own], scores[own], np.zeros(len(own), np.int64), thresholds, 0.05)
        assert kept[classes[kept] == class_id].tolist() == own[alone].tolist()
        assert final[classes[kept] == class_id].tolist() == score.tolist()


def test_boxes_of_different_classes_do_not_suppress_each_other():
    xyxy = np.array([[0, 0, 10, 10]] * 2, np.float32)
    kept, _ = nms(xyxy, np.array([0.9, 0.8], np.float32), np.array([0, 1]), Thresholds(), 0.0)
    assert kept.tolist() == [0, 1]


@pytest.mark.parametrize("kind", list(NmsKind))
def test_a_score_at_the_floor_is_kept(kind):
    xyxy = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], np.float32)
    scores = np.array([0.5, 0.25, 0.125], np.float32)
    kept, _ = nms(xyxy, scores, np.zeros(3, np.int64), Thresholds(nms=kind), 0.25)
    assert kept.tolist() == [0, 1]


def test_linear_decay_by_hand():
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32)  # IoU 0.5
    thresholds = Thresholds(nms=NmsKind.SOFT_LINEAR, iou=0.3)
    _, final = nms(xyxy, np.array([0.9, 0.8], np.float32), np.zeros(2, np.int64), thresholds, 0.0)
    assert final.tolist() == pytest.approx([0.9, 0.4])


@pytest.mark.parametrize("kind", list(NmsKind))
def test_no_boxes_stay_no_boxes(kind):
    empty = np.zeros((0, 4), np.float32)
    none = np.zeros(0, np.int64)
    kept, final = nms(empty, np.zeros(0, np.float32), none, Thresholds(nms=kind), 0.0)
    assert len(kept) == len(final) == 0


def test_every_class_of_every_row_takes_no_more_than_matrices_of_a_few_classes(monkeypatch):
    xyxy, _, _ = random_boxes(2, 60)
    xyxy, classes = np.repeat(xyxy, 80, axis=0), np.tile(np.arange(80), 60)
    scores = np.linspace(0, 1, len(xyxy), dtype=np.float32)
    sizes: list[int] = []

    def noted(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        found = iou_matrix(first, second)
        sizes.append(found.size)
        return found

    monkeypatch.setattr("kpviewer.models.nms.iou_matrix", noted)
    kept, final = nms(xyxy, scores, classes, Thresholds(iou=0.45), floor=0.0)
    assert max(sizes) <= 20 * 60 * 60
    expected = batched_nms(*map(torch.from_numpy, (xyxy, scores, classes)), 0.45)
    assert kept.tolist() == expected.tolist()
    assert final.tolist() == scores[kept].tolist()
