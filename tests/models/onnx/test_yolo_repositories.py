"""Exports of the YOLOv5, v6, v7 and v9 repositories."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.families.yolo import recognise
from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.onnx.session import OrtSession
from kpviewer.models.opening.input_size import ResizedDetector
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.runtime.executor import Executor

pytest.importorskip("onnxruntime")

from onnx_files import graph_model, onnx
from onnx_layouts import CELLS, IMAGE, SIZE, float_rows, found

NAMES = {"stride": "32", "names": "{0: 'crow', 1: 'gull', 2: 'duck'}"}
ROW = [30, 20, 20, 10, 0.8, 0.1, 0.9, 0.2]
"""Centre 30, 20; 20x10 px; objectness 0.8; best class 1 with 0.8 * 0.9."""


def test_yolov5_uses_the_names_in_the_file_and_multiplies_by_objectness(tmp_path):
    path = graph_model(
        tmp_path / "v5.onnx", IMAGE, {"output0": float_rows(ROW, count=3 * CELLS)}, **NAMES
    )
    assert found(path) == [("gull", 0.72, [20, 15, 40, 25])]
    spec = open_onnx(path).spec
    assert (spec.padding, spec.sampling, spec.placement) == ((114, 114, 114), "linear", "centre")
    assert spec.notes == ()


def test_yolov5_of_one_class_still_has_an_objectness(tmp_path):
    rows = float_rows([30, 20, 20, 10, 0.8, 0.5], count=3 * CELLS)
    entries = {"stride": "32", "names": "{0: 'crow'}"}
    path = graph_model(tmp_path / "v5.onnx", IMAGE, {"output0": rows}, **entries)
    assert found(path) == [("crow", 0.4, [20, 15, 40, 25])]


def test_yolov5_segment_has_masks(tmp_path):
    rows = float_rows(ROW + [9.0] * 32, count=3 * CELLS)
    prototypes = np.ones((1, 32, 16, 16), np.float32)
    prototypes[..., 7:] = -1  # not from x = 28 on
    outputs = {"output0": rows, "output1": prototypes}
    path = graph_model(tmp_path / "v5.onnx", IMAGE, outputs, **NAMES)
    assert found(path) == [("gull", 0.72, [20, 15, 40, 25])]
    candidates, _ = Executor(open_onnx(path)).infer(np.zeros((64, 64, 3), np.uint8))
    outline = candidates.outlines_xy[0]
    assert [*outline.min(0), *outline.max(0)] == pytest.approx([20, 15, 28, 25], abs=1)


def test_yolov5_with_an_open_input_gets_a_square_one(tmp_path):
    image = {"images": ("float32", ["batch", 3, "height", "width"])}
    shapes = {"output0": ["batch", "anchors", 8]}
    outputs = {"output0": float_rows(ROW, count=9)}
    path = graph_model(tmp_path / "v5.onnx", image, outputs, shapes, **NAMES)
    assert found(path)[0][0] == "gull"
    spec = open_onnx(path).spec
    assert spec.input_hw == (640, 640)
    assert letterbox_of(spec, (320, 640)).input_hw == (640, 640), "as detect.py pads"
    larger = ResizedDetector(open_onnx(path), 1280).spec
    assert letterbox_of(larger, (320, 640)).input_hw == (1280, 1280)


def reshape_by_the_image(path: Path) -> None:
    """Give the only output a shape that is computed, so that ONNX Runtime doesn't know it."""
    model, helper = onnx.load(path), onnx.helper
    model.graph.node[0].output[0] = "rows"
    for name, value in (("first", [0]), ("rest", [-1, 8])):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    model.graph.node.extend(
        [
            helper.make_node("Shape", ["images"], ["sides"]),
            helper.make_node("Gather", ["sides", "first"], ["batch"]),
            helper.make_node("Concat", ["batch", "rest"], ["shape"], axis=0),
            helper.make_node("Reshape", ["rows", "shape"], [model.graph.output[0].name]),
        ]
    )
    onnx.save(model, path)


