"""State dicts: tensors that fit an architecture are loaded, all else is refused unopened."""

import argparse
import datetime
import errno
import os
import pickle
import struct
import subprocess
import sys
import types
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.opening import checkpoint, state_dict
from kpviewer.models.opening.state_dict import open_state_dict, read_state_dict
from kpviewer.models.spec import ModelSpec

ARCHITECTURES = {"face-ssd": build_face_ssd}


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(5)
    return build_face_ssd()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"module." + name: value for name, value in state.items()},
    ],
    ids=["plain", "checkpoint", "data parallel"],
)
def test_a_fitting_state_dict_is_loaded(detector, tmp_path, wrap):
    path = tmp_path / "face.pth"
    torch.save(wrap(detector.network.state_dict()), path)
    two = replace(FACE_SPEC, name="two", class_names=("a", "b"))
    loaded = open_state_dict(path, [two, FACE_SPEC], ARCHITECTURES)
    assert loaded.spec is FACE_SPEC
    assert not loaded.network.training
    for name, value in detector.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)


def test_open_model_opens_state_dicts_by_suffix(detector, tmp_path):
    path = tmp_path / "face.pt"
    torch.save(detector.network.state_dict(), path)
    assert open_model(path).spec.architecture == "face-ssd"


def test_the_nearest_model_is_reported(detector, tmp_path):
    path = tmp_path / "part.pth"
    state = detector.network.state_dict()
    first = next(iter(state))
    torch.save({first: state[first], "other": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=f"face-ssd, 1 of whose {len(state)} tensors"):
        open_state_dict(path, [FACE_SPEC], ARCHITECTURES)


def test_a_description_of_an_unknown_architecture_is_skipped(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"w": torch.zeros(2)}, path)
    unknown: list[ModelSpec] = [replace(FACE_SPEC, architecture="unknown")]
    with pytest.raises(WeightsError, match=r"kpviewer builds\. "):
        open_state_dict(path, unknown, ARCHITECTURES)


def test_torchvisions_layout_is_recognised(tmp_path):
    path = tmp_path / "ssd.pth"
    torch.save({"backbone.features.0.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"torchvision:NAME@ssd\.pth"):
        open_model(path)


class Trap:
    """Object whose pickle would run code when it is opened."""

    def __init__(self, flag: Path) -> None:
        self._flag = flag

    def __reduce__(self):
        return Path.touch, (self._flag,)


def test_a_pickle_that_runs_code_is_refused_unopened(tmp_path):
    flag = tmp_path / "ran"
    path = tmp_path / "trap.pth"
    torch.save(Trap(flag), path)
    with pytest.raises(WeightsError, match=r"torch\.save\(model\.state_dict\(\)") as caught:
        open_model(path)
    assert "\n" not in str(caught.value)
    assert not flag.exists()
    path.write_bytes(pickle.dumps(Trap(flag)))
    with pytest.raises(WeightsError):
        open_model(path)
    assert not flag.exists()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"w": torch.full((2,), float("nan"))}, "aren't numbers"),
        ({"w": torch.zeros(1).expand(1 << 30)}, "plain one"),
        ({"w": torch.eye(3).to_sparse()}, "plain one"),
        ({"w": torch.zeros(2, dtype=torch.complex64)}, "plain one"),
        ({"w": [1, 2]}, "must be a tensor, got a list"),
        ([torch.zeros(1)], "must hold a state dict .* got a list"),
        ({}, "must hold a state dict"),
    ],
    ids=["nan", "4 GB in 1 kB", "sparse", "complex", "no tensor", "list", "empty"],
)
@pytest.mark.filterwarnings("ignore:.*[Ss]parse")
def test_odd_values_are_refused(tmp_path, value, reason):
    path = tmp_path / "odd.pth"
    torch.save(value, path)
    with pytest.raises(WeightsError, match=reason):
        read_state_dict(path)


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(4_000_000))
    with pytest.raises(WeightsError, match="unpacks from"):
        read_state_dict(path)


SPANNED = b"PK\x06\x07" + struct.pack("<LQL", 7, 0, 7) + b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut off", SPANNED])
def test_a_damaged_file_is_reported(tmp_path, content):
    path = tmp_path / "cut.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cut\.pth"):
        read_state_dict(path)


def test_an_error_of_the_disk_is_no_damage(tmp_path, monkeypatch):
    path = tmp_path / "good.pth"
    torch.save({"weight": torch.zeros(2)}, path)

    def fails(_path: Path, *_mode: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", fails)
    with pytest.raises(WeightsError, match=r"good\.pth can't be read: Input/output error"):
        read_state_dict(path)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(WeightsError, match="not found"):
        open_model(tmp_path / "none.pth")


def test_real_third_party_files(shared_data):
    folder = shared_data / "third_party_weights"
    assert len(read_state_dict(folder / "RBF_Final.pth")) == 258
    with pytest.raises(WeightsError, match="could run any code") as caught:
        open_model(folder / "face_mask_detection.pth")
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="fits no model"):
        open_model(folder / "version-RFB-320.pth")


def test_what_a_training_continues_from_points_to_its_weights(tmp_path):
    kept = {"network": STATE, "optimizer": {}, "average": STATE, "step": 3, "names": ["card"]}
    with pytest.raises(WeightsError, match=r"'train --resume' .* open the \.safetensors file"):
        open_model(saved(tmp_path / "last.pt", kept))


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


