"""``kpviewer bench`` with a small input: the output, not the speed."""

import json
import sys
from statistics import median

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from kpviewer.cli.main import main
from kpviewer.sources.opencv import cv2

pytestmark = pytest.mark.usefixtures("qapp")

STAGES = ["read", "queue_wait", "upload", "forward", "postprocess", "select", "total", "draw"]
KEYS = [
    "model", "source", "device", "engine", "backend", "precision", "threads",
    "picture_hw", "input_hw", "versions",
    "frames", "warm_up_frames", "first_call_ms", "fps", "fps_by_block", "stages_ms",
    "cores", "bare", "efficiency", "recording", "against", "notes",
]  # fmt: skip

BACKENDS_KEYS = [
    "model", "source", "device", "threads", "picture_hw", "input_hw", "versions",
    "frames", "blocks", "warm_up_frames", "data", "images", "rows", "notes",
]  # fmt: skip
ROW_KEYS = [
    "backend", "precision", "is_reference", "ms", "fps", "fps_by_block", "scores", "difference",
    "failure",
]  # fmt: skip
MODEL = "face-ssd@64"
DIFFERENCE_KEYS = {"box_px", "keypoint_px", "score", "unmatched", "detections"}


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
    monkeypatch.setattr("kpviewer.runtime.backends.torch_backends.use_cpu_threads", lambda: 1)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(images, one_thread):
    """Return a function that runs ``kpviewer bench`` for 10 frames on the CPU."""
    words = ["bench", "--frames", 10, "--source", images, "--model", MODEL]
    words += ["--device", "cpu", "--precision", "fp32", "--engine", "torch"]
    return lambda *args: CliRunner().invoke(main, [str(word) for word in (*words, *args)])


def test_json_alone_goes_to_stdout_and_the_table_to_stderr(run):
    result = run("--json", "-")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert list(values) == KEYS
    assert (values["model"], values["device"], values["precision"]) == (MODEL, "CPU", "fp32")
    assert (values["picture_hw"], values["input_hw"]) == ([48, 80], [64, 64])
    assert (values["frames"], len(values["fps_by_block"])) == (10, 5)
    assert {"kpviewer", "torch", "python", "platform"} <= set(values["versions"])
    assert list(values["stages_ms"]) == STAGES
    assert all(set(times) == {"p50", "p95", "p99"} for times in values["stages_ms"].values())
    assert min(values["fps"], values["first_call_ms"]) > 0
    assert (values["against"], values["recording"]) == (None, None)
    assert values["notes"] == []
    assert values["cores"] >= 1
    check_efficiency(values["efficiency"], values)
    check_table(result.stderr)


def check_table(text):
    """Check that the table shows setting, stages and rates."""
    assert f"{MODEL} on CPU, torch fp32" in text
    assert "80x48 px, model input 64x64 px" in text
    lines = {line[:17].strip(): line[17:].split() for line in text.splitlines()}
    assert lines["ms a frame"] == ["p50", "p95", "p99"]
    for title in ("read, decode", "forward", "threshold, NMS", "capture to result", "draw"):
        values = [float(cell) for cell in lines[title]]
        assert len(values) == 3
        assert values == sorted(values)
    assert "bare model" in text
    assert "bound" in text
    assert "fps   over 10 frames" in text
    assert "median of 5 blocks" in text
    assert "ratio" not in text
    assert "recording" not in text


def check_efficiency(part, values):
    """Check a pipeline's part of the figures against each other."""
    cores_fps = 1e3 * values["cores"] / part["cpu_ms"]
    bounds, bare = part["bound_fps_by_block"], values["bare"]["fps_by_block"]
    assert all(0 < bound <= own for bound, own in zip(bounds, bare, strict=True))
    assert min(bounds) <= max(cores_fps, min(bare))
    assert part["efficiency"] == pytest.approx(median(part["efficiency_by_block"]))


def test_record_also_measures_with_drawing_and_recording(run, monkeypatch):
    monkeypatch.setattr("kpviewer.benchmarking.speed.BLOCKS", 1)
    result = run("--record", "--json", "-")
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    recording = values["recording"]
    check_efficiency(recording, values)
    pairs = zip(recording["fps_by_block"], values["fps_by_block"], strict=True)
    assert recording["cost_by_block"] == pytest.approx([1 - own / plain for own, plain in pairs])
    assert "with drawing and H.264" in result.stderr


