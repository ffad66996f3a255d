"""Refinement outside of a detector's graph: the points that its own refiner gives."""

import json

import numpy as np
import pytest
import torch

from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.networks.points.refiner import frames_of, from_window, windows_of
from kpviewer.models.opening.shipped_graph import REFINERS
from kpviewer.models.opening.torch_loading import open_in_torch
from kpviewer.runtime.sessions.refining import Refining
from kpviewer.shipped import shipped_weights_dir
from kpviewer.sources.opencv import cv2

pytestmark = pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")

HW = (96, 160)


@pytest.fixture(scope="module")
def detector():
    """Return face-ssd as a network of torch."""
    return open_in_torch("face-ssd")


@pytest.fixture(scope="module")
def refining(detector) -> Refining:
    template = json.dumps(detector.network.point_refiner.template.tolist())
    path = shipped_weights_dir() / REFINERS["face-ssd"]
    return Refining(path, detector.spec, template, "fp32", None)


def images(count: int) -> np.ndarray:
    """Return smooth noise, (count, h, w, 3) uint8."""
    noise = np.random.default_rng(3).integers(0, 256, (count, *HW, 3)).astype(np.uint8)
    return np.stack([cv2.GaussianBlur(each, (0, 0), 2) for each in noise])


def candidates(count: int, template: np.ndarray) -> np.ndarray:
    """Return (count, 12, 15) candidates whose points are the template's, in any pose."""
    rng = np.random.default_rng(4)
    rows = rng.uniform(0, 1, (count, 12, 15)).astype(np.float32)
    for row in rows.reshape(-1, 15):
        angle, scale = rng.uniform(-3, 3), rng.uniform(8, 60)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = scale * template @ turn.T + rng.uniform(0, HW[::-1], 2) + rng.normal(0, 1, (5, 2))
        row[5:] = points.ravel()
    return rows


def refined_by_torch(detector, rgb: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """Return (B, M, 10) points, from windows that are rounded to whole levels of brightness."""
    refiner, mean = detector.network.point_refiner.eval(), torch.tensor(detector.spec.mean)
    levels, std = (255 * mean).round(), torch.tensor(detector.spec.std)
    points = torch.from_numpy(rough[..., 5:].reshape(*rough.shape[:2], 5, 2))
    frames = frames_of(points, refiner.template)
    around = (torch.from_numpy(rgb) - levels).permute(0, 3, 1, 2)
    windows = windows_of(around, frames).round() + levels[:, None, None]
    places = refiner.read(
        ((windows / 255 - mean[:, None, None]) / std[:, None, None]).flatten(0, 1)
    )
    return from_window(places.reshape(points.shape), frames).flatten(2).numpy()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 8, 10])
def test_points_are_those_of_the_refiner_of_torch(detector, refining, count):
    rgb, rough = images(2), candidates(2, detector.network.point_refiner.template.numpy())
    wanted = np.full((2, 12), -1)
    for number, each in enumerate(wanted):
        each[:count] = np.random.default_rng(number).permutation(12)[:count]
    found = rough.copy()
    refining(rgb, found, wanted)
    expected = rough.copy()
    with torch.inference_mode():
        points = refined_by_torch(detector, rgb, rough)
    for image, rows in enumerate(wanted[:, :count]):
        expected[image, rows, 5:] = points[image, rows]
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert (np.abs(found - rough).max() > 1) == (count > 0)
