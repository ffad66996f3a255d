"""Outlines of masks: shapes whose area and extent geometry gives."""

import math

import numpy as np
import pytest

from kpviewer.models.ranking import Masks
from kpviewer.runtime.masks import LEAST_MASK_SCORE, MASK_CORNERS, mask_outlines
from kpviewer.sources.opencv import cv2

HW = (240, 320)
Y, X = np.mgrid[2:240:4, 2:320:4].astype(np.float32)
"""Centres of the pixels of the prototypes, of which one is 4 px of the input wide."""


def outlines(levels, *boxes: list[float], scores: list[float] | None = None) -> np.ndarray:
    """The outline of each box, with one prototype for all."""
    masks = Masks(np.float32(levels)[None], HW, np.ones((len(boxes), 1), np.float32))
    table = np.array(scores or [0.9] * len(boxes), np.float32)[:, None]
    found = mask_outlines(np.array(boxes, np.float32), table, masks)
    assert found.shape == (len(boxes), MASK_CORNERS, 2) and found.dtype == np.float32
    return found


def circle(x: float, y: float, radius: float) -> np.ndarray:
    return radius - np.hypot(X - x, Y - y)


def corners_of(box: list[float]) -> set[tuple[float, float]]:
    return {(x, y) for x in box[::2] for y in box[1::2]}


@pytest.mark.parametrize(("radius", "share"), [(9, 0.07), (30, 0.03), (100, 0.01)])
def test_the_outline_of_a_disc_has_its_extent_and_area(radius, share):
    box = [150 - 1.2 * radius, 120 - 1.1 * radius, 150 + 1.3 * radius, 120 + 1.1 * radius]
    (found,) = outlines(circle(150, 120, radius), box)
    extent = [*found.min(0), *found.max(0)]
    disc = [150 - radius, 120 - radius, 150 + radius, 120 + radius]
    assert extent == pytest.approx(disc, abs=1.5)
    assert cv2.contourArea(found) == pytest.approx(math.pi * radius**2, rel=share)


def test_a_mask_ends_at_its_box():
    (found,) = outlines(np.ones_like(X), [101, 50, 180, 93])
    assert [*found.min(0), *found.max(0)] == pytest.approx([101, 50, 180, 93], abs=1)
    (beyond,) = outlines(np.ones_like(X), [-40, -30, 60, 50])
    assert [*beyond.min(0), *beyond.max(0)] == pytest.approx([0, 0, 60, 50], abs=1)


def test_parts_and_holes_are_kept_but_small_ones():
    parts = np.maximum(circle(60, 100, 15), circle(200, 100, 40))
    levels = np.maximum(np.minimum(parts, -circle(200, 100, 20)), circle(120, 40, 4))
    (found,) = outlines(levels, [20, 20, 300, 200])
    assert cv2.contourArea(found) == pytest.approx(np.pi * (15**2 + 40**2 - 20**2), rel=0.03)
    filled = np.zeros(HW, np.uint8)
    cv2.fillPoly(filled, [np.rint(found).astype(np.int32)], 1)
    assert filled[100, [60, 170, 200, 230]].tolist() == [1, 1, 0, 1]
    assert filled[40, 120] == 0


def test_a_mask_of_very_many_parts_has_an_outline():
    levels = np.full(HW, -1.0)
    levels[20:180:8, 20:300:8] = 4.0  # far apart, and of one pixel each
    (found,) = outlines(levels, [10, 10, 310, 190])
    assert np.isfinite(found).all()


def test_masks_are_mixed_from_prototypes():
    prototypes = np.stack([circle(80, 80, 20), -circle(80, 80, 20)]).astype(np.float32)
    masks = Masks(prototypes, HW, np.array([[1, 0], [0, -1], [1, 1]], np.float32))
    boxes = np.array([[50, 50, 110, 110]] * 2 + [[48, 48, 90, 120]], np.float32)
    same, negated, empty = mask_outlines(boxes, np.eye(3, dtype=np.float32), masks)
    assert same.tolist() == negated.tolist()
    assert {tuple(each) for each in empty.tolist()} == corners_of([48, 48, 90, 120])


def test_maps_may_be_those_of_the_objects_and_have_another_limit():
    maps = np.stack([circle(80, 80, 30), circle(200, 120, 30)]).astype(np.float32)
    boxes = np.array([[40, 40, 120, 120], [160, 80, 240, 160]], np.float32)
    found = mask_outlines(boxes, np.eye(2, dtype=np.float32), Masks(maps, HW, limit=10.0))
    for outline, (x, y) in zip(found, ((80, 80), (200, 120)), strict=True):
        extent = [x - 20, y - 20, x + 20, y + 20]
        assert [*outline.min(0), *outline.max(0)] == pytest.approx(extent, abs=1.5)


def test_objects_without_a_mask_have_the_outline_of_their_box():
    level, best = circle(100, 100, 30), [60, 60, 140, 140]
    faint, hidden, away = [61, 60, 141, 139], [60, 61, 140, 140], [400, 10, 420, 30]
    scores = [0.9, LEAST_MASK_SCORE / 2, 0.5, 0.8]
    found = outlines(level, best, faint, hidden, away, scores=scores)
    assert len({tuple(each) for each in found[0].tolist()}) > 8
    for outline, box in zip(found[1:], (faint, hidden, away), strict=True):
        assert {tuple(each) for each in outline.tolist()} == corners_of(box)


def test_a_ragged_mask_has_no_more_corners_than_all_have():
    waves = 1 + 0.4 * np.sin(40 * np.arctan2(Y - 120, X - 160))
    (found,) = outlines(100 * waves - np.hypot(X - 160, Y - 120), [10, 5, 310, 235])
    assert cv2.contourArea(found) == pytest.approx(math.pi * 100**2, rel=0.15)


def test_nothing_found_has_no_outlines():
    masks = Masks(np.ones((1, 60, 80), np.float32), HW, np.zeros((0, 1), np.float32))
    none = np.zeros((0, 4), np.float32)
    assert mask_outlines(none, np.zeros((0, 2), np.float32), masks).shape == (0, MASK_CORNERS, 2)


def test_the_maps_of_chosen_objects_are_not_copied():
    """Those of torchvision are as large as the input: hundreds of MB a frame."""
    maps = np.stack([circle(60, 100, 15), circle(200, 100, 40), circle(100, 100, 20)])
    chosen = Masks(maps, HW)[np.array([2, 0, 1])][np.array([2, 0])]
    assert chosen.maps is maps
    boxes = np.array([[150, 50, 250, 150], [70, 70, 130, 130]], np.float32)
    first, second = mask_outlines(boxes, np.full((2, 1), 0.9, np.float32), chosen)
    assert [*first.min(0), *first.max(0)] == pytest.approx([160, 60, 240, 140], abs=1.5)
    assert [*second.min(0), *second.max(0)] == pytest.approx([80, 80, 120, 120], abs=1.5)
