"""What is cut out for an RoI: crops, cells and bins, against hand-worked numbers and loops."""

import numpy as np
import pytest
import torch

from kpviewer.models.networks.regions.pooling import (
    ImageCrops,
    position_sensitive_alignment,
    roi_alignment,
    roi_max_pooling,
    roi_rows,
)


def ramp(height: int, width: int) -> torch.Tensor:
    """Return an image whose pixels hold the x of their centre: (1, 3, H, W)."""
    return (torch.arange(width) + 0.5).expand(1, 3, height, width).contiguous()


def test_rois_bear_the_index_of_their_image():
    rows = roi_rows([torch.tensor([[1.0, 2, 3, 4]]), torch.zeros(0, 4), torch.ones(1, 4)])
    assert rows.tolist() == [[0, 1, 2, 3, 4], [2, 1, 1, 1, 1]]


def test_a_crop_has_context_of_8_of_its_112_px_on_each_side():
    # a proposal of 96 x 96 px fills 96 px of the crop: context of 8 px, at the scale of the image
    crop = ImageCrops()(ramp(200, 200), torch.tensor([[0.0, 40, 50, 136, 146]]))
    assert crop.shape == (1, 3, 112, 112)
    np.testing.assert_allclose(crop[0, 0, 60], 32.5 + np.arange(112), atol=1e-3)


def test_a_crop_is_warped_to_a_square_and_has_the_mean_colour_outside_the_image():
    crop = ImageCrops()(ramp(200, 200) + 1, torch.tensor([[0.0, 150, 50, 246, 242]]))
    columns = crop[0, 0, 56]
    np.testing.assert_allclose(columns[:50], 143.5 + np.arange(50), atol=1e-3)
    assert (columns[60:] == 0).all()  # from x = 142 + 60 = 202


def test_max_pooling_rounds_an_roi_to_whole_cells():
    columns = torch.arange(10.0).expand(1, 1, 10, 10).contiguous()
    found = roi_max_pooling()(columns, torch.tensor([[0.0, 48, 48, 160, 160]]))
    # columns 3 to 10 inclusive: bin j reaches from floor(8 j / 7) to before ceil(8 (j + 1) / 7)
    assert found[0, 0].tolist() == [[4, 5, 6, 7, 8, 9, 9]] * 7


def test_alignment_rounds_nothing():
    x_px = (torch.arange(10) + 0.5) * 16
    found = roi_alignment()(
        x_px.expand(1, 1, 10, 10).contiguous(), torch.tensor([[0.0, 30, 40, 100, 120]])
    )
    np.testing.assert_allclose(found[0, 0], np.tile(35 + 10 * np.arange(7), (7, 1)), atol=1e-4)


def bilinear(plane: np.ndarray, y: float, x: float) -> float:
    """Return the value between pixel centres at whole numbers, inside the plane."""
    top, left = int(y), int(x)
    low, right = min(top + 1, plane.shape[0] - 1), min(left + 1, plane.shape[1] - 1)
    down, across = y - top, x - left
    upper = plane[top, left] * (1 - across) + plane[top, right] * across
    lower = plane[low, left] * (1 - across) + plane[low, right] * across
    return float(upper * (1 - down) + lower * down)


def test_each_bin_reads_its_own_map():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(2 * 9, 8, 10)).astype(np.float32)  # two channels, 3 x 3 bins
    x1, y1, x2, y2 = 20.0, 24.0, 140.0, 100.0
    found = position_sensitive_alignment()(
        torch.from_numpy(maps)[None], torch.tensor([[0.0, x1, y1, x2, y2]])
    )
    bin_w, bin_h = (x2 - x1) / 16 / 3, (y2 - y1) / 16 / 3
    for channel in range(2):
        for i in range(3):
            for j in range(3):
                plane = maps[9 * channel + 3 * i + j]
                points = [
                    bilinear(
                        plane,
                        y1 / 16 - 0.5 + (i + (a + 0.5) / 2) * bin_h,
                        x1 / 16 - 0.5 + (j + (b + 0.5) / 2) * bin_w,
                    )
                    for a in range(2)
                    for b in range(2)
                ]
                assert float(found[0, channel, i, j]) == pytest.approx(np.mean(points), abs=1e-5)
