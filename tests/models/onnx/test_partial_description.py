"""A description without [output] completes what kpviewer recognises, such as class names."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import read_description
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.families.names import LAYOUTS
from kpviewer.models.onnx.recognition import AmbiguousLayout, recognised
from kpviewer.models.onnx.saved import description_toml
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import CELLS, IMAGE, float_rows, found

ROW = [30, 20, 20, 10, 0.8, 0.1, 0.9]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = {"output": float_rows(ROW, count=3 * CELLS)}
    return graph_model(tmp_path / "birds.onnx", IMAGE, rows)


def test_class_names_alone_are_enough(path):
    path.with_suffix(".toml").write_text('classes = ["crow", "gull"]\nscore_threshold = 0.7\n')
    assert found(path) == [("gull", 0.72, [20, 15, 40, 25])]
    spec = open_onnx(path).spec
    assert (spec.score_threshold, spec.padding, spec.notes) == (0.7, (114, 114, 114), ())


def test_without_class_names_those_of_the_layout_remain(path):
    path.with_suffix(".toml").write_text('name = "birds"\n')
    spec = open_onnx(path).spec
    assert (spec.name, spec.class_names) == ("birds", ("class 0", "class 1"))
    assert "names no classes" in spec.notes[0]


def test_another_number_of_names_is_refused(path):
    path.with_suffix(".toml").write_text('classes = ["crow"]\n')
    with pytest.raises(WeightsError, match=r"must have 6 numbers per box .* got shape \(252, 7\)"):
        open_onnx(path)


def test_it_names_the_classes_of_a_layout_that_was_chosen(tmp_path):
    path = graph_model(tmp_path / "x.onnx", IMAGE, {"output": float_rows(ROW, count=CELLS)})
    path.with_suffix(".toml").write_text('classes = ["crow", "gull"]\n')
    with pytest.raises(AmbiguousLayout):
        open_onnx(path)
    assert found(path, "yolox-decoded")[0][0] == "gull"


def test_a_file_that_nobody_recognises_needs_the_whole(tmp_path):
    path = graph_model(tmp_path / "x.onnx", IMAGE, {"out": np.zeros((1, 7, 9), np.float32)})
    path.with_suffix(".toml").write_text('classes = ["crow", "gull"]\n')
    with pytest.raises(WeightsError, match=r"\[output\] must be there"):
        open_onnx(path)


def test_names_of_more_classes_than_assumed_need_no_second_layout(tmp_path):
    rows = {"output": np.array([[0, 20, 15, 40, 25, 100, 0.9]], np.float32)}
    path = graph_model(tmp_path / "v7.onnx", IMAGE, rows, {"output": ["n", 7]})
    path.with_suffix(".toml").write_text(f"classes = {[str(n) for n in range(120)]}\n")
    assert found(path) == [("100", 0.9, [20, 15, 40, 25])]


def test_a_whole_description_needs_no_more_classes_than_it_names(tmp_path):
    rows = {"output": np.array([[0, 20, 15, 40, 25, 1, 0.9]], np.float32)}
    path = graph_model(tmp_path / "v7.onnx", IMAGE, rows, {"output": ["n", 7]})
    text = 'classes = ["crow", "gull"]\n[output]\nkind = "flat"\nclass_first = true\n'
    path.with_suffix(".toml").write_text(text)
    assert found(path) == [("gull", 0.9, [20, 15, 40, 25])]


SQUARE = (Port("images", (1, 3, 640, 640)),)
SIZES = Port("orig_target_sizes", (None, 2), "int64")
FILES = [
    FileFacts("v5", SQUARE, {"output": (1, 25200, 85)}),
    FileFacts("v7", SQUARE, {"output": (None, 7)}),
    FileFacts("yolox", SQUARE, {"output": (1, 8400, 85)}),
    FileFacts("nas", SQUARE, {"1": (1, 8400, 4), "2": (1, 8400, 80)}),
    FileFacts("flat", (Port("x", (1, 3, 640, 640), "uint8"),), {"flat_predictions": (None, 57)}),
    FileFacts(
        "rt-detr",
        (*SQUARE, SIZES),
        {"labels": (None, 300), "boxes": (None, 300, 4), "scores": (None, 300)},
    ),
    FileFacts("hf", SQUARE, {"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)}),
    FileFacts(
        "end2end",
        SQUARE,
        {
            "num_dets": (1, 1),
            "det_boxes": (1, 9, 4),
            "det_scores": (1, 9),
            "det_classes": (1, 9),
        },
    ),
    FileFacts("columns", SQUARE, {"output0": (1, 84, 8400)}),
    FileFacts("rf-detr", SQUARE, {"dets": (1, 300, 4), "labels": (1, 300, 91)}),
    FileFacts(
        "torchvision",
        (Port("x", (3, None, None)),),
        {"1": (None, 4), "2": (None,), "3": (None,)},
        output_elements={"1": "float32", "2": "int64", "3": "float32"},
    ),
]


@pytest.mark.parametrize("facts", FILES, ids=lambda facts: facts.stem)
def test_the_description_of_a_layout_survives_as_a_file(facts, tmp_path):
    layouts = recognised(facts)
    assert layouts
    assert {each.layout for each in layouts} <= set(LAYOUTS)
    for each in layouts:
        path = tmp_path / "x.toml"
        path.write_text(description_toml(each.description), "utf-8")
        assert read_description(path) == each.description
