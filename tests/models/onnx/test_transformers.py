"""DETRs of Hugging Face's transformers with the files that optimum writes beside them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpviewer.models.inputs.letterboxes import edges_hw, letterbox_of
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model, onnx
from onnx_layouts import float_rows, found

HW = (64, 96)
IMAGE = ("float32", [1, 3, *HW])
NAMES = {"0": "ant", "1": "bee"}


def detr(folder: Path, kind: str, *, names: dict[str, str] = NAMES, **processor: Any) -> None:
    """Write the two files beside an export."""
    config = {"model_type": kind, "id2label": names}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def outputs(logits: list[list[float]], boxes: list[list[float]]) -> dict[str, np.ndarray]:
    return {"logits": float_rows(*logits), "pred_boxes": float_rows(*boxes)}


def test_a_mask_of_pixels_says_that_nothing_is_padding(tmp_path):
    helper, real, whole = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    constants = {
        "pred_boxes": np.array([[[0.5, 0.5, 0.5, 0.25]]], np.float32),
        "weights": np.array([[[9.0, 0.0, 0.0]]], np.float32),
    }
    initial = [
        onnx.numpy_helper.from_array(value, f"c_{name}") for name, value in constants.items()
    ]
    nodes = [
        helper.make_node("Identity", ["c_pred_boxes"], ["pred_boxes"]),
        helper.make_node("Cast", ["pixel_mask"], ["real"], to=real),
        helper.make_node("ReduceMean", ["real"], ["share"]),
        helper.make_node("Mul", ["c_weights", "share"], ["logits"]),
    ]
    info = helper.make_tensor_value_info
    inputs = [info("pixel_values", real, ["N", 3, *HW]), info("pixel_mask", whole, ["N", 64, 64])]
    shapes = {"logits": ["N", 1, 3], "pred_boxes": ["N", 1, 4]}
    given = [info(name, real, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(nodes, "detr", inputs, given, initial)
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "m.onnx")
    detr(tmp_path, "detr", do_normalize=True)
    # by hand: e^9 / (e^9 + 2) = 0.9998
    assert found(tmp_path / "m.onnx", hw=HW) == [("ant", 1.0, [24, 24, 72, 40])]


@pytest.mark.parametrize(
    ("kind", "count"),
    [("lw_detr", 2), ("deformable_detr", 2), ("rf_detr", 1), ("deimv2", 1), ("rt_detr_v2", 1)],
)
def test_pairs_of_query_and_class_that_count(tmp_path, kind, count):
    # one query of two classes: the best 100 pairs are both, the best of as many as queries is one
    values = outputs([[3, 2]], [[0.5, 0.5, 0.5, 0.25]])
    path = graph_model(tmp_path / "m.onnx", {"pixel_values": IMAGE}, values)
    detr(tmp_path, kind)
    assert [each[0] for each in found(path, hw=HW)] == ["ant", "bee"][:count]


def test_deta_needs_nms(tmp_path):
    near = [[0.5, 0.5, 0.5, 0.25], [0.51, 0.5, 0.5, 0.25]]
    path = graph_model(
        tmp_path / "m.onnx", {"pixel_values": IMAGE}, outputs([[3, -9], [2, -9]], near)
    )
    detr(tmp_path, "deta")
    assert [each[:2] for each in found(path, hw=HW)] == [("ant", 0.953)]  # sigmoid of 3


@pytest.mark.parametrize("kind", ["lw_detr", "rf_detr", "deimv2", "a_new_detr"])
def test_files_beside_an_export_say_how_images_are_prepared(tmp_path, kind):
    values = outputs([[3, -9]], [[0.5] * 4])
    path = graph_model(tmp_path / "m.onnx", {"pixel_values": IMAGE}, values)
    detr(tmp_path, kind, do_normalize=True, image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.6, 0.7])
    spec = open_onnx(path, "hf-rt-detr" if kind == "a_new_detr" else None).spec
    assert (spec.class_names, spec.mean) == (("ant", "bee"), (0.1, 0.2, 0.3))
    assert not spec.notes


def test_what_is_assumed_without_these_files_is_said(tmp_path):
    values = outputs([[3, -9]], [[0.5] * 4])
    path = graph_model(tmp_path / "m.onnx", {"pixel_values": IMAGE}, values)
    notes = open_onnx(path, "hf-rt-detr").spec.notes
    assert any("preprocessor_config.json" in note and "0 to 1" in note for note in notes)


@pytest.mark.parametrize(
    ("kind", "source_hw", "expected"),
    [  # by get_size_with_aspect_ratio of transformers 5.24
        ("detr", (480, 640), (800, 1066)),
        ("detr", (640, 480), (1066, 800)),
        ("detr", (100, 1000), (133, 1333)),
        ("detr", (800, 1000), (800, 1000)),
        ("yolos", (480, 640), (800, 1056)),
        ("yolos", (1000, 100), (1328, 128)),
    ],
)
@pytest.mark.parametrize(
    "sizes",
    [
        {"size": {"shortest_edge": 800, "longest_edge": 1333}},
        {"size": 800, "max_size": 1333},  # DetrFeatureExtractor, to transformers 4.26
    ],
)
def test_the_shortest_side_of_an_image_is_scaled(tmp_path, kind, source_hw, expected, sizes):
    values = outputs([[3, -9, -9]], [[0.5] * 4])
    image = ("float32", ["N", 3, "H", "W"])
    path = graph_model(tmp_path / "m.onnx", {"pixel_values": image}, values)
    detr(tmp_path, kind, **sizes)
    box = letterbox_of(open_onnx(path).spec, source_hw)
    assert box.input_hw == box.resized_hw == expected


def test_an_image_of_the_right_shortest_side_is_left_as_it_is():
    assert edges_hw((1332, 426), (800, 1333)) == (1332, 426)  # as transformers 5.24
