"""Inputs of any shape: detections are accurate to half a pixel, on either engine."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpviewer.models.base import DecodedBatch
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.spec import ModelSpec, Placement, Resize, Task
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.letterboxing import Letterboxing

SPEC = ModelSpec(
    "probe", "probe", Task.DETECT_KEYPOINTS, ("spot",), (192, 320), ("middle",),
    resize=Resize.STRETCH, stride=32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0),
)  # fmt: skip
ENGINES = [
    "torch",
    pytest.param("openvino", marks=pytest.mark.skipif(not has_openvino(), reason="no OpenVINO")),
]


@dataclass
class Middle:
    """Finds the middle of what is bright, and a box of 20 x 10 input px about it."""

    spec: ModelSpec
    network: nn.Module

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        weight = raw.sum(1)  # (B, H, W)
        total = weight.sum((1, 2))
        x = (weight.sum(1) * (torch.arange(input_hw[1]) + 0.5)).sum(1) / total
        y = (weight.sum(2) * (torch.arange(input_hw[0]) + 0.5)).sum(1) / total
        middle = torch.stack([x, y], -1)
        half = torch.tensor([10.0, 5.0])
        box = torch.cat([middle - half, middle + half], -1)[:, None]
        return DecodedBatch(box, torch.ones(1, 1, 1), middle[:, None, None])


def image(hw: tuple[int, int], x: int, y: int) -> np.ndarray:
    """A square of 40 px about (x, y) in the dark."""
    bgr = np.zeros((*hw, 3), np.uint8)
    bgr[y - 20 : y + 20, x - 20 : x + 20] = 255
    return bgr


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("hw", [(480, 640), (640, 480), (1000, 333), (192, 320)])
def test_detections_are_at_their_position(engine, hw):
    executor = Executor(Middle(SPEC, nn.Identity()), "cpu", "fp32", engine)
    executor.warm_up(hw)
    assert executor.backend == engine
    for x, y in ((30, 150), (hw[1] - 30, 40), (hw[1] // 2, hw[0] - 25)):
        seen, _ = executor.infer(image(hw, x, y))
        assert np.abs(seen.keypoints_xy[0, 0] - [x, y]).max() <= 0.5
        sides = seen.xyxy[0, 2:] - seen.xyxy[0, :2]
        np.testing.assert_allclose(sides, [20 * hw[1] / 320, 10 * hw[0] / 192], rtol=1e-4)


def test_the_input_has_the_models_size_for_any_image():
    for hw in ((10, 4000), (192, 320), (77, 31)):
        box = letterbox_of(SPEC, hw)
        assert (box.input_hw, box.resized_hw, box.left, box.top) == ((192, 320), (192, 320), 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("hw", "input_hw"),
    [((1080, 1920), (224, 416)), ((640, 480), (352, 288)), ((90, 90), (320, 320))],
)
def test_an_input_of_the_images_proportions(engine, hw, input_hw):
    spec = replace(SPEC, resize=Resize.AREA, input_hw=(320, 320))
    executor = Executor(Middle(spec, nn.Identity()), "cpu", "fp32", engine)
    executor.warm_up(hw)
    assert letterbox_of(spec, hw).input_hw == input_hw
    for x, y in ((25, 60), (hw[1] - 25, 25), (hw[1] // 2, hw[0] - 25)):
        seen, _ = executor.infer(image(hw, x, y))
        assert np.abs(seen.keypoints_xy[0, 0] - [x, y]).max() <= 0.5


@pytest.mark.parametrize("hw", [(224, 416), (352, 288), (320, 320)])
def test_the_shipped_network_has_a_prediction_for_each_anchor(hw):
    detector = build_face_ssd()
    with torch.no_grad():
        heads = detector.network.train()(torch.zeros(1, 3, *hw))
    assert heads.class_logits.shape[1] == len(detector.network.anchors(hw, torch.device("cpu")))


def test_padding_has_the_colour_of_the_spec_at_the_side_that_it_names():
    spec = replace(SPEC, resize=Resize.LETTERBOX, stride=None, padding=(114, 113, 112))
    grey = np.full((100, 320, 3), 50, np.uint8)
    for placement, top in ((Placement.CENTRE, 46), (Placement.TOP_LEFT, 0)):
        own = replace(spec, placement=placement)
        rows = Letterboxing(own)(grey, letterbox_of(own, (100, 320)))
        assert rows.shape == (1, 192, 320, 3)
        assert (rows[0, top : top + 100] == 50).all()
        outside = np.concatenate([rows[0, :top], rows[0, top + 100 :]])
        assert np.unique(outside.reshape(-1, 3), axis=0).tolist() == [[114, 113, 112]]


def test_an_image_is_left_at_its_own_size_unless_it_is_too_large():
    spec = replace(SPEC, resize=Resize.NONE, input_hw=(192, 320), stride=1)
    small, large = letterbox_of(spec, (77, 31)), letterbox_of(spec, (384, 320))
    assert (small.input_hw, small.scale_x, small.left) == ((77, 31), 1, 0)
    assert (large.input_hw, large.resized_hw) == ((192, 160), (192, 160))
