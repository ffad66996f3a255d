"""The baseline loop has the engine's detections."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError
from kpviewer.models.base import DecodedBatch
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.naive import NaiveModel

SPEC = ModelSpec("probe", "probe", Task.DETECT, ("spot",), (96, 128), ("middle",))


@dataclass
class InputCatcher:
    """A detector that keeps what its network is given, and sees one box."""

    spec: ModelSpec
    network: nn.Module

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        box = torch.tensor([[[8.0, 16.0, 40.0, 48.0]]])
        return DecodedBatch(box, torch.ones(1, 1, 1), box[:, :, None, :2])


class Watch(nn.Module):
    seen: list[Tensor] = []  # noqa: RUF012 - the copy that is run must share it

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.clone())
        return images


@pytest.mark.parametrize("hw", [(96, 128), (60, 128), (192, 256)], ids=["same", "bars", "half"])
def test_the_network_gets_the_engines_input(hw):
    # A slope: every way to resize it by two gives the same, but at the edges.
    columns = np.linspace(0, 250, hw[1])
    bgr = np.repeat(np.broadcast_to(columns[None, :, None], (*hw, 1)), 3, 2)
    bgr = (bgr * (1.0, 0.5, 0.25)).astype(np.uint8)
    Watch.seen.clear()
    detector = InputCatcher(SPEC, Watch())
    engine = Executor(detector, "cpu", "fp32", "torch")
    candidates, _ = engine.infer(bgr)
    detections = NaiveModel(detector, torch.device("cpu")).detect(bgr)
    of_engine, of_naive = Watch.seen
    assert of_naive.is_contiguous()
    # one grey level, over the smallest standard deviation 0.224
    torch.testing.assert_close(of_naive, of_engine, rtol=0, atol=1.01 / 255 / 0.224)
    selected = select(candidates, SPEC.thresholds)
    np.testing.assert_array_equal(detections.xyxy, selected.xyxy)
    np.testing.assert_array_equal(detections.keypoints_xy, selected.keypoints_xy)


def test_the_network_stays_as_trained_and_is_not_shared():
    detector = build_face_ssd(replace(FACE_SPEC, input_hw=(64, 64)))
    before = {name: value.clone() for name, value in detector.network.state_dict().items()}
    NaiveModel(detector, torch.device("cpu")).detect(np.zeros((48, 64, 3), np.uint8))
    after = detector.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@dataclass
class Scored(InputCatcher):
    """The same, with a score of its keypoint."""

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        return super().decode(raw, input_hw)._replace(keypoint_scores=torch.full((1, 1, 1), 0.3))


def test_scores_of_keypoints_are_the_engines():
    detector = Scored(replace(SPEC, keypoint_threshold=0.4), Watch())
    bgr = np.zeros((96, 128, 3), np.uint8)
    candidates, _ = Executor(detector, "cpu", "fp32", "torch").infer(bgr)
    assert candidates.keypoint_scores is not None
    found = NaiveModel(detector, torch.device("cpu")).detect(bgr)
    assert found.keypoint_scores.tolist() == candidates.keypoint_scores.tolist()
    assert found.keypoint_scores[0, 0] == np.float32(0.3)
    assert not found.keypoints_predicted.any()


def test_scores_of_keypoints_that_the_spec_denies_are_refused():
    engine = Executor(Scored(SPEC, Watch()), "cpu", "fp32", "torch")
    with pytest.raises(PipelineError, match="Set keypoint_threshold"):
        engine.infer(np.zeros((96, 128, 3), np.uint8))
