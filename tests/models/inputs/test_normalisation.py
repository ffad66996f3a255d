"""Normalisation: one definition for training, evaluation and inference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC

CPU = torch.device("cpu")


def test_pixels_become_distances_from_the_mean_in_deviations():
    red, green, blue = Normalisation(FACE_SPEC, CPU)(torch.full((1, 3, 1, 1), 51))[0, :, 0, 0]
    assert float(red) == pytest.approx((0.2 - 0.485) / 0.229)
    assert float(green) == pytest.approx((0.2 - 0.456) / 0.224)
    assert float(blue) == pytest.approx((0.2 - 0.406) / 0.225)


def test_one_pass_differs_by_rounding_alone():
    levels = torch.arange(256, dtype=torch.uint8).expand(1, 3, 1, 256)
    normalise = Normalisation(FACE_SPEC, CPU)
    exact, fast = normalise(levels), normalise.in_one_pass(levels)
    assert exact.dtype == fast.dtype == torch.float32
    assert float((exact - fast).abs().max()) < 1e-6


def test_the_mean_colour_becomes_zero():
    normalise = Normalisation(FACE_SPEC, CPU)
    assert not normalise(normalise.mean[None, :, None, None]).any()


def test_division_by_255_alone_is_rounded_as_numpy_does():
    spec = replace(FACE_SPEC, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    levels = torch.arange(256, dtype=torch.uint8).expand(1, 3, 1, 256)
    expected = (np.arange(256, dtype=np.float32) / np.float32(255)).tolist()
    assert Normalisation(spec, CPU).in_one_pass(levels)[0, 0, 0].tolist() == expected
