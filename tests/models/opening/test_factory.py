"""A user's own function: its Detector is run, and its errors are reported in one line."""

import re
from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.names.models import is_factory_name
from kpviewer.runtime.executor import Executor

MODULE = """
import sys
from types import SimpleNamespace
from torch import nn
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd

def good():
    return build_face_ssd()

def with_arguments(path):
    return build_face_ssd()

def none():
    return None

def no_decode():
    built = build_face_ssd()
    return SimpleNamespace(spec=built.spec, network=built.network)

def odd():
    return SimpleNamespace(spec="face", network=lambda image: image, decode=print)

def leaving():
    sys.exit(0)

def failing():
    raise OSError("no file")

number = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module in the current folder."""
    name = f"own_models_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("import no_such_library")
    (tmp_path / f"{name}_script.py").write_text("raise SystemExit('usage: train.py')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # restores sys.path afterwards
    return name


def test_the_detector_of_a_function_is_ready_to_run(module):
    detector = open_model(f"{module}:good")
    assert detector.spec.name == "face-ssd"
    assert not detector.network.training


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (":absent", "must have a function 'absent'.*got no such name"),
        (":number", "got int"),
        (":with_arguments", r"TypeError.*called with no arguments"),
        (":failing", "OSError: no file"),
        (":none", "got a NoneType whose spec, network, decode are missing"),
        (":no_decode", "whose decode is missing"),
        (":odd", "whose spec, network are missing or of the wrong type"),
        (":leaving", r"exits the program \(sys.exit\(0\)\)"),
        ("_script:good", "can't be imported: it exits the program.*usage"),
        ("_broken:good", "can't be imported: ModuleNotFoundError.*no_such_library"),
        ("_absent:good", "can't be imported.*start kpviewer in the folder"),
    ],
)
def test_an_error_is_reported_in_one_line(module, ending, reason):
    with pytest.raises(WeightsError, match=reason) as caught:
        open_model(module + ending)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "is_factory"),
    [
        ("package.module:function", True),
        ("module:function", True),
        ("face-ssd", False),
        ("C:\\models\\face.onnx", False),
        ("models/face.safetensors", False),
        ("module:", False),
        ("a b:c", False),
    ],
)
def test_names_of_functions_differ_from_those_of_files(name, is_factory):
    assert is_factory_name(name) == is_factory


GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "other-models.md"


def test_the_example_of_the_guide_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (example,) = (block for block in blocks if "def face_finder" in block)
    (tmp_path / "models_of_the_guide.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # restores sys.path afterwards
    executor = Executor(open_model("models_of_the_guide:face_finder"), "cpu", "fp32", "torch")
    candidates, _ = executor.infer(np.zeros((240, 320, 3), np.uint8))
    assert candidates.xyxy.shape == (100, 4)
    assert (np.diff(candidates.scores[:, 0]) <= 0).all()
