"""A box detector and a point model as one network, on images with points known by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dot_models import BOXES_SPEC, SPEC, FixedBoxes, dot_finder

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.networks.points.crops import crops_of, points_from_crops, regions_around
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES
from kpviewer.models.networks.points.two_stage import MAX_CROPS, TwoStageDetector
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.weights import save_weights
from kpviewer.runtime.executor import Executor


def test_points_of_each_crop_are_converted_to_the_image():
    two_stages = TwoStageDetector(FixedBoxes(), dot_finder())
    images = torch.zeros(1, 3, 128, 128)  # twice the box detector's input
    for x, y in ((20, 36), (100, 84)):
        images[..., y - 1 : y + 1, x - 1 : x + 1] = 1.0
    seen = two_stages.decode(two_stages.network(images), (128, 128))
    assert seen.xyxy[0, :2].tolist() == [[8, 8, 48, 48], [60, 60, 124, 124]]
    assert seen.scores[0, :, 0].tolist() == pytest.approx([0.9, 0.7, 0.0])
    found = seen.keypoints_xy[0, :2, 0]
    assert torch.allclose(found, torch.tensor([[20.0, 36.0], [100.0, 84.0]]), atol=0.3)


def test_crops_are_run_once_without_tta():
    reader = dot_finder(tta_runs=3)
    crops: list[int] = []
    reader.network.backbone[0].register_forward_hook(
        lambda _layer, inputs, _out: crops.append(len(inputs[0]))
    )
    reader.network(torch.zeros(2, 3, 32, 32))
    TwoStageDetector(FixedBoxes(), reader).network(torch.zeros(1, 3, 128, 128))
    assert crops == [2 * 3, 3]  # of two images three runs, of three boxes one


def test_a_crop_is_what_is_in_its_region():
    rows = torch.arange(64.0)
    images = torch.stack([rows.expand(64, 64), rows[:, None].expand(64, 64), torch.ones(64, 64)])
    regions = torch.tensor([[[8.0, 16.0, 40.0, 48.0], [-32.0, 0.0, 0.0, 32.0]]])
    crops = crops_of(images[None], regions, (16, 16))
    assert crops.shape == (1, 2, 3, 16, 16)
    # each output px is the mean of 2 x 2 input px; pixel i has the value i at its middle i + 0.5
    wanted = 8 + 2 * torch.arange(16.0) + 0.5
    assert torch.allclose(crops[0, 0, 0], wanted.expand(16, 16), atol=1e-4)
    assert torch.allclose(crops[0, 0, 1], (wanted + 8)[:, None].expand(16, 16), atol=1e-4)
    assert crops[0, 1, :, :, :-1].abs().max() == 0  # wholly left of the image


def test_regions_have_the_crop_s_proportions_and_hold_the_box():
    box = torch.tensor([10.0, 20.0, 30.0, 60.0])
    assert regions_around(box, 1.5, (32, 32)).tolist() == [-10.0, 10.0, 50.0, 70.0]
    assert regions_around(box, 1.0, (32, 64)).tolist() == [-20.0, 20.0, 60.0, 60.0]
    back = points_from_crops(torch.tensor([[-1.0, -1.0], [0.0, 1.0]]), box)
    assert back.tolist() == [[10.0, 20.0], [20.0, 60.0]]


def test_a_model_of_whole_images_is_refused(tmp_path):
    path = tmp_path / "whole.safetensors"
    save_weights(POINT_ARCHITECTURES["points-mobilenet"](SPEC), path)
    with pytest.raises(WeightsError, match="takes whole images"):
        open_model(f"two-stage:face-ssd+{path}")


@pytest.mark.parametrize("name", ["two-stage:", "two-stage:face-ssd", "two-stage:+a"])
def test_a_name_that_lacks_a_stage_is_reported(name):
    with pytest.raises(WeightsError, match=r"BOXES\+POINTS"):
        open_model(name)


def test_the_second_stage_must_be_a_point_model():
    with pytest.raises(WeightsError, match="must be a point model, got cards-ssd"):
        open_model("two-stage:face-ssd+cards-ssd")


def test_two_files_open_as_one_model_and_every_engine_runs_it(tmp_path):
    torch.manual_seed(0)
    names = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    points = POINT_ARCHITECTURES["points-mobilenet"](replace(SPEC, keypoint_names=names))
    points.network.crop_margin.fill_(1.25)
    boxes = build_face_ssd()
    save_weights(points, tmp_path / "points.safetensors")
    save_weights(boxes, tmp_path / "boxes.safetensors")
    name = f"two-stage:{tmp_path}/boxes.safetensors+{tmp_path}/points.safetensors"
    detector = open_model(name)
    assert detector.spec.keypoint_names == names
    assert as_torch(detector).spec.input_hw == (512, 896)
    bgr = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    seen = Executor(as_torch(detector), "cpu", "fp32", "torch").infer(bgr)[0]
    assert seen.xyxy.shape == (MAX_CROPS, 4)
    assert seen.keypoints_xy.shape == (MAX_CROPS, 5, 2)
    assert Executor(detector, "cpu", "fp32", "torch").infer(bgr)[0].keypoints_xy.shape[1:] == (5, 2)


def test_threshold_of_keypoints_is_that_of_the_point_model():
    boxes = FixedBoxes()
    boxes.spec = replace(BOXES_SPEC, keypoint_threshold=0.3)
    points = dot_finder()
    assert TwoStageDetector(boxes, points).spec.keypoint_threshold is None
    points.spec = replace(points.spec, keypoint_threshold=0.4)
    assert TwoStageDetector(boxes, points).spec.keypoint_threshold == 0.4