def test_yolov5_with_all_sides_open_is_told_by_its_graph(tmp_path):
    pytest.importorskip("openvino")
    image = {"images": ("float32", ["batch", 3, "height", "width"])}
    shapes = {"output0": ["batch", "anchors", "Concatoutput0_dim_2"]}  # of export.py --dynamic
    outputs = {"output0": float_rows(ROW, count=9)}
    path = graph_model(tmp_path / "v5.onnx", image, outputs, shapes, **NAMES)
    reshape_by_the_image(path)
    assert found(path) == [("gull", 0.72, [20, 15, 40, 25])]


@pytest.mark.parametrize(
    ("output", "each", "rows"),
    [("output", 3, "Concatoutput_dim_1"), ("outputs", 1, CELLS)],  # YOLOv7, YOLOv6
)
def test_exports_with_dynamic_batch_are_told_by_their_graph(tmp_path, output, each, rows):
    pytest.importorskip("openvino")
    image = {"images": ("float32", ["batch", 3, SIZE, SIZE])}
    shapes = {output: ["batch", rows, "Concatoutput_dim_2"]}
    outputs = {output: float_rows(ROW, count=each * CELLS)}
    path = graph_model(tmp_path / "batch.onnx", image, outputs, shapes)
    reshape_by_the_image(path)
    assert found(path) == [("class 1", 0.72, [20, 15, 40, 25])]


def test_yolov7_has_no_names_and_the_layout_of_yolov5(tmp_path):
    maps = {str(index): np.zeros((1, 3, 8, 8, 8), np.float32) for index in range(3)}
    outputs = {"output": float_rows(ROW, count=3 * CELLS), **maps}
    path = graph_model(tmp_path / "v7.onnx", IMAGE, outputs)
    assert found(path) == [("class 1", 0.72, [20, 15, 40, 25])]
    assert "names no classes" in open_onnx(path).spec.notes[0]


def test_yolov7_of_one_class_has_the_objectness_as_score(tmp_path):
    rows = float_rows([30, 20, 20, 10, 0.8, 0.5], count=3 * CELLS)  # 0.5: it isn't trained
    path = graph_model(tmp_path / "v7.onnx", IMAGE, {"output": rows})
    assert found(path) == [("class 0", 0.8, [20, 15, 40, 25])]
    (only,) = recognise(OrtSession(path).facts)
    assert only.summary == "YOLOv5 or YOLOv7, 1 class without names"


def test_eighty_classes_without_names_are_cocos(tmp_path):
    rows = float_rows([30, 20, 20, 10, 1, *[0.0] * 79, 0.9], count=3 * CELLS)
    path = graph_model(tmp_path / "v7.onnx", IMAGE, {"output": rows})
    assert found(path) == [("toothbrush", 0.9, [20, 15, 40, 25])]
    assert "COCO" in open_onnx(path).spec.notes[0]


def test_columns_that_may_be_keypoints_are_never_guessed(tmp_path):
    rows = float_rows([30, 20, 20, 10, 1, *[0.5] * 11], count=3 * CELLS)  # or YOLOv5-face
    path = graph_model(tmp_path / "v5.onnx", IMAGE, {"output": rows})
    with pytest.raises(AmbiguousLayout, match=r"--layout yolov5 .YOLOv5 or YOLOv7, 11 classes"):
        open_onnx(path)


_POINTS = [[float(10 * each + 1), float(10 * each + 2)] for each in range(17)]


@pytest.mark.parametrize(
    ("layout", "columns", "count"),
    [
        ("yolov5-face", [*np.ravel(_POINTS[:5]), 0.9], 5),  # detect_face.py there
        ("yolov7-face", [0.9, *np.ravel([[*each, 0.7] for each in _POINTS[:5]])], 5),
        ("yolov7-pose", [0.9, *np.ravel([[*each, 0.7] for each in _POINTS])], 17),
    ],
)
def test_the_keypoints_of_yolov5_and_v7_are_before_or_behind_the_class(
    tmp_path, layout, columns, count
):
    rows = float_rows([30, 20, 20, 10, 0.8, *columns], count=3 * CELLS)
    path = graph_model(tmp_path / "points.onnx", IMAGE, {"output": rows})
    detector = open_onnx(path, layout)
    assert found(path, layout) == [(detector.spec.class_names[0], 0.72, [20, 15, 40, 25])]
    decoded = detector.decode(detector.network(np.zeros((1, 3, 64, 64), np.float32)), (64, 64))
    assert decoded.keypoints_xy[0, 0].tolist() == _POINTS[:count]
    if layout == "yolov5-face":
        assert decoded.keypoint_scores is None
    else:
        assert decoded.keypoint_scores[0, 0].round(3).tolist() == [np.float32(0.7)] * count