STATE = {"backbone.weight": torch.ones(2, 3), "backbone.norm.running_mean": torch.zeros(2)}
CHECKPOINTS = {
    "torchvision": {
        "model": STATE,
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.02}]},
        "args": argparse.Namespace(lr=0.02, device="cuda", output_dir=Path("runs")),
        "epoch": 25,
    },
    "averaged": {"model_ema": {"n_averaged": torch.tensor(5), **prefixed(STATE, "module.")}},
    "plain and averaged": {"model_ema": prefixed(STATE, "x."), "model": STATE},
    "averaged alone": {"n_averaged": torch.tensor(5), **prefixed(STATE, "module.")},
    "lightning": {
        "state_dict": prefixed(STATE, "model."),
        "hyper_parameters": {"lr": np.float64(0.1), "root": Path("data")},
        "pytorch-lightning_version": "2.5.0",
    },
    "lightning with a loss": {
        "state_dict": {**prefixed(STATE, "net."), "criterion.weight": torch.ones(3)}
    },
    "compiled": prefixed(STATE, "_orig_mod."),
    "compiled under data parallel": prefixed(STATE, "module._orig_mod."),
    "compiled in part": {
        name.replace("norm", "norm._orig_mod"): value for name, value in STATE.items()
    },
    "nested": {"checkpoint": 1, "model": {"state_dict": prefixed(STATE, "module.")}},
    "numpy scalars": {"model": STATE, "best": np.float64(0.9), "map": np.ones(3)},
    "a date": {"model": STATE, "at": datetime.datetime(2026, 1, 2)},
    "a top tensor": {"model": STATE, "best": torch.tensor(0.5)},
    "parameters": {name: torch.nn.Parameter(value) for name, value in STATE.items()},
}


@pytest.mark.parametrize("kind", list(CHECKPOINTS))
def test_weights_are_found_in_checkpoints_of_training_programs(tmp_path, kind):
    state = read_state_dict(saved(tmp_path / "x.pth", CHECKPOINTS[kind]))
    assert list(state) == list(STATE)
    assert all(torch.equal(state[name], value) for name, value in STATE.items())


def test_a_namespace_in_the_old_format_is_no_obstacle(tmp_path):
    path = tmp_path / "old.pth"
    content = {"model": STATE, "args": argparse.Namespace(lr=0.1)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    assert list(read_state_dict(path)) == list(STATE)


class Command:
    """Object whose pickle would run a command, by a function unknown to torch."""

    def __init__(self, flag: Path) -> None:
        self._flag = flag

    def __reduce__(self):
        return subprocess.call, (["touch", str(self._flag)],)


def test_names_in_a_file_are_never_imported(tmp_path, monkeypatch):
    (tmp_path / "spy_of_a_test.py").write_text("raise SystemError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = types.ModuleType("spy_of_a_test")
    kind = type("Config", (), {"__module__": "spy_of_a_test", "__qualname__": "Config"})
    module.Config = kind
    monkeypatch.setitem(sys.modules, "spy_of_a_test", module)
    flag = tmp_path / "ran"
    path = saved(tmp_path / "x.pth", {"model": STATE, "config": kind(), "trap": Command(flag)})
    monkeypatch.delitem(sys.modules, "spy_of_a_test")
    assert list(read_state_dict(path)) == list(STATE)
    assert "spy_of_a_test" not in sys.modules
    assert not flag.exists()


class Shell:
    """Object whose pickle would run a command."""

    def __reduce__(self):
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": STATE, "x": Shell()}, "could run any code"),
        (Shell(), r"could run any code.*torch\.save\(model\.state_dict\(\)"),
        ({"model": torch.nn.Linear(2, 2)}, r"\(torch\.nn\.modules\.linear\.Linear\)"),
        ({"w": torch.zeros(2, device="meta")}, "plain one"),
        ({str(i): torch.ones(1000).view(10, 100) for i in range(2)}, None),
        (dict.fromkeys("abcdefgh", torch.ones(100_000)), "claims tensors of"),
        ({"a": torch.ones(1), "module.a": torch.ones(1), "_orig_mod.a": torch.ones(1)}, "two"),
    ],
    ids=["command", "command alone", "module", "meta", "views", "shared", "doubles"],
)
def test_other_content_is_refused_in_one_line(tmp_path, content, message):
    path = saved(tmp_path / "x.pth", content)
    if message is None:
        assert read_state_dict(path)
        return
    with pytest.raises(WeightsError, match=message) as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


def test_an_ultralytics_model_is_refused_with_the_export_command(tmp_path, monkeypatch):
    name = "ultralytics.nn.tasks"
    module = types.ModuleType(name)
    kind = type("DetectionModel", (torch.nn.Module,), {"__module__": name})
    module.DetectionModel = kind
    for each in ("ultralytics", "ultralytics.nn", name):
        monkeypatch.setitem(sys.modules, each, module)
    path = saved(tmp_path / "best.pt", {"model": kind(), "epoch": 3, "train_args": {"imgsz": 640}})
    with pytest.raises(WeightsError, match=r"yolo export model=best\.pt format=onnx"):
        open_model(path)


def test_more_tensors_or_parts_than_any_model_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(state_dict, "MAX_TENSORS", 100)
    monkeypatch.setattr(checkpoint, "MAX_TENSORS", 500)
    path = saved(tmp_path / "x.pth", {f"w{i}": torch.zeros(()) for i in range(101)})
    with pytest.raises(WeightsError, match="101 tensors, at most 100"):
        read_state_dict(path)
    with zipfile.ZipFile(path, "w") as archive:  # refused before they are read
        for index in range(1_001):
            archive.writestr(str(index), b"")
    with pytest.raises(WeightsError, match="1,001 parts"):
        read_state_dict(path)
