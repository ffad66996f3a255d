"""Shrinking of images for what is sent over a network, and the application of Qt."""

import os
import subprocess
import sys

import numpy as np
import pytest

from kpviewer.overlay.images import shrunk


@pytest.mark.parametrize(
    ("shape_hw", "side_px", "expected_hw"),
    [((60, 80), 40, (30, 40)), ((80, 60), 40, (40, 30)), ((3, 4000), 100, (1, 100))],
    ids=["wide", "tall", "a strip"],
)
def test_the_longer_side_is_shrunk_in_proportion(shape_hw, side_px, expected_hw):
    assert shrunk(np.zeros((*shape_hw, 3), np.uint8), side_px).shape == (*expected_hw, 3)


def test_pixels_are_averaged_and_small_images_stay():
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.abs(shrunk(stripes, 4).astype(int) - 100).max() <= 1
    assert shrunk(stripes, 8) is stripes


def test_application_is_made_in_silence_in_a_locale_without_utf8():
    code = "from kpviewer.overlay import ensure_gui_application as make; make()"
    env = {**os.environ, "LC_ALL": "C"}
    made = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert made.stderr == b""
