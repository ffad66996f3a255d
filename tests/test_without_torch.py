"""kpviewer without torch: an interpreter whose imports of torch fail."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from interpreter import run_python
from onnx_files import boxes_file, pose_file
from sample_clips import make_clip

from kpviewer.sources.opencv import cv2

BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "onnx", "sklearn"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""
RUN = """
import sys
from kpviewer.cli.main import main

for arguments in COMMANDS:
    print(">", *arguments, flush=True)
    try:
        main.main(arguments, "kpviewer")
    except SystemExit as ended:
        print("exit", ended.code, flush=True)
assert not {"torch", "torchvision"} & set(sys.modules)
"""


def run(*commands: list[str], folder: Path, block: str = BLOCK) -> tuple[list[int], str, str]:
    """Run commands that import no torch; return their exit codes, stdout and stderr."""
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CACHE_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    code, output, errors = run_python(f"{block}\nCOMMANDS = {commands!r}\n{RUN}", environment)
    assert code == 0, errors
    assert "Traceback" not in errors
    codes = [int(line.split()[1]) for line in output.splitlines() if line.startswith("exit ")]
    return codes, output, errors


def test_lists_need_no_torch(tmp_path):
    codes, output, _ = run(["--version"], ["models"], ["cameras"], folder=tmp_path)
    assert codes == [0, 0, 0]
    assert "face-ssd" in output


def test_parts_that_run_without_torch_import_none(tmp_path):
    code = """
import importlib, pkgutil, kpviewer

parts = ("gui", "processing", "pipeline", "scanning", "recording", "overlay", "sources", "api")
for part in parts:
    package = importlib.import_module(f"kpviewer.{part}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
"""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path)}
    exit_code, _, errors = run_python(BLOCK + code, environment)
    assert exit_code == 0, errors


def test_what_needs_torch_says_so_in_one_line(tmp_path):
    for name in ("own.pt", "own.engine"):
        (tmp_path / name).write_bytes(b"weights")
    process = ["process", "demo", "--out", str(tmp_path / "out"), "--model"]
    commands = [
        ["train", "face-ssd", "--data", "demo", "--out", str(tmp_path / "run")],
        ["calibrate", "face-ssd", "--data", "demo", "--out", str(tmp_path / "new.safetensors")],
        ["export", "face-ssd", "--out", str(tmp_path / "face.onnx")],
        ["summary", "face-ssd"],
        [*process, "torchvision:retinanet_resnet50_fpn"],
        [*process, f"two-stage:face-ssd+{tmp_path / 'own.pt'}"],
        [*process, str(tmp_path / "own.pt")],
        [*process, str(tmp_path / "own.engine")],
    ]
    codes, _, errors = run(*commands, folder=tmp_path)
    lines = errors.strip().splitlines()
    assert len(lines) == len(codes) == len(commands)
    assert set(codes) == {4}
    for line in lines:
        assert line.startswith("Error: ")
        assert line.endswith('needs torch, which isn\'t installed: pip install "kpviewer[torch]"')


def test_models_that_read_crops_need_no_torch(tmp_path):
    pose = pose_file(tmp_path / "pose.onnx")
    boxes = boxes_file(tmp_path / "yolo.onnx", "{0: 'cat', 1: 'person'}")
    image = tmp_path / "black.png"
    cv2.imwrite(str(image), np.zeros((128, 192, 3), np.uint8))
    ends = (
        f"{boxes}+{pose}",
        f"face-ssd+{pose}",
        f"{boxes}+face-points",
        "face-ssd@640+face-points",
    )
    models = (str(pose), *(f"two-stage:{end}" for end in ends))
    process = ["process", str(image), "--jsonl", "--model"]
    commands = [
        [*process, name, "--out", str(tmp_path / f"out {number}")]
        for number, name in enumerate(models)
    ]
    codes, _, errors = run(*commands, folder=tmp_path)
    assert codes == [0] * len(models), errors
    _, line = (tmp_path / "out 1" / "black.jsonl").read_text().splitlines()
    (person,) = json.loads(line)["detections"]
    assert person["class"] == "person"
    # a person of 80 x 112 px around (140, 64): a quarter of the crop's sides from the middle
    assert person["keypoints"][0][:2] == pytest.approx([140 - 26.25, 64 - 35], abs=0.01)


@pytest.mark.parametrize("block", ["", BLOCK], ids=["torch", "no torch"])
def test_files_that_torch_would_not_open_either_are_refused_without_it(tmp_path, block):
    (tmp_path / "README.md").write_text("# Model\n")
    with zipfile.ZipFile(tmp_path / "best.pt", "w") as archive:
        archive.writestr("best/data.pkl", b"\x80\x02cultralytics.nn.tasks\nDetectionModel\n.")
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    size = len(header).to_bytes(8, "little")
    (tmp_path / "other.safetensors").write_bytes(size + header + bytes(4))
    process = ["process", "demo", "--out", str(tmp_path / "out"), "--model"]
    _, _, errors = run(
        [*process, str(tmp_path / "best.pt")],
        [*process, str(tmp_path / "other.safetensors")],
        [*process, str(tmp_path / "README.md")],
        folder=tmp_path,
        block=block,
    )
    whole, other, text = errors.strip().splitlines()
    assert whole.endswith("Export it instead: yolo export model=best.pt format=onnx")
    assert "doesn't say what model it holds" in other
    assert text.startswith("Error: README.md isn't a model file: kpviewer opens .onnx, ")


@pytest.mark.slow
def test_results_are_the_same_bytes_with_torch_installed(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    found = []
    for block in ("", BLOCK):
        out = tmp_path / f"blocked {bool(block)}"
        process = ["process", clip, "--out", str(out), "--jsonl", "--conf", "0.01"]
        fixed = ["--backend", "openvino", "--precision", "int8"]  # a busy machine chooses anew
        codes, _, errors = run([*process, *fixed], folder=tmp_path, block=block)
        assert codes == [0], errors
        found.append((out / "clip.jsonl").read_bytes())
    assert b'"detections":[{' in found[0]
    assert found[0] == found[1]


def test_kinds_that_need_torch_are_not_scored_as_another():
    code = (
        BLOCK
        + """
from kpviewer.errors import WeightsError
from kpviewer.evaluation.evaluator import kind_of
from kpviewer.models.spec import Task

for name, task in (("hourglass-light", Task.KEYPOINTS), ("onnx", Task.CLASSIFY)):
    try:
        print("scored as", kind_of(name, task))
    except WeightsError as error:
        print(error)
"""
    )
    exit_code, output, errors = run_python(code)
    assert exit_code == 0, errors
    assert ['pip install "kpviewer[torch]"' in line for line in output.splitlines()] == [True] * 2
