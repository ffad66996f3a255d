"""Exports of RT-DETR, D-FINE and RF-DETR."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.runtime.executor import Executor

pytest.importorskip("onnxruntime")

from onnx_files import graph_model, onnx
from onnx_layouts import IMAGE, float_rows, found

HW = (64, 96)
WIDE = {"input": ("float32", [1, 3, *HW])}


def scaled_by_the_second_input(path: Path, *, classes: int = 3) -> Path:
    """Write RT-DETR's post-processor: corners times width and height, scores of a sigmoid."""
    helper, real, whole = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    logits = [[0.0] * (classes - 1) + [2.0], [1.0] + [0.0] * (classes - 1)]
    constants = {
        "shares": np.array([[[0.25, 0.5, 0.5, 0.75], [0.3, 0.5, 0.5, 0.75]]], np.float32),
        "logits": np.array([logits], np.float32),
        "last": np.array([[classes - 1, classes - 1]]),
        "axis": np.array([1]),
    }
    initial = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    nodes = [
        helper.make_node("Cast", ["orig_target_sizes"], ["sizes"], to=real),
        helper.make_node("Concat", ["sizes", "sizes"], ["limits"], axis=1),
        helper.make_node("Unsqueeze", ["limits", "axis"], ["limit"]),
        helper.make_node("Mul", ["shares", "limit"], ["boxes"]),
        helper.make_node("Sigmoid", ["logits"], ["all"]),
        helper.make_node("ReduceMax", ["all"], ["scores"], axes=[2], keepdims=0),
        helper.make_node("Identity", ["last"], ["labels"]),
    ]
    info = helper.make_tensor_value_info
    inputs = [info("images", real, ["N", 3, *HW]), info("orig_target_sizes", whole, ["N", 2])]
    outputs = [
        info("labels", whole, ["N", 2]),
        info("boxes", real, ["N", 2, 4]),
        info("scores", real, ["N", 2]),
    ]
    graph = helper.make_graph(nodes, "detr", inputs, outputs, initial)
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


def test_rt_detr_is_told_the_size_of_its_input(tmp_path):
    path = scaled_by_the_second_input(tmp_path / "rtdetr.onnx")
    assert found(path, hw=HW) == [  # by hand, of 96x64 px; no NMS
        ("class 2", 0.881, [24, 32, 48, 48]),
        ("class 2", 0.731, [29, 32, 48, 48]),
    ]
    spec = open_onnx(path).spec
    assert (spec.resize, spec.sampling, spec.mean) == ("stretch", "antialiased", (0, 0, 0))


@pytest.mark.parametrize(("classes", "last"), [(3, "class 2"), (80, "toothbrush")])
def test_the_graph_says_how_many_classes_rt_detr_has(tmp_path, classes, last):
    pytest.importorskip("openvino")
    path = scaled_by_the_second_input(tmp_path / "rtdetr.onnx", classes=classes)
    names = open_onnx(path).spec.class_names
    assert (len(names), names[-1]) == (classes, last)


def rf_detr(path: Path, boxes: np.ndarray, logits: np.ndarray, **more: np.ndarray) -> Path:
    return graph_model(path, WIDE, {"dets": boxes, "labels": logits, **more})


def test_rf_detr_has_logits_and_a_last_column_for_no_object(tmp_path):
    boxes = float_rows([0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 0.5, 0.25])
    logits = float_rows([0, -9, -9, 9], [-9, -9, 2, -9])  # 4 columns, as boxes have
    path = rf_detr(tmp_path / "rfdetr.onnx", boxes, logits)
    assert found(path, hw=HW) == [  # by hand; the sigmoids of 2 and 0
        ("class 2", 0.881, [24, 24, 72, 40]),
        ("class 0", 0.5, [24, 24, 72, 40]),
    ]
    spec = open_onnx(path).spec
    assert (spec.resize, spec.sampling) == ("stretch", "linear-float")
    assert spec.mean == pytest.approx((0.485, 0.456, 0.406))


def test_a_query_of_rf_detr_may_be_of_several_classes(tmp_path):
    boxes = float_rows([0.5, 0.5, 0.5, 0.25], [0.1, 0.5, 0.1, 0.25])
    logits = float_rows([3, 2, 1, -9], [-1, -1, -1, -9])
    path = rf_detr(tmp_path / "rfdetr.onnx", boxes, logits)
    # the best two pairs of two queries: the third, sigmoid(1) = 0.73, isn't one of them
    assert [name for name, _, _ in found(path, hw=HW)] == ["class 0", "class 1"]


@pytest.mark.parametrize("element", ["uint8", "int32"])
def test_whole_numbers_are_levels_that_the_graph_normalises(tmp_path, element):
    boxes, logits = float_rows([0.5, 0.5, 0.5, 0.25]), float_rows([3, -9])
    image = {"input": (element, [1, 3, *HW])}
    detector = open_onnx(graph_model(tmp_path / "m.onnx", image, {"dets": boxes, "labels": logits}))
    spec = detector.spec  # RF-DETR's colours are ImageNet's, of floating point numbers
    shares = np.full((3, *HW), 0.4, np.float32)
    planes = (shares - np.reshape(spec.mean, (3, 1, 1))) / np.reshape(spec.std, (3, 1, 1))
    fed = detector.network.image.feeds(planes.astype(np.float32))["input"]
    assert fed.dtype == element and np.unique(fed).tolist() == [102]


