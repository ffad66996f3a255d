"""Exports of DeepStream-Yolo, and of NanoDet, whose rows look like those of other YOLOs."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx import graph
from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model, onnx
from onnx_layouts import CELLS, IMAGE, SIZE, float_rows, found


def _export(path: Path, count: int) -> Path:
    """Write a graph that joins boxes with the best of three classes, as DeepStreamOutput does."""
    helper = onnx.helper
    boxes = float_rows([20, 15, 40, 25], [21, 15, 41, 25], [2, 3, 12, 23], count=count)
    classes = float_rows([0.1, 0.2, 0.9], [0, 0.1, 0.8], [0.7, 0, 0], count=count)
    tensors = {"boxes": boxes, "classes": classes}
    nodes = [
        helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))
        for name, value in tensors.items()
    ]
    nodes += [
        helper.make_node("ReduceMean", ["input"], ["zero"], keepdims=0),  # of a blank image
        helper.make_node("Add", ["classes", "zero"], ["heads"]),
        helper.make_node("ReduceMax", ["heads"], ["scores"], axes=[2]),
        helper.make_node("ArgMax", ["heads"], ["labels"], axis=2),
        helper.make_node("Cast", ["labels"], ["numbers"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Concat", ["boxes", "scores", "numbers"], ["output"], axis=2),
    ]
    float32 = onnx.TensorProto.FLOAT
    image = helper.make_tensor_value_info("input", float32, [1, 3, SIZE, SIZE])
    rows = helper.make_tensor_value_info("output", float32, [1, count, 6])
    graph = helper.make_graph(nodes, "deepstream", [image], [rows])
    opset = helper.make_opsetid("", 13)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))
    return path


@pytest.mark.parametrize("per_cell", [1, 3])
def test_rows_of_deepstream_are_corners_with_score_and_class(tmp_path, per_cell):
    path = _export(tmp_path / "best.onnx", per_cell * CELLS)
    assert found(path) == [("class 2", 0.9, [20, 15, 40, 25]), ("class 0", 0.7, [2, 3, 12, 23])]
    spec = open_onnx(path).spec
    assert len(spec.class_names) == 3
    assert any("[0, 255] for YOLOX" in note for note in spec.notes) == (per_cell == 1)


def test_a_file_of_openvino_shows_its_choice_of_class_as_well(tmp_path):
    openvino = pytest.importorskip("openvino")
    path = tmp_path / "best.xml"
    openvino.save_model(
        openvino.convert_model(_export(tmp_path / "best.onnx", 3 * CELLS)),
        path,
        compress_to_fp16=False,
    )
    assert found(path) == [("class 2", 0.9, [20, 15, 40, 25]), ("class 0", 0.7, [2, 3, 12, 23])]


def test_rows_of_six_are_never_guessed_where_the_graph_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "_read", lambda path: None)
    path = _export(tmp_path / "best.onnx", 3 * CELLS)
    with pytest.raises(AmbiguousLayout) as caught:
        open_onnx(path)
    assert [each.layout for each in caught.value.candidates] == ["deepstream", "yolov5"]


def test_the_same_rows_without_a_choice_of_class_are_a_yolov5(tmp_path):
    rows = float_rows([30, 20, 20, 10, 0.8, 0.5], count=3 * CELLS)
    path = graph_model(tmp_path / "v5.onnx", IMAGE, {"output": rows})
    assert found(path) == [("class 0", 0.8, [20, 15, 40, 25])]


def test_nanodet_is_refused_as_its_distances_are_not_decoded(tmp_path):
    image = {"data": ("float32", [1, 3, SIZE, SIZE])}
    rows = np.zeros((1, CELLS, 3 + 32), np.float32)
    path = graph_model(tmp_path / "nanodet.onnx", image, {"output": rows})
    with pytest.raises(WeightsError, match=r"as NanoDet does, and kpviewer doesn't decode them"):
        open_onnx(path)
