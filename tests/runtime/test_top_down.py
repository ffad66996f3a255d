"""Keypoint models that read crops, on images with points known by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dot_models import FixedBoxes, dot_finder

from kpviewer.models.loading import open_model
from kpviewer.models.networks.points.crops import crops_of
from kpviewer.models.networks.points.two_stage import TwoStageDetector
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.top_down import TopDownDetector
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.naive import NaiveModel
from kpviewer.runtime.top_down import crop_region, cut_smoothly

PAIR = "two-stage:face-ssd+face-points"


def smooth_image(height: int, width: int) -> np.ndarray:
    """Return an image of slow waves, which resampling hardly changes."""
    y, x = np.mgrid[:height, :width]
    return np.stack([127 + 100 * np.sin(each / 9) for each in (x, y, x + y)], -1).astype(np.uint8)


def test_points_of_each_crop_are_converted_to_the_image():
    detector = TopDownDetector(dot_finder(), FixedBoxes(), 1.0)
    image = np.zeros((128, 128, 3), np.uint8)  # twice the box detector's input
    for x, y in ((20, 36), (100, 84)):
        image[y - 2 : y + 2, x - 2 : x + 2] = 255
    found, _ = Executor(detector, "cpu", "fp32", "torch").infer(image)
    assert found.xyxy.tolist() == [[8, 8, 48, 48], [60, 60, 124, 124]]
    assert found.scores[:, 0].tolist() == pytest.approx([0.9, 0.7])
    np.testing.assert_allclose(found.keypoints_xy[:, 0], [[20, 36], [100, 84]], atol=0.3)


@pytest.mark.parametrize("box", [[20, 30, 50, 60], [40.3, 20.7, 110.2, 81.9], [-5.5, -2, 60, 70]])
def test_crops_are_those_of_training_and_export(box):
    image = smooth_image(160, 200)
    low, scale = crop_region(np.array(box, np.float32), (32, 32), 1.25)
    ours = cut_smoothly(image, low, scale, (32, 32), (0, 0, 0)).astype(float)
    region = torch.tensor([*low, *(low + 32 * scale)], dtype=torch.float32)
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    theirs = crops_of(planes, region[None, None], (32, 32))[0, 0].permute(1, 2, 0).numpy()
    inside = (theirs > 0).all(-1)  # within a px, the edges of the image differ
    assert np.abs(ours - theirs)[1:-1, 1:-1][inside[1:-1, 1:-1]].mean() < 1.5


def test_a_crop_that_shrinks_averages():
    image = np.zeros((512, 512, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 255
    crop = cut_smoothly(image, np.zeros(2), 8.0, (64, 64), (0, 0, 0))
    assert np.abs(crop.astype(float) - 127.5).max() <= 1


def test_a_crop_of_the_largest_images_takes_little_memory():
    image = np.full((4000, 4000, 3), 90, np.uint8)
    crop = cut_smoothly(image, np.zeros(2), 3000.0, (128, 128), (0, 0, 0))
    assert crop.shape == (128, 128, 3)
    assert crop[0, 0].tolist() == [90, 90, 90]


def test_a_crop_has_the_mean_colour_outside_of_the_image():
    seen = []
    reader = dot_finder()
    reader.network.backbone[0].register_forward_hook(
        lambda _layer, inputs, _out: seen.append(inputs[0])
    )
    detector = TopDownDetector(reader, FixedBoxes(), 4.0)
    Executor(detector, "cpu", "fp32", "torch").infer(np.full((128, 128, 3), 255, np.uint8))
    assert len(seen) == 2
    assert seen[0][0, :, 0, 0].abs().max() < 0.02 and seen[0][0, :, 16, 16].min() > 2


def test_crops_are_read_once_without_tta():
    reader = open_model(PAIR).network.reader
    assert reader.spec.tta_runs == as_torch(reader).spec.tta_runs == 1
    assert open_model("face-points").spec.tta_runs == 3


def test_a_box_detector_in_eight_bits_may_come_before_a_model_that_has_none():
    pair = open_model(PAIR)
    pair.network.reader.spec = replace(pair.network.reader.spec, activation_ranges=())
    executor = Executor(pair, "cpu", measures=False)
    has_int8 = ("openvino", "int8") in Executor(open_model("face-ssd"), "cpu").choices
    assert (("openvino", "int8") in executor.choices) == has_int8
    assert executor.choices[0] == ("onnxruntime", "fp32")


def test_shipped_stages_are_one_network_of_torch_for_export_and_the_plain_loop():
    detector, image = open_model(PAIR), probe_image()
    assert isinstance(as_torch(detector), TwoStageDetector)
    found = NaiveModel(detector, torch.device("cpu")).detect(image)
    ours, _ = Executor(detector, "cpu", "fp32", "onnxruntime").infer(image)
    assert found.scores[0] == pytest.approx(ours.scores[0, 0], abs=0.02)
    np.testing.assert_allclose(found.keypoints_xy[0], ours.keypoints_xy[0], atol=1)
