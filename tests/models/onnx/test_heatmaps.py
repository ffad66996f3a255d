"""Models with a heatmap for each keypoint of one object in a crop: HRNet, ViTPose and others."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from onnx_files import boxes_file, graph_model

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.top_down import TopDownDetector
from kpviewer.runtime.executor import Executor

pytest.importorskip("onnxruntime")

CROP_HW, MAP_HW = (256, 192), (64, 48)
SIGMA = 2.0
"""Of the peaks that such models are trained with, cells."""
PLACES = np.array([[20.0, 30.0], [20.2, 30.6], [5.35, 9.9], [0.3, 0.2], [46.8, 62.9]])
"""x and y of five peaks, cells: the last two at the edges."""


def peaks(places: np.ndarray = PLACES, height: float = 0.8) -> np.ndarray:
    """Return (1, K, h, w) maps with a Gaussian at each place."""
    y, x = np.mgrid[: MAP_HW[0], : MAP_HW[1]]
    squares = (x - places[:, 0, None, None]) ** 2 + (y - places[:, 1, None, None]) ** 2
    return (height * np.exp(-squares / (2 * SIGMA**2)))[None].astype(np.float32)


def pose(path: Path, maps: np.ndarray, name: str = "output", **metadata: str) -> Path:
    inputs = {"input": ("float32", [1, 3, *CROP_HW])}
    return graph_model(path, inputs, {name: maps}, **metadata)


def in_crop(path: Path, layout: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the (K, 2) keypoints in px of the crop, and their scores."""
    reader = open_onnx(path, layout).network.reader
    raw = reader.network(np.zeros((1, 3, *CROP_HW), np.float32))
    decoded = reader.decode(raw, CROP_HW)
    return decoded.keypoints_xy[0, 0], decoded.keypoint_scores[0, 0]


def test_peaks_of_vitpose_are_found_between_cells(tmp_path):
    found, scores = in_crop(pose(tmp_path / "m.onnx", peaks(), "heatmaps"))
    outer = np.array([191 / 47, 255 / 63])  # the last cell lies on the last pixel
    np.testing.assert_allclose(found[:3], PLACES[:3] * outer, atol=0.05)
    # at an edge, the maker's own code goes half a cell beyond
    np.testing.assert_allclose(found[3:], PLACES[3:] * outer, atol=4)
    assert scores == pytest.approx(peaks()[0].max((1, 2)))


def test_peaks_of_hrnet_lie_a_quarter_of_a_cell_towards_the_higher_neighbour(tmp_path):
    found, _ = in_crop(pose(tmp_path / "pose_hrnet_w32.onnx", peaks()))
    by_hand = [[20, 30], [20.25, 30.75], [5.25, 9.75], [0, 0], [47, 63]]
    np.testing.assert_allclose(found, np.array(by_hand) * 4, atol=1e-4)


@pytest.mark.parametrize("name", ["pose_hrnet_w32", "vitpose-s"])
def test_maps_may_have_the_keypoints_last(tmp_path, name):
    first, _ = in_crop(pose(tmp_path / f"{name}.onnx", peaks()))
    last, _ = in_crop(pose(tmp_path / f"{name}-tf.onnx", peaks().transpose(0, 2, 3, 1)))
    assert first.tolist() == last.tolist()


@pytest.mark.parametrize("layout", ["heatmaps", "vitpose"])
def test_flat_and_negative_maps_have_scores_of_zero_inside_the_crop(tmp_path, layout):
    maps = np.stack([np.zeros(MAP_HW), np.full(MAP_HW, -1.0)])[None].astype(np.float32)
    found, scores = in_crop(pose(tmp_path / "m.onnx", maps), layout)
    assert np.isfinite(found).all() and (found >= 0).all() and not scores.any()


@pytest.mark.parametrize("layout", ["heatmaps", "vitpose"])
def test_maps_without_numbers_are_noticed(tmp_path, layout):
    maps = np.full((1, 3, *MAP_HW), np.nan, np.float32)
    executor = Executor(open_onnx(pose(tmp_path / "m.onnx", maps), layout), "cpu")
    executor.infer(np.zeros((64, 64, 3), np.uint8))
    assert "aren't numbers" in (executor.doubt or "")


def test_names_and_lines_come_from_the_config_of_transformers(tmp_path):
    config = {
        "model_type": "vitpose",
        "id2label": {str(row): f"Part {row}" for row in range(5)},
        "edges": [[0, 1], [1, 9], [2, 2], "x", [3, 4]],
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "onnx").mkdir()
    spec = open_onnx(pose(tmp_path / "onnx" / "model.onnx", peaks())).spec
    assert spec.keypoint_names == tuple(f"Part {row}" for row in range(5))
    assert spec.skeleton == ((0, 1), (3, 4))
    assert not any("names no keypoints" in note for note in spec.notes)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_called_like_a_config_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    assert open_onnx(pose(tmp_path / "vitpose.onnx", peaks())).spec.keypoint_names[0] == "point 0"


def test_a_file_whose_name_says_nothing_asks_for_the_layout(tmp_path):
    path = pose(tmp_path / "end2end.onnx", peaks())
    with pytest.raises(AmbiguousLayout, match=r"--layout heatmaps .*--layout vitpose "):
        open_onnx(path)
    assert isinstance(open_onnx(path, "heatmaps"), TopDownDetector)


@pytest.mark.parametrize(
    ("name", "count"), [("hrnet_w48_cityscapes", 19), ("sapiens_0.3b_normal", 3)]
)
def test_networks_that_segment_are_no_poses_without_being_asked(tmp_path, name, count):
    maps = np.zeros((1, count, *MAP_HW), np.float32)
    with pytest.raises(AmbiguousLayout):
        open_onnx(pose(tmp_path / f"{name}.onnx", maps))
    for other in (f"{name}_pose", name):  # "pose", and then the number of maps, says what it is
        fitting = maps if other != name else np.zeros((1, 17, *MAP_HW), np.float32)
        assert isinstance(open_onnx(pose(tmp_path / f"{other}.onnx", fitting)), TopDownDetector)


def test_maps_that_fit_no_crop_are_refused(tmp_path):
    maps = np.zeros((1, 21, 90, 77), np.float32)
    with pytest.raises(WeightsError, match="maps, as of keypoints or masks"):
        open_onnx(pose(tmp_path / "hrnet.onnx", maps))


def test_each_box_of_a_detector_gets_its_keypoints(tmp_path):
    boxes = boxes_file(tmp_path / "yolo.onnx", "{0: 'person', 1: 'dog'}")
    path = pose(tmp_path / "vitpose.onnx", peaks(np.tile([[23.5, 31.5]], (17, 1))))
    detector = open_model(f"two-stage:{boxes}+{path}")
    found, _ = Executor(detector, "cpu", "fp32", "onnxruntime").infer(
        np.zeros((128, 192, 3), np.uint8)
    )
    centres = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2
    assert len(found.xyxy) == 2  # the dog has none
    np.testing.assert_allclose(found.keypoints_xy, np.tile(centres[:, None], (1, 17, 1)), atol=0.5)
