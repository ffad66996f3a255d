"""A box detector and a point model combined, on images with points known by hand."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpviewer.errors import WeightsError
from kpviewer.models.base import DecodedBatch, Detector
from kpviewer.models.loading import open_model
from kpviewer.models.networks.points.crops import crops_of, points_from_crops, regions_around
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES, PointDetector
from kpviewer.models.networks.points.two_stage import MAX_CROPS, TwoStageDetector, open_two_stage
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.models.weights import save_weights
from kpviewer.runtime.executor import Executor

SPEC = ModelSpec("one", "points-mobilenet", Task.KEYPOINTS, ("dot",), (32, 32), ("dot",))
BOXES_SPEC = ModelSpec("boxes", "fixed", Task.DETECT, ("dot",), (64, 64), stride=32)


class FixedBoxes:
    """Detector of the same two boxes, and a duplicate of the first, in every image of 64 px."""

    spec = BOXES_SPEC
    network = nn.Identity()

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        xyxy = torch.tensor([[4.0, 4, 24, 24], [5, 4, 25, 24], [30, 30, 62, 62]])
        scores = torch.tensor([[0.9], [0.8], [0.7]])
        count = len(raw)
        return DecodedBatch(
            xyxy.expand(count, 3, 4), scores.expand(count, 3, 1), torch.zeros(count, 3, 0, 2)
        )


class BrightestHead(nn.Module):
    """Head that predicts the mean position of bright pixels, as a trained one would for a dot."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        bright = maps[-1].mean(1, keepdim=True).clamp(min=0)  # (B, 1, h, w)
        return bright

    def coordinates(self, raw: Tensor) -> Tensor:
        weight = raw / raw.sum((2, 3), keepdim=True).clamp(min=1e-6)
        steps = (torch.arange(raw.shape[3]) + 0.5) * (2 / raw.shape[3]) - 1
        return torch.stack([(weight.sum(2) * steps).sum(-1), (weight.sum(3) * steps).sum(-1)], -1)


def dot_finder(margin: float = 1.2, tta_runs: int = 1) -> PointDetector:
    detector = POINT_ARCHITECTURES["points-mobilenet"](replace(SPEC, tta_runs=tta_runs))
    detector.network.backbone = nn.Sequential(nn.Identity())
    detector.network.head = BrightestHead()  # type: ignore[assignment]
    detector.network.crop_margin.fill_(margin)
    detector.network.eval()
    return detector


def test_points_of_each_crop_are_converted_to_the_image() -> None:
    two_stages = TwoStageDetector(FixedBoxes(), dot_finder())
    images = torch.zeros(1, 3, 128, 128)  # twice the box detector's input
    for x, y in ((20, 36), (100, 84)):
        images[..., y - 1 : y + 1, x - 1 : x + 1] = 1.0
    seen = two_stages.decode(two_stages.network(images), (128, 128))
    assert seen.xyxy[0, :2].tolist() == [[8, 8, 48, 48], [60, 60, 124, 124]]
    assert seen.scores[0, :, 0].tolist() == pytest.approx([0.9, 0.7, 0.0])
    found = seen.keypoints_xy[0, :2, 0]
    assert torch.allclose(found, torch.tensor([[20.0, 36.0], [100.0, 84.0]]), atol=0.3)


def test_crops_are_run_once_without_tta() -> None:
    reader = dot_finder(tta_runs=3)
    crops: list[int] = []
    reader.network.backbone[0].register_forward_hook(
        lambda _layer, inputs, _out: crops.append(len(inputs[0]))
    )
    reader.network(torch.zeros(2, 3, 32, 32))
    TwoStageDetector(FixedBoxes(), reader).network(torch.zeros(1, 3, 128, 128))
    assert crops == [2 * 3, 3]  # of two images three runs, of three boxes one


def test_a_crop_is_what_is_in_its_region() -> None:
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


def test_regions_have_the_crop_s_proportions_and_hold_the_box() -> None:
    box = torch.tensor([10.0, 20.0, 30.0, 60.0])
    assert regions_around(box, 1.5, (32, 32)).tolist() == [-10.0, 10.0, 50.0, 70.0]
    assert regions_around(box, 1.0, (32, 64)).tolist() == [-20.0, 20.0, 60.0, 60.0]
    back = points_from_crops(torch.tensor([[-1.0, -1.0], [0.0, 1.0]]), box)
    assert back.tolist() == [[10.0, 20.0], [20.0, 60.0]]


def test_a_model_of_whole_images_is_refused() -> None:
    with pytest.raises(WeightsError, match="takes whole images"):
        TwoStageDetector(FixedBoxes(), dot_finder(margin=0))


@pytest.mark.parametrize("name", ["two-stage:", "two-stage:face-ssd", "two-stage:+a"])
def test_a_name_that_lacks_a_stage_is_reported(name: str) -> None:
    with pytest.raises(WeightsError, match=r"BOXES\+POINTS"):
        open_model(name)


def test_the_second_stage_must_be_a_point_model() -> None:
    def give(name: str) -> Detector:
        return FixedBoxes()

    with pytest.raises(WeightsError, match="must be a point model"):
        open_two_stage("two-stage:a+b", give)


def test_two_files_open_as_one_model_and_every_engine_runs_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    names = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    points = POINT_ARCHITECTURES["points-mobilenet"](replace(SPEC, keypoint_names=names))
    points.network.crop_margin.fill_(1.25)
    boxes = build_face_ssd()
    save_weights(points, tmp_path / "points.safetensors")
    save_weights(boxes, tmp_path / "boxes.safetensors")
    name = f"two-stage:{tmp_path}/boxes.safetensors+{tmp_path}/points.safetensors"
    detector = open_model(name)
    assert detector.spec.input_hw == (512, 896)
    assert detector.spec.keypoint_names == names
    bgr = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    executor = Executor(detector, "cpu", "fp32", "torch")
    seen = executor.infer(bgr)[0]
    assert seen.xyxy.shape == (MAX_CROPS, 4)
    assert seen.keypoints_xy.shape == (MAX_CROPS, 5, 2)


def test_threshold_of_keypoints_is_that_of_the_point_model() -> None:
    boxes = FixedBoxes()
    boxes.spec = replace(BOXES_SPEC, keypoint_threshold=0.3)
    points = dot_finder()
    assert TwoStageDetector(boxes, points).spec.keypoint_threshold is None
    points.spec = replace(points.spec, keypoint_threshold=0.4)
    assert TwoStageDetector(boxes, points).spec.keypoint_threshold == 0.4
