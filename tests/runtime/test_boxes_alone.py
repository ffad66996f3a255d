"""Detectors without keypoints, on each backend: OpenVINO fails on tensors without columns."""

import numpy as np
import pytest
import torch

from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.runtime.executor import Executor

pytest.importorskip("openvino")


def test_openvino_finds_the_boxes_that_torch_finds():
    torch.manual_seed(0)
    detector = build_light_ssd()
    with torch.no_grad():  # else all scores are alike, and their order is chance
        for head in detector.network.heads:
            head.weight.mul_(30)
    detector.network.eval()
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    seen = []
    for engine in ("torch", "openvino"):
        executor = Executor(detector, "cpu", "fp32", engine)
        executor.warm_up((120, 160))
        seen.append(executor.infer(image)[0])
    assert seen[0].keypoints_xy.shape == seen[1].keypoints_xy.shape == (len(seen[0].scores), 0, 2)
    # float32 sums in another order
    np.testing.assert_allclose(seen[0].scores, seen[1].scores, atol=1e-4)
    np.testing.assert_allclose(seen[0].xyxy[:20], seen[1].xyxy[:20], atol=0.05)