@pytest.mark.parametrize(
    "outputs",
    [
        {"boxes": (1, 4, CELLS), "scores": (1, 80, CELLS)},
        {"scores": (1, 80, CELLS), "boxes": (1, CELLS, 4)},
    ],
)
def test_scores_apart_from_boxes_are_no_columns_of_boxes(outputs):
    image = (Port("images", (1, 3, 64, 64)),)
    assert recognise(FileFacts("x", image, outputs)) == []


def test_yolov6_has_one_row_per_cell(tmp_path):
    rows = float_rows(ROW, count=CELLS)
    path = graph_model(tmp_path / "v6.onnx", IMAGE, {"outputs": rows})
    assert found(path) == [("class 1", 0.72, [20, 15, 40, 25])]


def columns(best: list[float]) -> np.ndarray:
    return float_rows(best, count=CELLS).transpose(0, 2, 1).copy()


def test_yolov9_has_columns_without_objectness(tmp_path):
    outputs = {"output0": columns([30, 20, 20, 10, 0.1, 0.9, 0.2])}
    path = graph_model(tmp_path / "v9.onnx", IMAGE, outputs, **NAMES)
    assert found(path) == [("gull", 0.9, [20, 15, 40, 25])]


def test_yolov9_with_an_auxiliary_head_outputs_the_main_one_last(tmp_path):
    auxiliary, main = columns([30, 20, 9, 9, 0.9, 0, 0]), columns([30, 20, 20, 10, 0, 0, 0.7])
    path = graph_model(tmp_path / "v9.onnx", IMAGE, {"output0": auxiliary, "1234": main}, **NAMES)
    assert found(path) == [("duck", 0.7, [20, 15, 40, 25])]


def test_columns_without_metadata_are_offered(tmp_path):
    outputs = {"output0": columns([30, 20, 20, 10, 0.1, 0.9, 0.2])}
    path = graph_model(tmp_path / "stripped.onnx", IMAGE, outputs)
    with pytest.raises(AmbiguousLayout, match="--layout yolov8"):
        open_onnx(path)
    assert found(path, "yolov8") == [("class 1", 0.9, [20, 15, 40, 25])]


def test_yolov7_end_to_end_has_the_class_before_the_score(tmp_path):
    rows = np.array(
        [[0, 20, 15, 40, 25, 2, 0.9], [0, 21, 15, 41, 25, 2, 0.8], [0, 1, 2, 3, 4, 0, 0.7]],
        np.float32,
    )
    path = graph_model(tmp_path / "v7.onnx", IMAGE, {"output": rows}, {"output": ["n", 7]})
    assert found(path) == [  # no second NMS
        ("class 2", 0.9, [20, 15, 40, 25]),
        ("class 2", 0.8, [21, 15, 41, 25]),
        ("class 0", 0.7, [1, 2, 3, 4]),
    ]


def test_the_graph_says_how_many_classes_an_end_to_end_export_has(tmp_path):
    pytest.importorskip("openvino")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    scores = onnx.numpy_helper.from_array(np.ones((9, 5), np.float32), "scores")
    one = onnx.numpy_helper.from_array(np.array([1]), "one")
    corners = onnx.numpy_helper.from_array(np.ones((9, 5), np.float32), "corners")
    nodes = [
        helper.make_node("TopK", ["scores", "one"], ["best", "class"], axis=1),
        helper.make_node("Cast", ["class"], ["number"], to=real),
        helper.make_node("Concat", ["corners", "number", "best"], ["output"], axis=1),
    ]
    image = helper.make_tensor_value_info("images", real, [1, 3, 64, 64])
    output = helper.make_tensor_value_info("output", real, ["n", 7])
    graph = helper.make_graph(nodes, "end", [image], [output], [scores, one, corners])
    path = tmp_path / "v7.onnx"
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    assert open_onnx(path).spec.class_names == tuple(f"class {each}" for each in range(5))


