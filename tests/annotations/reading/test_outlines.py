"""Outlines while a data set is read: bounded, and in the order of the objects."""

import numpy as np
import pytest

from kpviewer.annotations.reading import outlines
from kpviewer.annotations.reading.outlines import OutlineColumns

BOXES = np.array([[0, 0, 9, 9], [10, 10, 50, 50]], np.float32)


def circle(count: int) -> list[float]:
    angles = np.arange(count) * 2 * np.pi / count
    return (30 + 20 * np.stack([np.cos(angles), np.sin(angles)], 1)).ravel().tolist()


def test_outlines_follow_the_order_of_their_objects():
    columns = OutlineColumns()
    columns.add(0, circle(6))
    of = columns.in_order(np.array([1, 0]), BOXES)
    assert of(slice(0, 1)) is None
    np.testing.assert_allclose(of(slice(1, 2))[0].ravel(), circle(6), rtol=1e-6)


def test_a_mask_of_very_many_corners_keeps_its_shape():
    columns = OutlineColumns()
    columns.add(1, circle(2000))
    (outline,) = columns.in_order(np.arange(2), BOXES)(slice(1, 2))
    assert len(outline) <= 256
    assert np.linalg.norm(outline - 30, axis=1) == pytest.approx(20, abs=1e-3)
    gaps = np.linalg.norm(outline - np.roll(outline, -1, 0), axis=1)
    assert gaps.max() < 2 * gaps.min()


def test_masks_of_too_many_corners_are_left_out_all_of_them(monkeypatch):
    monkeypatch.setattr(outlines, "MAX_CORNERS", 20)
    columns = OutlineColumns()
    for row in (0, 1, 0):
        columns.add(row, circle(15))
    assert columns.are_too_many
    assert columns.in_order(np.arange(2), BOXES)(slice(0, 2)) is None
