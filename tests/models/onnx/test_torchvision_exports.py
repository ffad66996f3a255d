"""Exports of torchvision's detectors: one image, outputs without a batch axis."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.models.onnx import graph
from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.runtime.executor import Executor

pytest.importorskip("onnxruntime")

from onnx_files import graph_model, onnx
from onnx_layouts import found

HW = (64, 96)
IMAGE = {"image": ("float32", [3, *HW])}
BOXES = np.array([[20, 15, 40, 25], [21, 15, 41, 25], [1, 2, 3, 4]], np.float32)
SCORES = np.array([0.9, 0.8, 0.7], np.float32)
LABELS = np.array([2, 2, 1], np.int64)
SEEN = [(0.9, [20, 15, 40, 25]), (0.8, [21, 15, 41, 25]), (0.7, [1, 2, 3, 4])]
ORDERS = [("boxes", "labels", "scores"), ("boxes", "scores", "labels")]


def outputs(order: tuple[str, ...], *, is_numbered: bool = False) -> dict[str, np.ndarray]:
    values = {"boxes": BOXES, "labels": LABELS, "scores": SCORES}
    return {str(100 - n) if is_numbered else key: values[key] for n, key in enumerate(order)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("is_numbered", [True, False])
def test_outputs_are_told_apart_by_type_and_rank(tmp_path, order, is_numbered):
    path = graph_model(tmp_path / "tv.onnx", IMAGE, outputs(order, is_numbered=is_numbered))
    seen = found(path, hw=HW)
    assert [each[1:] for each in seen] == SEEN  # no second NMS
    assert [each[0] for each in seen] == ["class 2", "class 2", "class 1"]


@pytest.mark.parametrize("shape", [[1, 3, *HW], [3, *HW]])
def test_an_input_of_one_size_is_filled(tmp_path, shape):
    path = graph_model(tmp_path / "tv.onnx", {"x": ("float32", shape)}, outputs(ORDERS[0]))
    spec = open_onnx(path).spec
    assert (spec.input_hw, spec.resize, spec.mean, spec.std) == (HW, "stretch", (0,) * 3, (1,) * 3)


def test_an_open_input_gets_the_image_as_it_is(tmp_path):
    image = {"image": ("float32", [3, "height", "width"])}
    path = graph_model(tmp_path / "tv.onnx", image, outputs(ORDERS[0]))
    assert open_onnx(path).spec.resize == "none"


def test_no_detection_at_all_is_none(tmp_path):
    empty = {name: value[:0] for name, value in outputs(ORDERS[0]).items()}
    shapes = {"boxes": ["n", 4], "labels": ["n"], "scores": ["n"]}
    assert found(graph_model(tmp_path / "tv.onnx", IMAGE, empty, shapes), hw=HW) == []


def scored(path: Path, activation: str, columns: int) -> Path:
    """Write a file whose scores are the best columns of an activation."""
    helper = onnx.helper
    logits = np.zeros((3, columns), np.float32)
    logits[[0, 1, 2], LABELS] = (9, 8, 7)
    constants = {"logits": logits, "boxes_": BOXES, "labels_": LABELS}
    options = {"axis": 1} if activation == "Softmax" else {}
    nodes = [
        helper.make_node(activation, ["logits"], ["all"], **options),
        helper.make_node("ReduceMax", ["all"], ["scores"], axes=[1], keepdims=0),
        helper.make_node("Identity", ["boxes_"], ["boxes"]),
        helper.make_node("Identity", ["labels_"], ["labels"]),
    ]
    real, whole = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    info = helper.make_tensor_value_info
    results = [
        info("boxes", real, ["n", 4]),
        info("labels", whole, ["n"]),
        info("scores", real, ["n"]),
    ]
    initial = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tv", [info("image", real, [3, *HW])], results, initial)
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


@pytest.mark.parametrize(
    ("activation", "columns", "names", "first"),
    [
        ("Softmax", 3, ("class 1", "class 2"), "class 2"),
        ("Sigmoid", 3, ("class 0", "class 1", "class 2"), "class 2"),
        ("Softmax", 91, None, "bicycle"),
        ("Sigmoid", 91, None, "bicycle"),
    ],
)
def test_a_softmax_has_a_background_at_label_0(tmp_path, activation, columns, names, first):
    pytest.importorskip("openvino")
    path = scored(tmp_path / "tv.onnx", activation, columns)
    assert found(path, hw=HW)[0][0] == first
    if names is not None:
        assert open_onnx(path).spec.class_names == names


def test_a_graph_that_cannot_be_read_leaves_the_choice(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "_read", lambda path: None)
    path = graph_model(tmp_path / "tv.onnx", IMAGE, outputs(ORDERS[0]))
    with pytest.raises(AmbiguousLayout, match="--layout torchvision"):
        open_onnx(path)
    assert len(found(path, "torchvision", hw=HW)) == 3


def test_masks_are_where_the_share_is_above_a_half(tmp_path):
    masks = np.zeros((3, 1, *HW), np.float32)
    masks[0, 0, :, :30], masks[0, 0, :, 30:] = 0.7, 0.4
    path = graph_model(tmp_path / "tv.onnx", IMAGE, {**outputs(ORDERS[0]), "masks": masks})
    assert len(found(path, hw=HW)) == 3
    candidates, _ = Executor(open_onnx(path)).infer(np.zeros((*HW, 3), np.uint8))
    outline = candidates.outlines_xy[0]
    assert [*outline.min(0), *outline.max(0)] == pytest.approx([20, 15, 30, 25], abs=1)