def test_a_label_beyond_the_names_is_an_error_and_not_dropped(tmp_path):
    rows = np.array([[0, 20, 15, 40, 25, 3, 0.9]], np.float32)
    entries = {"names": "['a', 'b', 'c']"}
    path = graph_model(
        tmp_path / "v7.onnx", IMAGE, {"output": rows}, {"output": ["n", 7]}, **entries
    )
    with pytest.raises(WeightsError, match="must have labels 0 to 2, one per class, got 3"):
        open_onnx(path)


def test_the_nms_of_yolov6_says_how_many_classes_there_are(tmp_path):
    pytest.importorskip("openvino")
    node, helper = onnx.helper.make_node, onnx.helper
    logits = np.full((1, 3, 8, 8), -9, np.float32)
    logits[0, 2, 0, 5] = 9
    values = {
        "logits": logits,
        "boxes": float_rows(*[[0.0] * 4] * 5, [20, 15, 40, 25], count=64),
        "rows": np.array([1, 3, 64]),
        "most": np.array([9]),
        "iou": np.array([0.5], np.float32),
        "least": np.array([0.5], np.float32),
        "one": np.array([1]),
        "flat": np.array([1, 3 * 64]),
        "place": np.array([2 * 64 + 5]),
        "cell": np.array([5]),
        "single": np.array([[1]]),
    }
    nodes = [  # ONNX_ORT of yolov6/models/end2end.py, on the maps of one head
        node("Sigmoid", ["logits"], ["maps"]),
        node("Reshape", ["maps", "rows"], ["scores"]),
        node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], ["picked"]),
        node("Reshape", ["scores", "flat"], ["row"]),
        node("Gather", ["row", "place"], ["det_scores"], axis=1),
        node("Gather", ["picked", "one"], ["classes"], axis=1),
        node("Transpose", ["classes"], ["det_classes"]),
        node("Gather", ["boxes", "cell"], ["det_boxes"], axis=1),
        node("Identity", ["single"], ["num_dets"]),
    ]
    kinds = {"num_dets": 7, "det_boxes": 1, "det_scores": 1, "det_classes": 7}
    outputs = [
        helper.make_tensor_value_info(name, kind, [None] * (3 if "boxes" in name else 2))
        for name, kind in kinds.items()
    ]
    weights = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    image = helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, SIZE, SIZE])
    graph = helper.make_graph(nodes, "yolov6", [image], outputs, weights)
    path = tmp_path / "v6.onnx"
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    assert found(path) == [("class 2", 1.0, [20, 15, 40, 25])]
    assert len(open_onnx(path).spec.class_names) == 3


@pytest.mark.parametrize(
    ("operation", "factor", "channels", "white"),
    [
        (["Gather"], 1, "rgb", 1),
        (["Mul"], 1 / 255, "rgb", 255),
        (["Gather", "Mul"], 1 / 255, "bgr", 255),  # End2End(with_preprocess=True) of YOLOv6
        (["Gather", "Div"], 255, "bgr", 255),
    ],
)
def test_a_graph_that_divides_by_255_gets_levels(tmp_path, operation, factor, channels, white):
    pytest.importorskip("openvino")
    outputs = {
        "num_dets": np.array([[1]]),
        "det_boxes": float_rows([20, 15, 40, 25]),
        "det_scores": np.array([[0.9]], np.float32),
        "det_classes": np.array([[1]]),
    }
    path = graph_model(tmp_path / "v6.onnx", IMAGE, outputs)
    model, node, image = onnx.load(path), onnx.helper.make_node, "images"
    for name, value in (("Gather", np.array([2, 1, 0])), ("by", np.float32(factor))):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
    scores = next(each for each in model.graph.node if each.output[0] == "det_scores")
    scores.output[0] = "scores"
    for kind in operation:
        is_order, result = kind == "Gather", f"after {kind}"
        more = {"axis": 1} if is_order else {}
        model.graph.node.append(node(kind, [image, kind if is_order else "by"], [result], **more))
        image = result
    model.graph.node.append(node("ReduceMean", [image], ["mean"], keepdims=0))
    model.graph.node.append(node("Add", ["scores", "mean"], ["det_scores"]))
    onnx.save(model, path)
    (only,) = recognise(OrtSession(path).facts)
    description = only.description
    assert (description.channels, description.value_range) == (channels, (0, white))


