"""Thin structures remain when an image shrinks, and nothing moves."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from kpviewer.sources.resizing import (
    resized,
    resized_antialiased,
    resized_in_float,
    resized_linearly,
)


def test_an_image_gets_the_new_size_and_keeps_its_colours():
    bgr = np.full((40, 60, 3), (10, 20, 30), np.uint8)
    for target in ((20, 15), (20, 30), (80, 100)):
        other = resized(bgr, target)
        assert (other.shape, other.dtype) == ((*target, 3), np.uint8)
        assert (other == (10, 20, 30)).all()


def test_a_line_thinner_than_the_steps_keeps_its_share():
    bgr = np.zeros((60, 80, 3), np.uint8)
    bgr[30] = 240  # one row of four that become one
    small = resized(bgr, (15, 20))
    assert small.shape == (15, 20, 3)
    assert small.sum(axis=(0, 2)).max() == 240 // 4 * 3


@pytest.mark.parametrize(
    ("hw", "target"),
    [((1080, 1920), (252, 448)), ((480, 640), (288, 384)), ((405, 719), (97, 173))],
)
def test_a_spot_stays_at_its_place_and_keeps_its_light(hw, target):
    bgr = np.zeros((*hw, 3), np.uint8)
    y, x = hw[0] // 3, hw[1] // 4
    bgr[y - 6 : y + 6, x - 6 : x + 6] = 250
    light = resized(bgr, target)[..., 0].astype(float)
    rows, columns = (np.arange(side) + 0.5 for side in target)
    position = (light.sum(1) @ rows / light.sum(), light.sum(0) @ columns / light.sum())
    assert position == pytest.approx((y * target[0] / hw[0], x * target[1] / hw[1]), abs=0.1)
    scale = target[0] * target[1] / (hw[0] * hw[1])
    assert light.sum() == pytest.approx(250 * 144 * scale, rel=0.1)


def test_a_side_that_can_not_be_halved_skips_no_pixel():
    bgr = np.zeros((45, 45, 3), np.uint8)
    bgr[::3] = 240
    assert np.ptp(resized(bgr, (15, 15))) <= 1  # each row holds one bright row of three


def test_an_image_of_the_new_size_is_returned_unchanged():
    bgr = np.zeros((40, 60, 3), np.uint8)
    assert resized(bgr, (40, 60)) is bgr


def test_linear_sampling_reads_the_two_nearest_pixels_of_each_axis():
    bgr = np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[None, :, None], 8, axis=0).repeat(3, 2)
    small = resized_linearly(bgr, (2, 6))
    # output pixel i lies at 4 i + 1.5 of the input, between pixels 4 i + 1 and 4 i + 2
    assert small[0, :, 0].tolist() == [15, 55, 95, 135, 175, 215]
    spot = np.zeros((8, 8, 3), np.uint8)
    spot[0, 0] = 255  # read by no output pixel
    assert resized_linearly(spot, (2, 2)).max() == 0 < resized(spot, (2, 2)).max()


def test_linear_in_float_is_torchs_interpolation():
    bgr = np.random.default_rng(1).integers(0, 256, (37, 53, 3), np.uint8)
    planes = torch.from_numpy(bgr).permute(2, 0, 1)[None].float()
    for target in ((20, 90), (64, 48)):
        ours = resized_in_float(bgr, target)
        theirs = interpolate(planes, target, mode="bilinear", align_corners=False)
        assert ours.dtype == np.float32
        assert ours == pytest.approx(theirs[0].permute(1, 2, 0).numpy(), abs=1e-3)


def test_antialiased_averages_what_a_pixel_covers():
    bgr = np.zeros((60, 80, 3), np.uint8)
    bgr[::4] = 240  # one row of four
    small = resized_antialiased(bgr, (15, 20))
    assert small.shape == (15, 20, 3)
    assert small[2:-2].mean() == pytest.approx(60, abs=2)
    assert resized_linearly(bgr, (15, 20))[2:-2].mean() == 0  # between the lines
