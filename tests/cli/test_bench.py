"""``kpviewer bench`` with a small untrained model: the output, not the speed."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from kpviewer.cli.main import main
from kpviewer.models.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.weights import save_weights
from kpviewer.sources.opencv import cv2

pytestmark = pytest.mark.usefixtures("qapp")

STAGES = ["read", "queue_wait", "upload", "forward", "postprocess", "select", "total", "draw"]
KEYS = [
    "model", "source", "device", "engine", "backend", "precision", "threads",
    "picture_hw", "input_hw", "versions",
    "frames", "warm_up_frames", "first_call_ms", "fps", "fps_by_block", "stages_ms", "against",
    "notes",
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_weights(build_face_ssd(replace(FACE_SPEC, name="small", input_hw=(64, 64))), path)
    return path


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 80, 3), 60 * number, np.uint8))
    return folder


@pytest.fixture
def one_thread(monkeypatch):
    """Use one thread: on a busy machine, waiting threads take longer than the network."""
    before = torch.get_num_threads()
    monkeypatch.setattr("kpviewer.runtime.executor.use_cpu_threads", lambda: 1)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(model, images, one_thread):
    """Return a function that runs ``kpviewer bench`` for 10 frames on the CPU."""
    words = ["bench", "--frames", 10, "--source", images, "--model", model]
    words += ["--device", "cpu", "--precision", "fp32", "--engine", "torch"]
    return lambda *args: CliRunner().invoke(main, [str(word) for word in (*words, *args)])


def test_table_shows_setting_stages_and_rates(run):
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "small on CPU, torch fp32" in result.stdout
    assert "80x48 px, model input 64x64 px" in result.stdout
    lines = {line[:17].strip(): line[17:].split() for line in result.stdout.splitlines()}
    assert lines["ms a frame"] == ["p50", "p95", "p99"]
    for title in ("read, decode", "forward", "threshold, NMS", "capture to result", "draw"):
        values = [float(cell) for cell in lines[title]]
        assert len(values) == 3
        assert values == sorted(values)
    assert "fps over 10 frames" in result.stdout
    assert "ratio" not in result.stdout


def test_json_alone_goes_to_stdout_and_the_table_to_stderr(run):
    result = run("--json", "-")
    values = json.loads(result.stdout)
    assert "ms a frame" in result.stderr
    assert list(values) == KEYS
    assert (values["model"], values["device"], values["precision"]) == ("small", "CPU", "fp32")
    assert (values["picture_hw"], values["input_hw"]) == ([48, 80], [64, 64])
    assert (values["frames"], len(values["fps_by_block"])) == (10, 1)
    assert set(values["versions"]) == {"kpviewer", "torch", "python", "platform"}
    assert list(values["stages_ms"]) == STAGES
    assert all(set(times) == {"p50", "p95", "p99"} for times in values["stages_ms"].values())
    assert min(values["fps"], values["first_call_ms"]) > 0
    assert values["against"] is None
    assert values["notes"] == []


def test_against_naive_reports_the_ratio_of_each_pair_and_describes_naive(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr("kpviewer.cli.bench.BLOCKS", 3)
    result = run("--against", "naive", "--json", tmp_path / "bench.json")
    assert result.exit_code == 0, result.output
    values = json.loads((tmp_path / "bench.json").read_text())
    against = values["against"]
    pairs = list(zip(values["fps_by_block"], against["fps_by_block"], strict=True))
    assert len(pairs) == 3
    assert against["ratio_by_block"] == pytest.approx([ours / plain for ours, plain in pairs])
    assert against["ratio"] == sorted(against["ratio_by_block"])[1]
    assert against["fps"] == sorted(against["fps_by_block"])[1]
    assert values["frames"] == 12, "blocks of one length, no fewer frames than asked for"
    assert f"ratio       {against['ratio']:.2f}, the median of 3 pairs" in result.stdout
    assert f"naive is {against['what']}" in result.stdout


def test_without_qt_everything_but_drawing_is_measured(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "kpviewer.overlay", None)
    result = run("--json", "-")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert values["stages_ms"]["draw"] is None
    assert values["stages_ms"]["forward"] is not None
    assert "draw is left out, as PyQt6 can't be loaded" in result.stderr
    assert len(values["notes"]) == 1


@pytest.mark.parametrize(
    ("args", "exit_code"),
    [
        (["--source", "none.mp4"], 3),
        (["--model", "no-such-model"], 4),
        (["--device", "cuda:99"], 1),
        (["--against", "everyone"], 2),
        (["--frames", "0"], 2),
    ],
)
def test_an_error_is_one_message_and_its_exit_code(run, args, exit_code):
    result = run(*args)
    assert result.exit_code == exit_code
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output


def test_a_path_that_cannot_be_written_exits_with_six(run, tmp_path):
    result = run("--json", tmp_path / "none" / "bench.json")
    assert result.exit_code == 6
    assert "ms a frame" in result.stdout
