"""Catalogue of a folder of weights."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from kpviewer.cli.main import main
from kpviewer.errors import WeightsError
from kpviewer.models.files import catalogue
from kpviewer.models.files.catalogue import available_models, read_header
from kpviewer.models.loading import open_model
from kpviewer.models.spec import ModelSpec, Task

SPEC = ModelSpec(
    name="tiny",
    architecture="face-ssd",
    task=Task.DETECT_KEYPOINTS,
    class_names=("face",),
    input_hw=(240, 320),
    keypoint_names=("left eye", "right eye"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one model, and a manifest that fits it."""
    path = tmp_path / "tiny.safetensors"
    save_file({"w": np.zeros(3, np.float16)}, path, metadata={"kpviewer": SPEC.to_json()})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = f'[tiny]\nsha256 = "{digest}"\nscores = {{ "AP@0.5" = 0.5 }}\n'
    (tmp_path / "MANIFEST.toml").write_text(manifest)
    return tmp_path


def test_models_are_listed_with_description_and_scores(folder):
    (model,) = available_models(folder)
    assert (model.name, model.spec, dict(model.scores)) == ("tiny", SPEC, {"AP@0.5": 0.5})
    assert model.size_bytes == model.path.stat().st_size


def test_a_model_of_crops_runs_behind_the_default_detector(folder):
    spec = replace(SPEC, name="nose", task=Task.KEYPOINTS)
    save_file({"w": np.zeros(3)}, folder / "nose.safetensors", {"kpviewer": spec.to_json()})
    names = {model.name: model.runnable_name for model in available_models(folder)}
    assert names == {"nose": "two-stage:face-ssd+nose", "tiny": "tiny"}


def test_each_shipped_model_runs_by_its_listed_name():
    for model in available_models():
        detector = open_model(model.runnable_name)
        assert detector.spec.task is not Task.KEYPOINTS
        assert detector.spec.class_names == model.spec.class_names


def test_a_changed_file_is_no_longer_intact(folder):
    (model,) = available_models(folder)
    assert model.is_intact()
    model.path.write_bytes(model.path.read_bytes() + b"x")
    assert not model.is_intact()


def test_a_model_without_a_manifest_entry_is_listed(folder):
    (folder / "MANIFEST.toml").unlink()
    (model,) = available_models(folder)
    assert (dict(model.scores), model.is_intact()) == ({}, True)


def test_a_manifest_that_is_not_toml_is_refused(folder):
    (folder / "MANIFEST.toml").write_text("[tiny")
    with pytest.raises(WeightsError, match="must be TOML"):
        available_models(folder)


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"not a header")
    with pytest.raises(WeightsError, match=r"bad\.safetensors is damaged"):
        read_header(path)


def test_a_file_without_description_is_refused(tmp_path):
    path = tmp_path / "mute.safetensors"
    save_file({"w": np.zeros(3, np.float16)}, path)
    with pytest.raises(WeightsError, match="doesn't say what model it holds"):
        read_header(path)


def test_the_command_lists_names_classes_points_and_scores(folder, monkeypatch):
    monkeypatch.setattr(catalogue, "shipped_weights_dir", lambda: folder)
    text = CliRunner().invoke(main, ["models"]).output
    for expected in ("tiny", "detect+keypoints", "320x240", "face", "left eye", "AP@0.5 0.5"):
        assert expected in text
    (entry,) = json.loads(CliRunner().invoke(main, ["models", "--json"]).output)
    assert entry["input_hw"] == [240, 320]
    assert entry["scores"] == {"AP@0.5": 0.5}
    assert entry["watched_as"] == "tiny"
