"""The grid keypoint detector: shapes, decoding by hand, and values stored with its weights."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from kpviewer.models import weights
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.networks.grid import (
    HEAT_BOUND,
    STRIP_SPEC,
    GridHeads,
    GridNetwork,
    build_strip_grid,
    build_strip_grid_single,
)
from kpviewer.runtime.executor import Executor


def heads(rows: int, columns: int, marks: dict[tuple[int, int], tuple[int, float]]) -> GridHeads:
    """Cells that say background for sure, but for (row, column) -> (class, logit)."""
    logits = torch.zeros(1, 3, rows, columns)
    logits[:, 0] = 9.0
    for (row, column), (class_id, logit) in marks.items():
        logits[0, 0, row, column] = 0.0
        logits[0, 1 + class_id, row, column] = logit
    return GridHeads(torch.zeros(1, 2, rows, columns), logits)


def test_the_network_is_tiny():
    assert 10_000 < sum(p.numel() for p in GridNetwork(2).parameters()) < 100_000


@pytest.mark.parametrize("hw", [(320, 1920), (1920, 320), (160, 800)])
def test_each_32_px_cell_predicts_an_offset_and_three_classes(hw):
    network = GridNetwork(2).eval()
    with torch.inference_mode():
        raw = network(torch.randn(1, 3, *hw))
        decoded = build_strip_grid().decode(raw, hw)
    assert raw.offsets.shape == (1, 2, hw[0] // 32, hw[1] // 32)
    assert raw.class_logits.shape == (1, 3, hw[0] // 32, hw[1] // 32)
    assert decoded.scores.shape == (1, 64, 2)
    assert decoded.xyxy.shape == (1, 64, 4)
    assert decoded.keypoints_xy.shape == (1, 64, 1, 2)
    assert raw.offsets.abs().max() <= 0.875  # the outermost patches of the window


def test_a_cell_locates_a_target_by_its_offset_in_cells():
    raw = heads(4, 6, {(1, 3): (1, 2.0)})
    raw.offsets[0, :, 1, 3] = torch.tensor([0.25, -0.5])
    decoded = build_strip_grid().decode(raw, (128, 192))
    # cell (1, 3) is centred on (112, 48); 0.25 of 32 px is 8 px
    assert decoded.keypoints_xy[0, 0].tolist() == [[120.0, 32.0]]
    assert decoded.xyxy[0, 0].tolist() == [105.0, 17.0, 135.0, 47.0]
    # softmax of (0, 0, 2)
    assert decoded.scores[0, 0, 1].item() == pytest.approx(math.e**2 / (2 + math.e**2), rel=1e-6)


def test_boxes_are_clipped_to_the_image():
    raw = heads(2, 2, {(0, 0): (0, 5.0)})
    raw.offsets[0, :, 0, 0] = -0.4
    decoded = build_strip_grid().decode(raw, (64, 64))
    assert decoded.xyxy[0, 0].tolist() == pytest.approx([0.0, 0.0, 18.2, 18.2], abs=1e-5)


def test_only_the_best_of_neighbouring_cells_is_kept():
    marks = {(1, 1): (0, 3.0), (1, 2): (0, 2.0), (2, 5): (0, 2.5), (1, 3): (1, 4.0)}
    decoded = build_strip_grid().decode(heads(4, 7, marks), (128, 224))
    scores, points = decoded.scores[0], decoded.keypoints_xy[0, :, 0]
    # (1, 2) gives way to (1, 1); (1, 3) beside it is of another class
    assert (scores > 0.5).nonzero().tolist() == [[0, 1], [1, 0], [2, 0]]
    assert points[:3].tolist() == [[112.0, 48.0], [48.0, 48.0], [176.0, 80.0]]
    best = scores.amax(-1)
    assert (best[:-1] >= best[1:]).all()


def test_the_single_architecture_keeps_the_best_cell_of_each_class():
    raw = heads(4, 7, {(1, 1): (0, 3.0), (3, 5): (0, 2.0), (0, 6): (1, 4.0)})
    decoded = build_strip_grid_single().decode(raw, (128, 224))
    assert decoded.keypoints_xy[0, :, 0].tolist() == [[208.0, 16.0], [48.0, 48.0]]
    assert (decoded.scores[0] > 0.5).tolist() == [[False, True], [True, False]]


def test_an_offset_is_the_mean_of_the_heat_around_the_cell():
    network = GridNetwork(2)
    network.fine, network.heat = nn.Identity(), nn.Identity()
    network.coarse, network.classes = nn.AvgPool2d(4), nn.Conv2d(1, 3, 1)
    heat = torch.randn(1, 1, 8, 12, generator=torch.Generator().manual_seed(3))
    offsets = network(heat).offsets[0].detach().numpy()
    weight = np.exp(HEAT_BOUND * np.tanh(heat[0, 0].numpy() / HEAT_BOUND))
    for row in range(2):
        for column in range(3):
            total, sums = 0.0, np.zeros(2)
            for y in range(4 * row - 2, 4 * row + 6):  # 8 patches of 8 px around the cell's 4
                for x in range(4 * column - 2, 4 * column + 6):
                    if 0 <= y < 8 and 0 <= x < 12:
                        middle = np.array([8 * x + 4, 8 * y + 4])
                        total += weight[y, x]
                        sums += weight[y, x] * (middle - [32 * column + 16, 32 * row + 16]) / 32
            assert offsets[:, row, column] == pytest.approx(sums / total, abs=1e-5)


def test_an_untrained_detector_detects_nothing():
    torch.manual_seed(1)
    detector = build_strip_grid()
    detector.network.eval()
    with torch.inference_mode():
        raw = detector.network(torch.zeros(1, 3, 128, 128))
    assert detector.decode(raw, (128, 128)).scores.max() < 0.1


def test_the_size_of_the_target_is_kept_with_the_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "ARCHITECTURES", {"strip-grid": build_strip_grid})
    detector = build_strip_grid()
    detector.network.target_wh.copy_(torch.tensor([24.0, 40.0]))
    weights.save_weights(detector, tmp_path / "one.safetensors")
    loaded = weights.load_model(tmp_path / "one.safetensors")
    xyxy = loaded.decode(heads(4, 4, {(1, 1): (0, 5.0)}), (128, 128)).xyxy[0, 0]
    assert loaded.spec == STRIP_SPEC
    assert xyxy.tolist() == [36.0, 28.0, 60.0, 68.0]


def test_strips_keep_their_size_in_either_orientation():
    torch.manual_seed(2)
    detector = build_strip_grid()
    detector.network.eval()
    executor = Executor(detector, "cpu", "fp32", "torch")
    for hw in ((96, 1920), (1920, 96)):
        candidates, _ = executor.infer(np.zeros((*hw, 3), np.uint8))
        assert candidates.xyxy[:, 2].max() <= hw[1]
        assert candidates.xyxy[:, 3].max() <= hw[0]
        # no resize: a whole box is 30 px in the image too
        assert (candidates.xyxy[:, 2] - candidates.xyxy[:, 0]).max() == pytest.approx(30, abs=1e-3)


@pytest.mark.skipif(not has_openvino(), reason="needs openvino")
def test_openvino_agrees_with_torch():
    torch.manual_seed(0)
    detector = build_strip_grid()
    nn.init.normal_(detector.network.classes.weight, std=0.5)
    nn.init.normal_(detector.network.heat.weight, std=0.5)
    detector.network.eval()
    image = np.random.default_rng(0).integers(0, 255, (96, 1920, 3), np.uint8)
    seen = []
    for engine in ("torch", "openvino"):
        executor = Executor(detector, "cpu", "fp32", engine)
        executor.warm_up((96, 1920))
        seen.append(executor.infer(image)[0])
    # near-ties may change places: compare the scores, and the place of the best
    np.testing.assert_allclose(seen[0].scores.max(1), seen[1].scores.max(1), atol=2e-3)
    np.testing.assert_allclose(seen[0].keypoints_xy[0], seen[1].keypoints_xy[0], atol=0.05)
