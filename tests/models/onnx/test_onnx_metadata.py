"""Metadata of ONNX files: read within limits, and never contradicted in silence."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.ultralytics import recognise
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import HW, constant_model, onnx

NAMES = {1: "{0: 'a'}", 2: "{0: 'dog', 1: 'cat'}", 3: "{0: 'dog', 1: 'cat', 2: 'cow'}"}
WITH_NMS = {"args": "{'nms': True, 'half': False}", "end2end": "False"}
WITHOUT = {"args": "{'nms': False}", "end2end": "False"}
END_TO_END = {"end2end": "True"}
CAT_ROW = [10, 20, 30, 40, 0.9, 1]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def written(model: Path, output: np.ndarray, classes: int = 2, **metadata: str) -> Path:
    entries = {"task": "detect", "names": NAMES[classes], "imgsz": "[64, 96]", **metadata}
    return constant_model(model, {"output0": output}, **entries)


def best(model: Path) -> tuple[str, list[int]]:
    detector = open_onnx(model)
    decoded = detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)
    name = detector.spec.class_names[int(decoded.scores[0, 0].argmax())]
    return name, decoded.xyxy[0, 0].round().astype(int).tolist()


def rows(*found: list[float], count: int = 300) -> np.ndarray:
    table = np.zeros((1, count, len(found[0])))
    table[0, : len(found)] = found
    return table


JSON_NMS = {"args": '{"half": false, "nms": true, "data": null}'}


@pytest.mark.parametrize("entries", [WITH_NMS, JSON_NMS, END_TO_END, {"nms": "True"}])
@pytest.mark.parametrize("classes", [2, 3])
def test_rows_of_a_graph_with_nms_are_corners_score_and_class(model, entries, classes):
    written(model, rows(CAT_ROW), classes, **entries)
    assert best(model) == ("cat", [10, 20, 30, 40])


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("width", [6, 7, 5])
def test_rows_are_refused_if_the_metadata_says_columns(model, classes, width):
    written(model, rows([0.5] * width), classes, **WITHOUT)
    with pytest.raises(WeightsError, match=r"contradicts its own metadata \(no NMS inside, . cl"):
        open_onnx(model)


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("entries", [WITH_NMS, END_TO_END])
def test_columns_are_refused_if_the_metadata_says_rows(model, classes, entries):
    written(model, np.zeros((1, 4 + classes, 100)), classes, **entries)
    with pytest.raises(WeightsError, match=r"own metadata \((NMS inside|end to end)"):
        open_onnx(model)


@pytest.mark.parametrize("classes", [1, 3])
def test_another_number_of_classes_is_refused(model, classes):
    written(model, np.zeros((1, 6, 100)), classes, **WITHOUT)
    with pytest.raises(WeightsError, match="contradicts its own metadata"):
        open_onnx(model)


OLD_RT_DETR = {"description": "Ultralytics rt-detr-l model trained on coco.yaml"}
NEW_RT_DETR = {"head": "RTDETRDecoder", "end2end": "True"}


@pytest.mark.parametrize(
    ("entries", "row", "classes"),
    [
        (OLD_RT_DETR, [0.5, 0.5, 0.5, 0.25, 0.1, 0.9], 2),
        (OLD_RT_DETR, [0.5, 0.5, 0.5, 0.25, 0.1, 0.9, 0.2], 3),
        (NEW_RT_DETR, [0.5, 0.5, 0.5, 0.25, 0.9, 1], 2),
        (NEW_RT_DETR, [0.5, 0.5, 0.5, 0.25, 0.9, 1], 3),
    ],
)
def test_rt_detr_boxes_are_shares_of_a_stretched_image(model, entries, row, classes):
    written(model, rows(row), classes, **entries)
    assert best(model) == ("cat", [24, 24, 72, 40])  # by hand, of 96x64 px
    assert open_onnx(model).spec.resize == "stretch"


@pytest.mark.parametrize(
    "entries",
    [
        {"head": "RTDETRDecoder"},
        {**OLD_RT_DETR, "end2end": "True"},
        {"names": "{0: 'a', 2: 'b'}"},
        {"names": "{'x': 'a'}"},
        {"names": "{0: ['a']}"},
        {"names": "{}"},
        {"names": "'ab'"},
        {"names": "-" * 200_000 + "1"},
        {"names": "(" * 5_000},
        {"names": "x" * 600_000},
        {"names": str(dict.fromkeys(range(20_000), "a"))},
        {"stride": "0"},
        {"stride": "1.5"},
        {"imgsz": "[0, 0]"},
        {"imgsz": "[1e9, 64]"},
        {"imgsz": "[64]"},
        {"task": "pose", "kpt_shape": "[1000000000, 3]"},
        {"task": "pose", "kpt_shape": "[-1, 3]"},
        {"task": "pose", "kpt_shape": "[2, 0]"},
        {"task": "pose", "kpt_shape": "17"},
        {"args": "{'nms': "},
        {"args": "9" * 5_000},
    ],
    ids=lambda entries: str(entries)[:40],
)
def test_invalid_entries_are_refused(model, entries):
    written(model, np.zeros((1, 6, 100)), **entries)
    with pytest.raises(WeightsError, match="describes itself wrongly") as caught:
        open_onnx(model)
    assert len(str(caught.value)) < 500


def test_names_may_be_a_list_or_texts_by_number_as_text():
    for names in ("['a', 'b ']", "{'1': 'b\\r', '0': 'a'}"):
        (own,) = recognise(FileFacts("x", (), {}, {"task": "detect", "names": names}))
        assert own.description.classes == ("a", "b")


def test_entries_of_other_programs_are_ignored():
    assert recognise(FileFacts("x", (), {}, {"names": "{0: 'a'}", "stride": "0"})) == []
    assert recognise(FileFacts("x", (), {}, {"task": "detect"})) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('classes = ["dog", "cat"]\n[output]\nkind = "yolov8"\n', 'Write kind = "boxes"'),
        ('classes = ["dog"]\n[output]\nkind = "boxes"\n', "names 1 classes, .* itself 2"),
    ],
)
def test_a_description_beside_must_not_contradict_the_file(model, text, message):
    written(model, rows(CAT_ROW), **WITH_NMS)
    model.with_suffix(".toml").write_text(text)
    with pytest.raises(WeightsError, match=message):
        open_onnx(model)


RT_DETR_TOML = 'classes = ["dog", "cat"]\n{}[output]\nkind = "boxes"\nbox_format = "cxcywh"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RT_DETR_TOML.format(""), r"Write normalised = true under \[output\]"),
        (RT_DETR_TOML.format("") + "normalised = true\n", 'Write resize = "stretch" above'),
    ],
)
def test_a_description_beside_must_not_misplace_the_boxes_of_an_rt_detr(model, text, message):
    written(model, rows([0.5, 0.5, 0.5, 0.25, 0.9, 1]), head="RTDETRDecoder")
    model.with_suffix(".toml").write_text(text)
    with pytest.raises(WeightsError, match=message):
        open_onnx(model)
    right = RT_DETR_TOML.format('resize = "stretch"\n') + "normalised = true\n"
    model.with_suffix(".toml").write_text(right)
    assert best(model) == ("cat", [24, 24, 72, 40])


def test_a_description_beside_completes_poor_metadata(model):
    written(model, rows(CAT_ROW), **WITHOUT)  # as forks export YOLOv10
    text = 'classes = ["dog", "cat"]\n[output]\nkind = "boxes"\n'
    model.with_suffix(".toml").write_text(text)
    assert best(model) == ("cat", [10, 20, 30, 40])


def test_values_that_are_not_numbers_make_no_detections(model):
    nan, inf = float("nan"), float("inf")
    found = [[nan, 20, 30, 40, 0.99, 1], [0, 0, 9, 9, nan, 1], [0, 0, 9, 9, inf, 1],
             [0, 0, 9, 9, 0.95, nan], CAT_ROW]  # fmt: skip
    written(model, rows(*found), **END_TO_END)
    assert best(model) == ("cat", [10, 20, 30, 40])
    detector = open_onnx(model)
    decoded = detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)
    assert all(np.isfinite(part).all() for part in decoded if part is not None)
    assert (decoded.scores > 0).sum() == 1


@pytest.mark.parametrize("kind", ["yolov8", "boxes"])
def test_normalised_boxes_need_no_keypoints(model, kind):
    raw = np.zeros((1, 6, 10))
    raw[0, :, 0] = [0.5, 0.5, 0.5, 0.25, 0.1, 0.9]
    output = raw if kind == "yolov8" else rows([0.25, 0.375, 0.75, 0.625, 0.9, 1])
    constant_model(model, {"out": output})
    model.with_suffix(".toml").write_text(
        f'classes = ["dog", "cat"]\n[output]\nkind = "{kind}"\nnormalised = true\n'
    )
    assert best(model) == ("cat", [24, 24, 72, 40])


def test_a_graph_that_asks_for_gigabytes_is_refused(model):
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    size = onnx.numpy_helper.from_array(np.array([3 * 2**28]), "size")  # 3 GB
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"]),
        helper.make_node("ReduceMean", ["image"], ["mean"]),
        helper.make_node("Add", ["mean", "sum"], ["out"]),
    ]
    image = helper.make_tensor_value_info("image", real, [1, 3, *HW])
    out = helper.make_tensor_value_info("out", real, [1, 1, 1, 1])
    graph = helper.make_graph(nodes, "large", [image], [out], [size])
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(model))
    model.with_suffix(".toml").write_text('classes = ["a"]\n[output]\nkind = "boxes"\n')
    with pytest.raises(WeightsError, match="memory"):
        open_onnx(model)
