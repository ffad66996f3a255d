"""Resizing on the device gives what OpenCV gives on the host."""

import numpy as np
import pytest
import torch

from kpviewer.models.inputs.resizing import resized
from kpviewer.models.spec import Sampling
from kpviewer.sources.opencv import cv2
from kpviewer.sources.resizing import resized_antialiased, resized_in_float

IMAGE = np.random.default_rng(0).integers(0, 256, (75, 100, 3), np.uint8)
PLANES = torch.from_numpy(IMAGE).permute(2, 0, 1)[None].float()


def on_device(size_hw: tuple[int, int], sampling: Sampling) -> np.ndarray:
    return resized(PLANES, size_hw, sampling)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("size_hw", [(48, 64), (33, 51), (120, 160), (75, 40), (75, 100)])
def test_linear_is_opencvs_to_the_last_bit(size_hw: tuple[int, int]) -> None:
    theirs = cv2.resize(IMAGE, size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    ours = on_device(size_hw, Sampling.LINEAR)
    assert np.abs(ours - theirs).max() <= 1
    assert (ours != theirs).mean() < 1e-3  # none on x86; others may round a few differently


def test_linear_in_float_keeps_fractions() -> None:
    theirs = resized_in_float(IMAGE, (48, 64))
    np.testing.assert_allclose(on_device((48, 64), Sampling.LINEAR_FLOAT), theirs, atol=1e-3)


def test_areas_are_averaged_within_a_level() -> None:
    theirs = resized_antialiased(IMAGE, (33, 51)).astype(float)
    assert np.abs(on_device((33, 51), Sampling.ANTIALIASED) - theirs).max() <= 1
