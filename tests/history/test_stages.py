"""Times by stage, and memory."""

import time
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from kpviewer.errors import WeightsError
from kpviewer.history.memory import inference_bytes, peak_bytes
from kpviewer.history.stages import Stages, StageTimer
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC, build_light_ssd
from kpviewer.models.weights import save_weights
from kpviewer.runtime.executor import Executor
from kpviewer.sources.opencv import cv2

IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)


def test_stages_are_parts_of_the_time_and_the_candidates_are_the_engines():
    detector = build_light_ssd(replace(LIGHT_SPEC, input_hw=(64, 64)))
    start_ns = time.perf_counter_ns()
    stages, candidates = StageTimer(detector, "cpu").measure(IMAGE)
    wall_ms = (time.perf_counter_ns() - start_ns) / 1e6
    assert stages.proposals == 0 and stages.backbone > 0 and stages.head > 0 and stages.nms > 0
    assert 0 < stages.total <= wall_ms
    expected, _ = Executor(detector, "cpu", "fp32", "torch").infer(IMAGE)
    np.testing.assert_array_equal(candidates.xyxy, expected.xyxy)


def test_the_mean_of_stages_is_by_stage():
    mean = Stages.mean([Stages(1, 0, 10, 0, 2, 1), Stages(3, 0, 20, 2, 4, 2)])
    assert mean == Stages(2, 0, 15, 1, 3, 1.5) and mean.total == 22.5


def test_a_network_without_a_backbone_is_refused():
    detector = build_light_ssd()
    detector.network = nn.Identity()
    with pytest.raises(WeightsError, match="backbone"):
        StageTimer(detector, "cpu")


def test_this_process_has_a_peak():
    peak = peak_bytes()
    assert peak is None or peak > 50e6


@pytest.mark.slow
def test_memory_is_measured_in_a_process_of_its_own(tmp_path):
    save_weights(build_light_ssd(), tmp_path / "ssd.safetensors")
    cv2.imwrite(str(tmp_path / "image.png"), IMAGE)
    found = inference_bytes(tmp_path / "ssd.safetensors", tmp_path / "image.png")
    assert found is None or 100e6 < found < 3e9
