"""MoveNet: keypoints of one person, or of several."""

from pathlib import Path

import numpy as np
import pytest
from onnx_files import graph_model

from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.structures import NmsKind

pytest.importorskip("onnxruntime")

HW = (192, 192)


def single(path: Path, element: str = "int32", shape=(1, 192, 192, 3)) -> Path:
    rows = np.zeros((1, 1, 17, 3), "f4")
    rows[0, 0, :, 2] = 0.1
    rows[0, 0, 0] = [0.25, 0.5, 0.9]  # y, x, score
    rows[0, 0, 16] = [0.75, 0.625, 0.4]
    return graph_model(path, {"input": (element, list(shape))}, {"output_0": rows})


def test_movenet_gives_shares_of_the_input_y_first(tmp_path):
    detector = open_onnx(single(tmp_path / "m.onnx"))
    decoded = detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)
    assert decoded.keypoints_xy[0, 0, [0, 16]].tolist() == [[96, 48], [120, 144]]
    assert decoded.keypoint_scores[0, 0, [0, 16]].tolist() == pytest.approx([0.9, 0.4])
    assert decoded.xyxy[0, 0].tolist() == [96, 48, 120, 144]  # around what is certain
    assert float(decoded.scores[0, 0, 0]) == pytest.approx((0.9 + 0.4 + 15 * 0.1) / 17)
    spec = detector.spec
    assert (spec.input_hw, spec.class_names, spec.padding) == (HW, ("person",), (0, 0, 0))
    assert spec.keypoint_names[16] == "right_ankle" and spec.nms is NmsKind.NONE


def test_an_image_of_fractions_leaves_the_range_open(tmp_path):
    with pytest.raises(AmbiguousLayout, match="--layout movenet"):
        open_onnx(single(tmp_path / "m.onnx", "float32", (1, 3, 192, 192)))


def test_movenet_multipose_has_a_box_for_each_person(tmp_path):
    rows = np.zeros((1, 6, 56), "f4")
    rows[0, 0, :3] = [0.5, 0.25, 0.8]
    rows[0, 0, 51:] = [0.25, 0.125, 0.75, 0.5, 0.6]  # y1, x1, y2, x2, score
    inputs = {"input": ("int32", [1, "height", "width", 3])}
    detector = open_onnx(graph_model(tmp_path / "m.onnx", inputs, {"output_0": rows}))
    decoded = detector.decode(detector.network(np.zeros((1, 3, 128, 256), np.float32)), (128, 256))
    assert decoded.keypoints_xy[0, 0, 0].tolist() == [64, 64]
    assert decoded.xyxy[0, 0].tolist() == [32, 32, 128, 96]
    assert float(decoded.scores[0, 0, 0]) == pytest.approx(0.6)
    assert (detector.spec.input_hw, detector.spec.stride) == ((256, 256), 32)


def test_scores_that_are_no_numbers_are_noticed(tmp_path):
    rows = np.full((1, 1, 17, 3), 0.1, "f4")
    rows[0, 0, 3] = np.nan
    inputs = {"input": ("int32", [1, 192, 192, 3])}
    assert open_onnx(graph_model(tmp_path / "m.onnx", inputs, {"output_0": rows})).has_nan