def test_against_naive_reports_the_ratio_of_each_pair_and_describes_naive(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr("kpviewer.benchmarking.speed.BLOCKS", 3)
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
    assert f"{against['ratio']:.2f}   median of 3 blocks" in result.stdout
    assert against["what"] in result.stdout


def test_without_qt_everything_but_drawing_is_measured(run, monkeypatch):
    monkeypatch.setattr("kpviewer.benchmarking.speed.BLOCKS", 1)
    monkeypatch.setitem(sys.modules, "kpviewer.overlay", None)
    monkeypatch.delitem(sys.modules, "kpviewer.benchmarking.recording", raising=False)
    result = run("--record", "--json", "-")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert values["stages_ms"]["draw"] is None
    assert values["stages_ms"]["forward"] is not None
    assert "Drawing is left out, as PyQt6 can't be loaded" in result.stderr
    assert values["recording"] is None
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


def test_a_path_that_cannot_be_written_exits_with_six(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kpviewer.benchmarking.speed.BLOCKS", 1)
    result = run("--json", tmp_path / "none" / "bench.json")
    assert result.exit_code == 6
    assert "ms a frame" not in result.stdout  # it is said before the work


@pytest.fixture
def compare(images, one_thread):
    """Return a function that runs ``kpviewer bench --backends`` for 5 frames on the CPU."""
    words = ["bench", "--frames", 5, "--source", images, "--model", MODEL, "--device", "cpu"]
    return lambda *args: CliRunner().invoke(main, [str(word) for word in (*words, *args)])


def annotate(folder):
    """Write an object of class "face" for each image; return the specification of the data."""
    box = "<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>40</xmax><ymax>40</ymax></bndbox>"
    for path in folder.glob("*.png"):
        text = f"<object><name>face</name>{box}</object>"
        size = "<size><width>80</width><height>48</height><depth>3</depth></size>"
        named = f"<filename>{path.name}</filename>"
        path.with_suffix(".xml").write_text(f"<annotation>{named}{size}{text}</annotation>")
    return f"voc:{folder}"


def test_backends_have_a_row_each_with_speed_scores_and_differences(compare, images, tmp_path):
    target = tmp_path / "backends.json"
    backends = "onnxruntime:fp32,torch:bf16,tensorrt"
    result = compare("--backends", backends, "--data", annotate(images), "--json", target)
    assert result.exit_code == 0, result.output
    values = json.loads(target.read_text())
    assert list(values) == BACKENDS_KEYS
    assert (values["frames"], values["blocks"], values["images"]) == (5, 5, 3)
    reference, bf16, missing = values["rows"]
    assert all(list(row) == ROW_KEYS for row in values["rows"])
    assert (reference["backend"], reference["is_reference"]) == ("onnxruntime", True)
    assert 0 < reference["ms"]["p50"] <= reference["ms"]["p95"]
    assert len(reference["fps_by_block"]) == 5
    assert set(reference["scores"]) == {"AP", "AP50"}, "the data have no keypoints"
    assert reference["difference"] is None
    assert set(bf16["difference"]) == DIFFERENCE_KEYS
    assert (missing["ms"], missing["fps"], missing["scores"]) == (None, None, None)
    assert f"{MODEL} on CPU" in result.stdout
    head = next(line for line in result.stdout.splitlines() if line.startswith("backend"))
    assert head.split()[:6] == ["backend", "precision", "ms", "p50", "p95", "fps"]
    assert f"tensorrt auto can't run: {missing['failure']}" in result.stdout


def test_backends_without_data_have_speed_alone(compare):
    result = compare("--backends", "onnxruntime:fp32", "--json", "-")
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    assert (values["data"], values["images"], len(values["rows"])) == (None, None, 1)
    assert "box px" not in result.stderr


def test_no_backend_that_runs_exits_with_one(compare):
    result = compare("--backends", "tensorrt", "--json", "-")
    assert result.exit_code == 1
    reference, missing = json.loads(result.stdout)["rows"]
    assert reference["failure"] is None and missing["failure"] in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["--data", "demo"],
        ["--limit", "3"],
        ["--backends", "torch,,openvino"],
        ["--backends", "all", "--against", "naive"],
        ["--backends", "all", "--record"],
        ["--backends", "all", "--limit", "3"],
        ["--backends", "all", "--precision", "fp32"],
        ["--backends", "all", "--backend", "torch"],
    ],
)
def test_options_that_contradict_each_other_are_refused(compare, args):
    result = compare(*args)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
