"""kpviewer export, from the command line to a file that opens."""

import pytest
from click.testing import CliRunner

import kpviewer
from kpviewer.cli.main import main

pytest.importorskip("onnxruntime")


def run(*words: str):
    return CliRunner().invoke(main, ["export", *words])


def test_a_shipped_model_is_written_and_opens(tmp_path):
    out = tmp_path / "faces.onnx"
    result = run("face-ssd", "--out", str(out), "--nms", "--half", "--size", "256", "--limit", "1")
    assert result.exit_code == 0, result.output
    assert "the same as torch on 1 images: boxes within" in result.output
    assert "the input is always 256x256 px" in result.output
    model = kpviewer.load(out, device="cpu", backend="onnxruntime")
    assert model.spec.keypoint_names[0] == "left_eye"
    assert [file.name for file in tmp_path.iterdir()] == ["faces.onnx"]


@pytest.mark.parametrize("size", ["x", "0x32", "32x", "-32", "32x32x32"])
def test_sizes_are_two_numbers_or_one(tmp_path, size):
    result = run("face-ssd", "--out", str(tmp_path / "m.onnx"), f"--size={size}")
    assert result.exit_code == 2
    assert "a size is HxW or SIDE" in result.output


def test_a_size_that_the_model_does_not_take_is_refused(tmp_path):
    result = run("face-ssd", "--out", str(tmp_path / "m.onnx"), "--size", "100")
    assert result.exit_code == 2
    assert "multiples of the stride, 32 px" in result.output


def test_options_that_contradict_each_other_are_a_wrong_command_line(tmp_path):
    result = run("face-ssd", "--out", str(tmp_path / "m.onnx"), "--half", "--int8")
    assert result.exit_code == 2
    assert "Choose one." in result.output
