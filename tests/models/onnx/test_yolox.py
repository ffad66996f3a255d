"""Exports of YOLOX: two layouts of one shape, between which the user chooses."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import CELLS, IMAGE, found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a file whose rows mean something in both layouts."""
    rows = np.zeros((1, CELLS, 7), np.float32)
    rows[0, 10] = [0.5, 0.25, np.log(2), np.log(3), 0.8, 0.1, 0.9]  # column 2, row 1 at stride 8
    rows[0, 64 + 16 + 3] = [0.5, 0.5, 0, 0, 0.5, 0.9, 0]  # column 1, row 1 at stride 32
    return graph_model(tmp_path / "yolox.onnx", IMAGE, {"output": rows})


def test_undecoded_rows_are_decoded(path):
    # by hand: (2.5 * 8, 1.25 * 8), 16 x 24 px; (1.5 * 32, 1.5 * 32), 32 x 32 px
    assert found(path, "yolox") == [
        ("class 1", 0.72, [12, -2, 28, 22]),
        ("class 0", 0.45, [32, 32, 64, 64]),
    ]


def test_decoded_rows_are_pixels(path):
    boxes = found(path, "yolox-decoded")
    assert boxes[0] == ("class 1", 0.72, [0, 0, 1, 1])  # 0.5 +- ln 2 / 2, rounded


def test_which_one_it_is_is_never_guessed(path):
    with pytest.raises(AmbiguousLayout) as caught:
        open_onnx(path)
    *candidates, transposed = caught.value.candidates
    assert [each.layout for each in candidates] == ["yolox", "yolox-decoded"]
    assert transposed.layout == "yolov8"
    assert {each.description.channels for each in candidates} == {"bgr"}
    assert "--decode_in_inference" in str(caught.value)


@pytest.mark.parametrize("layout", ["yolox", "yolox-decoded"])
def test_the_image_is_at_the_top_left_in_whole_levels(path, layout):
    spec = open_onnx(path, layout).spec
    assert (spec.placement, spec.padding) == ("top-left", (114, 114, 114))
    assert spec.std == pytest.approx((1 / 255,) * 3)


def test_a_description_beside_chooses(path):
    path.with_suffix(".toml").write_text('classes = ["a", "b"]\n[output]\nkind = "yolox"\n')
    assert found(path)[0] == ("b", 0.72, [12, -2, 28, 22])


def test_another_number_of_rows_is_refused(tmp_path):
    rows = np.zeros((1, CELLS + 2, 7), np.float32)
    path = graph_model(tmp_path / "odd.onnx", IMAGE, {"output": rows})
    path.with_suffix(".toml").write_text('classes = ["a", "b"]\n[output]\nkind = "yolox"\n')
    with pytest.raises(WeightsError, match=r"a row for each cell .* got 86 rows"):
        open_onnx(path)


def test_a_size_that_is_no_size_stays_finite(path, tmp_path):
    rows = np.zeros((1, CELLS, 7), np.float32)
    rows[0, 0] = [0, 0, 1e9, 1e9, 1, 1, 0]
    wild = graph_model(tmp_path / "wild.onnx", IMAGE, {"output": rows})
    assert found(wild, "yolox")[0][0] == "class 0"
