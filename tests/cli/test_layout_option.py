"""``--layout`` and notes on what a model's outputs leave out."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import kpviewer
from kpviewer.cli import view
from kpviewer.cli.main import main
from kpviewer.config import files as config_files
from kpviewer.errors import WeightsError
from kpviewer.gui import app
from kpviewer.installation import qt_libraries
from kpviewer.sources.opencv import cv2

pytest.importorskip("onnxruntime")

from onnx_files import HW, ambiguous_model, constant_model

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_files, "settings_folder", lambda: tmp_path / "settings")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(ambiguous_model(tmp_path / "net.onnx"))


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.zeros((*HW, 3), np.uint8))
    return str(path)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_process_lists_the_layouts_that_fit_and_takes_one(model, image, tmp_path):
    command = ("process", image, "--model", model, "--out", tmp_path / "out", "--csv")
    refused = run(*command)
    assert refused.exit_code != 0
    assert "--layout yolox (" in refused.stderr
    assert "--layout yolox-decoded (" in refused.stderr
    assert run(*command, "--layout", "yolox-decoded").exit_code == 0
    (table,) = (tmp_path / "out").glob("*.csv")
    _head, row = table.read_text().splitlines()
    assert "38.0,22.0,58.0,42.0" in row


def test_a_layout_is_for_an_onnx_file(image, tmp_path):
    refused = run("process", image, "--out", tmp_path, "--layout", "yolox")
    assert refused.exit_code != 0
    assert "--layout is for an ONNX file, got face-ssd" in refused.stderr
    names = "two-stage:a.onnx+b.safetensors"
    refused = run("process", image, "--out", tmp_path, "--layout", "yolox", "--model", names)
    assert "FILE.onnx@yolox" in refused.stderr


def test_the_window_gets_the_layout(model, monkeypatch):
    started = []
    monkeypatch.setattr(app, "run_viewer", lambda options, _theme: started.append(options) or 0)
    monkeypatch.setattr(qt_libraries, "needed_libraries", dict)
    monkeypatch.setattr(view, "has_display", lambda: True)
    assert run("demo", "--model", model, "--layout", "yolox").exit_code == 0
    assert started[0].model == f"{model}@yolox"


def test_bench_takes_a_layout(model, image):
    words = ("bench", "--source", image, "--frames", "1", "--json", "-")
    assert '"model": "net"' in run(*words, "--model", model, "--layout", "yolox").stdout


def test_python_takes_a_layout(model):
    with pytest.raises(WeightsError, match="yolox-decoded"):
        kpviewer.load(model)
    loaded = kpviewer.load(model, device="cpu", layout="yolox-decoded")
    found = loaded(np.zeros((*HW, 3), np.uint8))
    assert found.xyxy.round().tolist() == [[38, 22, 58, 42]]


@pytest.fixture
def noted(tmp_path: Path) -> str:
    """Return a model that leaves something out."""
    rows = np.zeros((1, 1, 6))
    rows[0, 0] = (10, 10, 30, 30, 0.9, 0)
    path = constant_model(tmp_path / "noted.onnx", {"rows": rows})
    path.with_suffix(".toml").write_text(
        'classes = ["a"]\nnotes = ["No masks."]\n[output]\nkind = "boxes"\nrows = "rows"\n'
    )
    return str(path)


NOTE = "Note: noted: No masks."


def test_process_prints_the_notes_of_a_model(noted, image, tmp_path):
    result = run("process", image, "--model", noted, "--out", tmp_path / "out")
    assert result.stderr.splitlines().count(NOTE) == 1
    assert NOTE not in result.stdout


def test_eval_prints_the_notes_of_a_model(noted, image, tmp_path):
    Path(image).with_suffix(".txt").write_text("0 0.2 0.3 0.2 0.3\n")
    (tmp_path / "classes.txt").write_text("a\n")
    result = run("eval", "--model", noted, "--data", f"yolo:{tmp_path}")
    assert result.stderr.splitlines().count(NOTE) == 1, result.output
    assert result.exit_code == 0


def test_python_reads_the_notes_of_a_model(noted):
    assert kpviewer.load(noted, device="cpu").spec.notes == ("No masks.",)


def test_models_lists_the_layouts():
    listed = run("models", "--layouts").stdout.splitlines()
    (line,) = (line for line in listed if line.startswith("yolox-decoded "))
    assert line.split(maxsplit=1)[1] == "YOLOX with --decode_in_inference"
    names = json.loads(run("models", "--layouts", "--json").stdout)
    assert [line.split()[0] for line in listed] == list(names)
