"""Exports of YOLO-NAS: two outputs, or NMS inside in the formats batch and flat."""

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.families.yolo_nas import recognise
from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import CELLS, IMAGE, float_rows, found

BYTES = {"input": ("uint8", [1, 3, 64, 64])}


def test_boxes_are_corners_and_only_the_best_class_counts_once_chosen(tmp_path):
    outputs = {
        "911": float_rows([20, 15, 40, 25], count=CELLS),
        "904": float_rows([0.1, 0.9, 0.6, 0.0], count=CELLS),
    }
    path = graph_model(tmp_path / "nas.onnx", IMAGE, outputs)
    with pytest.raises(AmbiguousLayout, match="--layout yolo-nas"):
        open_onnx(path)
    assert found(path, "yolo-nas") == [("class 1", 0.9, [20, 15, 40, 25])]
    assert open_onnx(path, "yolo-nas").spec.std == pytest.approx((1, 1, 1))  # of [0, 1]


@pytest.mark.parametrize(("side", "content"), [(640, (636, 636)), (320, None)])
def test_an_input_of_640_px_has_a_margin(side, content):
    cells = sum((side // stride) ** 2 for stride in (8, 16, 32))
    outputs = {"1": (1, cells, 4), "2": (1, cells, 80)}
    (only,) = recognise(FileFacts("x", (Port("input", (1, 3, side, side)),), outputs))
    assert only.description.content == content
    assert only.description.classes[0] == "person" and "COCO" in only.summary


@pytest.mark.parametrize("element", ["float32", "uint8"])
def test_two_outputs_are_of_its_maker_only_if_the_graph_takes_bytes(element):
    outputs = {"911": (1, CELLS, 4), "904": (1, CELLS, 80)}
    (only,) = recognise(FileFacts("x", (Port("input", (1, 3, 64, 64), element),), outputs))
    assert only.is_certain == (element == "uint8")


def test_scores_before_boxes_are_of_another_maker():
    outputs = {"scores": (1, CELLS, 4), "boxes": (1, CELLS, 4)}
    assert recognise(FileFacts("x", (Port("input", (1, 3, 64, 64)),), outputs)) == []


def batch() -> dict[str, np.ndarray]:
    return {
        "graph2_num_predictions": np.array([[2]], np.int64),
        "graph2_pred_boxes": float_rows([20, 15, 40, 25], [21, 15, 41, 25], [0, 0, 9, 9]),
        "graph2_pred_scores": np.array([[0.9, 0.8, 0.7]], np.float32),
        "graph2_pred_classes": np.array([[1, 1, 0]], np.int64),
    }


def test_the_format_batch_says_how_many_rows_are_filled(tmp_path):
    path = graph_model(tmp_path / "nas.onnx", BYTES, batch())
    assert found(path) == [  # no second NMS
        ("class 1", 0.9, [20, 15, 40, 25]),
        ("class 1", 0.8, [21, 15, 41, 25]),
    ]


def test_bytes_are_bgr():
    facts = FileFacts(
        "x", (Port("input", (1, 3, 64, 64), "uint8"),), {"flat_predictions": (None, 7)}
    )
    (only,) = recognise(facts)
    assert only.is_certain
    assert (only.description.channels, only.description.value_range) == ("bgr", (0, 255))


def test_the_format_flat_has_the_score_before_the_class(tmp_path):
    rows = np.array([[0, 20, 15, 40, 25, 0.9, 2], [1, 0, 0, 9, 9, 0.8, 0]], np.float32)
    outputs, shapes = {"graph2_flat_predictions": rows}, {"graph2_flat_predictions": ["n", 7]}
    path = graph_model(tmp_path / "nas.onnx", BYTES, outputs, shapes)
    assert found(path) == [("class 2", 0.9, [20, 15, 40, 25])]  # image 1 isn't this one


def test_seven_columns_of_an_unknown_name_are_never_guessed(tmp_path):
    rows = np.array([[0, 20, 15, 40, 25, 0.9, 2]], np.float32)
    path = graph_model(tmp_path / "flat.onnx", IMAGE, {"dets": rows}, {"dets": ["n", 7]})
    with pytest.raises(AmbiguousLayout) as caught:
        open_onnx(path)
    layouts = [each.layout for each in caught.value.candidates]
    assert layouts == ["yolov7-end2end", "yolo-nas-flat"]


@pytest.mark.parametrize("is_flat", [True, False])
def test_poses_have_17_keypoints(tmp_path, is_flat):
    points = [[number, 2 * number, 0.5] for number in range(17)]
    flat = [0, 20, 15, 40, 25, 0.9, *np.ravel(points)]
    if is_flat:
        outputs = {"graph2_flat_predictions": np.array([flat], np.float32)}
        shapes = {"graph2_flat_predictions": ["n", 57]}
    else:
        outputs = {
            "graph2_num_predictions": np.array([[1]], np.int64),
            "graph2_pred_boxes": float_rows([20, 15, 40, 25]),
            "graph2_pred_scores": np.array([[0.9]], np.float32),
            "graph2_pred_poses": np.array([[points]], np.float32),
        }
        shapes = {}
    path = graph_model(tmp_path / "pose.onnx", BYTES, outputs, shapes)
    assert found(path) == [("person", 0.9, [20, 15, 40, 25])]
    detector = open_onnx(path)
    assert detector.spec.keypoint_names[0] == "nose" and detector.spec.skeleton
    decoded = detector.decode(detector.network(np.zeros((1, 3, 64, 64), np.float32)), (64, 64))
    assert decoded.keypoints_xy[0, 0, 3].tolist() == [3, 6]
    assert decoded.keypoint_scores[0, 0].tolist() == [0.5] * 17


def test_columns_in_another_order_are_not_offered(tmp_path):
    name = "batchno_classid_score_x1y1x2y2"
    rows = np.array([[0, 2, 0.9, 20, 15, 40, 25]], np.float32)
    path = graph_model(tmp_path / "appended.onnx", IMAGE, {name: rows}, {name: ["n", 7]})
    with pytest.raises(WeightsError, match="doesn't say what its outputs mean"):
        open_onnx(path)