@pytest.mark.parametrize(
    ("count", "shown"),
    [([[1]], 1), ([[-1]], 0), (np.float32([[np.nan]]), 0), (np.float32([[np.inf]]), 0)],
)
def test_nms_in_the_graph_with_the_outputs_of_tensorrt(tmp_path, count, shown):
    outputs = {
        "num_dets": np.array(count),
        "det_boxes": np.array([[[20, 15, 40, 25], [1, 2, 3, 4]]], np.float32),
        "det_scores": np.array([[0.9, 0.8]], np.float32),
        "det_classes": np.array([[1, 1]], np.int32),
    }
    path = graph_model(tmp_path / "v9.onnx", IMAGE, outputs, **NAMES)
    assert found(path) == [("gull", 0.9, [20, 15, 40, 25])][:shown]  # one is filled


@pytest.mark.parametrize("domain", ["TRT", ""])
def test_a_tensorrt_plug_in_is_refused_with_the_makers_option(tmp_path, domain):
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    node = helper.make_node("EfficientNMS_TRT", ["images"], ["num_dets"], domain=domain)
    infos = [
        helper.make_tensor_value_info(name, real, [1, 3, 64, 64]) for name in ("images", "num_dets")
    ]
    graph = helper.make_graph([node], "plug-in", infos[:1], infos[1:])
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("TRT", 1)]
    path = tmp_path / "v7.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    with pytest.raises(WeightsError, match=r"TensorRT plug-in.*--end2end --max-wh 640"):
        open_onnx(path)


def test_undecoded_feature_maps_are_refused_with_the_makers_option(tmp_path):
    maps = {
        name: np.zeros((1, 3, side, side, 8), np.float32)
        for name, side in (("output", 8), ("345", 4), ("346", 2))
    }
    path = graph_model(tmp_path / "v7.onnx", IMAGE, maps)
    with pytest.raises(WeightsError, match=r"undecoded feature maps of a YOLO.*--grid"):
        open_onnx(path)


def test_yolov5_segment_without_names_shows_its_boxes(tmp_path):
    rows = float_rows(ROW + [9.0] * 32, count=3 * CELLS)
    outputs = {"output0": rows, "output1": np.zeros((1, 32, 16, 16), np.float32)}
    path = graph_model(tmp_path / "v5.onnx", IMAGE, outputs)
    assert found(path) == [("class 1", 0.72, [20, 15, 40, 25])]


def test_raw_maps_beside_the_boxes_are_no_masks(tmp_path):
    rows = float_rows([30, 20, 20, 10, 1, *[0.0] * 79, 0.9], count=3 * CELLS)
    maps = {"p3": np.zeros((1, 255, 8, 8), np.float32)}
    path = graph_model(tmp_path / "v5.onnx", IMAGE, {"output": rows, **maps})
    assert found(path) == [("toothbrush", 0.9, [20, 15, 40, 25])]


@pytest.mark.parametrize("names", [NAMES, {}])
def test_columns_of_angles_are_never_taken_for_scores(tmp_path, names):
    rows = float_rows(ROW + [0.5] * 180, count=3 * CELLS)  # of YOLOv5-OBB
    path = graph_model(tmp_path / "obb.onnx", IMAGE, {"output": rows}, **names)
    with pytest.raises(AmbiguousLayout, match="183 classes"):
        open_onnx(path)


@pytest.mark.parametrize(
    ("shape", "layouts"),
    [
        ((1, 25200, 85), {"yolov5": True}),
        ((1, 102000, 85), {"yolov5": True}),
        ((1, 25200, 57), {"yolov7-pose": False, "yolov5": False}),
        ((None, None, 85), {"yolov5": False}),
    ],
)
def test_without_names_three_rows_per_cell_are_certain(shape, layouts):
    side = 1280 if shape[1] == 102000 else 640
    facts = FileFacts("x", (Port("images", (1, 3, side, side)),), {"output": shape})
    assert {each.layout: each.is_certain for each in recognise(facts)} == layouts


def test_files_of_others_are_left_to_them():
    image = (Port("images", (1, 3, 640, 640)),)
    for outputs in ({"output": (1, 8400, 85)}, {"output0": (1, 300, 6)}, {"dets": (1, 100, 5)}):
        assert recognise(FileFacts("x", image, outputs)) == []
    own = {"task": "detect", "names": "{0: 'a'}", "stride": "32"}
    assert recognise(FileFacts("x", image, {"output0": (1, 25200, 6)}, own)) == []
