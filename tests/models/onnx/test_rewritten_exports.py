"""Exports that a converter rewrote: other order of outputs, rows for columns, names as words."""

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import CELLS, IMAGE, float_rows, found

CAT = [("cat", 0.9, [10, 20, 40, 44])]
UNNAMED_CAT = [("class 1", *CAT[0][1:])]
CENTRED = [25.0, 32.0, 30.0, 24.0]
"""The cat's box as centre, width and height."""
ENTRIES = {"task": "detect", "names": "{0: 'dog', 1: 'cat'}", "imgsz": "[64, 64]"}
EXPLICIT = {"args": "{'nms': False}", "end2end": "False"}
MAPS = np.zeros((1, 16, 8, 8), np.float32)
RAW = float_rows([*CENTRED, 0.1, 0.9], count=CELLS)


def columns(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows.transpose(0, 2, 1))


@pytest.mark.parametrize(
    ("outputs", "entries"),
    [
        ({"output0": RAW}, {}),
        ({"output0": RAW}, EXPLICIT),
        ({"maps": MAPS, "output0": columns(RAW)}, {}),
        (
            {
                "output1": MAPS,
                "output0": columns(float_rows([*CENTRED, 0.1, 0.9, *[5.0] * 16], count=CELLS)),
            },
            {"task": "segment"},
        ),
        (
            {"maps": MAPS, "output0": float_rows([10, 20, 40, 44, 0.9, 1, *[5.0] * 16])},
            {"task": "segment", "end2end": "True"},
        ),
        ({"output0": columns(RAW)}, {"names": "dog, cat"}),
        ({"output0": columns(RAW)}, {"names": "dog\ncat\n"}),
    ],
    ids=["rows", "rows-explicit", "maps-first", "masks-first", "masks-rows", "words", "lines"],
)
def test_a_rewritten_export_of_ultralytics_shows_its_box(tmp_path, outputs, entries):
    path = graph_model(tmp_path / "a.onnx", IMAGE, outputs, **{**ENTRIES, **entries})
    assert found(path) == CAT


def test_a_file_that_lost_its_names_asks_for_the_layout(tmp_path):
    path = graph_model(tmp_path / "a.onnx", IMAGE, {"o": columns(RAW)}, task="detect")
    with pytest.raises(AmbiguousLayout, match="--layout yolov8 "):
        open_onnx(path)
    assert found(path, "yolov8") == UNNAMED_CAT


def test_rows_without_metadata_may_be_a_yolov8(tmp_path):
    assert found(graph_model(tmp_path / "a.onnx", IMAGE, {"o": RAW}), "yolov8") == UNNAMED_CAT


@pytest.mark.parametrize("entries", [{}, {"names": "['dog', 'cat']", "stride": "32"}])
def test_a_yolov5_may_be_in_columns(tmp_path, entries):
    raw = columns(float_rows([*CENTRED, 1.0, 0.1, 0.9], count=3 * CELLS))
    path = graph_model(tmp_path / "a.onnx", IMAGE, {"o": raw}, **entries)
    assert found(path) == (CAT if entries else UNNAMED_CAT)


def test_scores_beside_boxes_are_no_yolov5(tmp_path):
    outputs = {"a": np.zeros((1, 3 * CELLS, 80), np.float32),
               "b": np.zeros((1, 3 * CELLS, 4), np.float32)}  # fmt: skip
    with pytest.raises(WeightsError, match="doesn't say what its outputs mean"):
        open_onnx(graph_model(tmp_path / "a.onnx", IMAGE, outputs))


def test_pytorch_yolov4_has_corners_as_shares(tmp_path):
    outputs = {"boxes": np.zeros((1, 3 * CELLS, 1, 4), np.float32),
               "confs": np.zeros((1, 3 * CELLS, 2), np.float32)}  # fmt: skip
    outputs["boxes"][0, 7, 0] = np.array([10, 20, 40, 44]) / 64
    outputs["confs"][0, 7] = 0.1, 0.9
    path = graph_model(tmp_path / "a.onnx", IMAGE, outputs)
    assert found(path) == UNNAMED_CAT
    assert open_onnx(path).spec.resize == "stretch"


def test_names_that_do_not_fit_are_told(tmp_path):
    path = graph_model(tmp_path / "a.onnx", IMAGE, {"o": columns(RAW)}, classes="['dog']")
    (note,) = open_onnx(path, "yolov8").spec.notes
    assert "1 names, 2 columns" in note


@pytest.mark.parametrize("entry", ["labels", "model_info labels"])  # of OpenVINO
@pytest.mark.parametrize("text", ["dog cat", "dog, cat", "['dog', 'cat']", "dog\ncat"])
def test_labels_are_names_however_they_are_parted(tmp_path, entry, text):
    rows = {"output": float_rows([*CENTRED, 1.0, 0.1, 0.9], count=3 * CELLS)}
    assert found(graph_model(tmp_path / "a.onnx", IMAGE, rows, **{entry: text})) == CAT


def test_a_classifier_is_refused_without_a_vain_advice(tmp_path):
    scores = {"output0": np.zeros((1, 2), np.float32)}
    path = graph_model(tmp_path / "a.onnx", IMAGE, scores, **{**ENTRIES, "task": "classify"})
    with pytest.raises(WeightsError, match="classes of whole images") as caught:
        open_onnx(path)
    assert ".toml" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([1, 17, 64, 48], r"output o 1x17x64x48 holds maps"),  # HRNet, ViTPose
        ([1, 212], r"output o 1x212 holds one row of numbers"),  # 106 landmarks
        ([1, 1000], r"output o 1x1000 holds one row of numbers"),
    ],
)
def test_outputs_without_boxes_are_refused_without_a_vain_advice(tmp_path, shape, text):
    path = graph_model(tmp_path / "a.onnx", IMAGE, {"o": np.zeros(shape, np.float32)})
    with pytest.raises(WeightsError, match=text) as caught:
        open_onnx(path)
    assert ".toml" not in str(caught.value)


def test_a_yolov5_without_batch_axis_is_not_an_end_to_end_one(tmp_path):
    rows = float_rows([*CENTRED, 1.0, 0.1, 0.9], count=3 * CELLS)[0]
    assert found(graph_model(tmp_path / "a.onnx", IMAGE, {"output": rows})) == UNNAMED_CAT


def test_a_class_without_a_name_is_not_dropped_in_silence(tmp_path):
    rows = {"o": float_rows([10, 20, 40, 44, 0.9, 1])}
    path = graph_model(tmp_path / "a.onnx", IMAGE, rows, **{**ENTRIES, "end2end": "True"})
    path.with_suffix(".toml").write_text('classes = ["dog"]')
    with pytest.raises(WeightsError, match="predicts class 1, but only 1 are named"):
        found(path)
