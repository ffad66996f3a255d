"""Weight files: written and read unchanged, and refused with a reason if they don't fit."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from kpviewer.errors import WeightsError
from kpviewer.models.files.catalogue import SPEC_KEY, read_header
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.spec import ModelSpec
from kpviewer.models.weights import load_model, save_weights


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    torch.manual_seed(3)
    save_weights(build_face_ssd(replace(FACE_SPEC, trained_on="nothing")), path)
    return path


def test_a_saved_model_is_read_with_its_description(saved):
    torch.manual_seed(3)
    original = build_face_ssd()
    loaded = load_model(saved)
    assert loaded.spec.trained_on == "nothing"
    assert loaded.spec.keypoint_names == FACE_SPEC.keypoint_names
    assert loaded.spec.input_hw == (256, 448)
    assert not loaded.network.training
    for name, value in original.network.state_dict().items():
        # stored in half precision: 11 bits of mantissa
        torch.testing.assert_close(loaded.network.state_dict()[name], value, rtol=2**-10, atol=1e-6)


def test_a_saved_model_is_as_readable_as_other_files(saved, tmp_path):
    other = tmp_path / "other"
    other.touch()
    assert saved.stat().st_mode == other.stat().st_mode


def test_saving_leaves_no_partial_file(saved):
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


def rewritten(saved: Path, target: Path, *, metadata: dict[str, str] | None = None, **changes):
    tensors = load_file(saved)
    spec = {SPEC_KEY: read_header(saved).to_json()} if metadata is None else metadata
    for name, value in changes.items():
        key = {"stem": "backbone.stem.0.weight", "extra": "extra"}[name]
        if value is None:
            del tensors[key]
        else:
            tensors[key] = value
    save_file(tensors, str(target), metadata=spec)
    return target


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stem": None}, "lacks tensor"),
        ({"extra": torch.zeros(1)}, "unknown tensor"),
        ({"stem": torch.zeros(16, 3, 5, 5)}, "must have shape"),
        ({"stem": torch.full((16, 3, 3, 3), float("nan"))}, "aren't numbers"),
        ({"stem": torch.zeros(16, 3, 3, 3, dtype=torch.int8)}, "I8"),
        ({"metadata": {}}, "doesn't say what model"),
        ({"metadata": {SPEC_KEY: "{"}}, "can't be read"),
        ({"metadata": {SPEC_KEY: replace(FACE_SPEC, architecture="other").to_json()}}, "'other'"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, str) else "",
)
def test_a_file_that_does_not_fit_is_refused(saved, tmp_path, changes, reason):
    bad = rewritten(saved, tmp_path / "bad.safetensors", **changes)
    with pytest.raises(WeightsError, match=reason):
        load_model(bad)


def test_a_damaged_file_is_refused(saved, tmp_path):
    bad = tmp_path / "cut.safetensors"
    bad.write_bytes(saved.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="damaged"):
        load_model(bad)


def test_a_pickle_is_refused_without_being_opened(tmp_path):
    bad = tmp_path / "model.pth"
    bad.write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(WeightsError, match="safetensors"):
        load_model(bad)


def test_a_model_that_only_runs_is_not_called_something_else(tmp_path):
    graph = tmp_path / "yolo.ONNX"
    graph.write_bytes(b"\x08\x07")
    with pytest.raises(WeightsError, match="runs as it is"):
        load_model(graph)


def test_an_unknown_name_lists_the_models():
    with pytest.raises(WeightsError, match="face-ssd"):
        load_model("no-such-model")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_any_json_as_description_is_read_or_refused(value):
    with contextlib.suppress(WeightsError):
        ModelSpec.from_json(json.dumps(value))