def test_rf_detr_of_coco_has_a_column_for_each_id(tmp_path):
    logits = np.full((1, 2, 91), -9.0, np.float32)
    logits[0, 0, 1], logits[0, 1, 90] = 3, 2
    boxes = float_rows([0.5, 0.5, 0.5, 0.25], [0.1, 0.5, 0.1, 0.25])
    path = rf_detr(tmp_path / "rfdetr.onnx", boxes, logits)
    assert [name for name, _, _ in found(path, hw=HW)] == ["person", "toothbrush"]
    assert open_onnx(path).spec.class_names[12] == "class 12"  # COCO doesn't use it


def test_keypoints_of_rf_detr_of_another_form_do_no_harm(tmp_path):
    boxes = float_rows([0.5, 0.5, 0.5, 0.25], [0.1, 0.5, 0.1, 0.25])
    more = {"keypoints": np.zeros((1, 2, 17), np.float32)}
    path = rf_detr(tmp_path / "pose.onnx", boxes, float_rows([3, -9], [-9, -9]), **more)
    assert found(path, hw=HW) == [("class 0", 0.953, [24, 24, 72, 40])]
    assert "keypoints" in open_onnx(path).spec.notes[0]


@pytest.mark.parametrize("name", ["masks", "4245"])
def test_rf_detr_has_a_mask_for_each_query(tmp_path, name):
    boxes = float_rows([0.1, 0.5, 0.1, 0.25], [0.5, 0.5, 0.5, 0.25])
    masks = np.full((1, 2, 16, 24), -3, np.float32)
    masks[0, 1, :, :12] = 3  # up to x = 48
    path = rf_detr(tmp_path / "seg.onnx", boxes, float_rows([-9, -9], [3, -9]), **{name: masks})
    assert found(path, hw=HW) == [("class 0", 0.953, [24, 24, 72, 40])]
    candidates, _ = Executor(open_onnx(path)).infer(np.zeros((*HW, 3), np.uint8))
    outline = candidates.outlines_xy[0]
    assert [*outline.min(0), *outline.max(0)] == pytest.approx([24, 24, 48, 40], abs=1)


def test_rf_detr_places_the_keypoints_of_the_best_class(tmp_path):
    boxes = float_rows([0.5, 0.5, 0.5, 0.25], [0.1, 0.5, 0.1, 0.25])
    logits = float_rows([-9, 3, -9], [2, -9, -9])
    points = np.zeros((1, 2, 2 * 3, 8), np.float32)  # three keypoints for each of two classes
    points[0, 0, 3:6, :3] = [[0.25, 0.5, 0], [0.5, 0.5, 2], [0.75, 0.25, -2]]
    points[0, 1, 0, :3] = [0.1, 0.5, 1]
    path = rf_detr(tmp_path / "pose.onnx", boxes, logits, keypoints=points)
    detector = open_onnx(path)
    assert detector.spec.keypoint_names == ("point 0", "point 1", "point 2")
    decoded = detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)
    # by hand, of 96x64 px; scores are sigmoids of 0, 2 and -2
    assert decoded.keypoints_xy[0, 0].tolist() == [[24, 32], [48, 32], [72, 16]]
    assert decoded.keypoint_scores[0, 0].tolist() == pytest.approx([0.5, 0.881, 0.119], abs=1e-3)
    assert decoded.keypoints_xy[0, 1, 0].tolist() == pytest.approx([9.6, 32])


def test_seventeen_keypoints_of_rf_detr_are_cocos(tmp_path):
    points = {"keypoints": np.zeros((1, 2, 17, 8), np.float32)}
    boxes, logits = float_rows([0.5] * 4, [0.5] * 4), float_rows([3, -9], [-9, -9])
    spec = open_onnx(rf_detr(tmp_path / "pose.onnx", boxes, logits, **points)).spec
    assert spec.keypoint_names[0] == "nose" and len(spec.skeleton) > 10
    assert spec.notes[-1].startswith("The file names no keypoints. It has 17, as COCO's person")


def test_dets_of_five_columns_are_of_others(tmp_path):
    outputs = {"boxes": float_rows([1, 2, 3, 4, 0.9]), "labels": float_rows([0, 0, 0])}
    path = graph_model(tmp_path / "other.onnx", IMAGE, outputs)
    with pytest.raises(Exception, match="doesn't say what its outputs mean"):
        open_onnx(path)


def test_detrs_of_transformers_are_offered_with_sigmoid_and_softmax(tmp_path):
    outputs = {
        "logits": float_rows([0, 2, -9], [-9, 0, 9]),
        "pred_boxes": float_rows([0.5, 0.5, 0.5, 0.25], [0.1, 0.5, 0.1, 0.25]),
    }
    path = graph_model(tmp_path / "hf.onnx", WIDE, outputs)
    with pytest.raises(AmbiguousLayout):
        open_onnx(path)
    # by hand: the sigmoid of 2, and of the second query 9; e^2 / (e^0 + e^2)
    assert [each[:2] for each in found(path, "hf-rt-detr", HW)] == [
        ("class 2", 1.0),
        ("class 1", 0.881),
    ]
    assert found(path, "hf-detr", HW) == [("class 1", 0.881, [24, 24, 72, 40])]
