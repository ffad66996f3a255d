"""Weight files of former versions are still read.

In version 0.1, the backbone was called trunk, and TTA runs looks.
"""

import json
from dataclasses import replace

import torch
from safetensors.torch import load_file, save_file

from kpviewer.models.files.catalogue import SPEC_KEY
from kpviewer.models.names.tensors import current_name
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.opening.state_dict import open_state_dict
from kpviewer.models.spec import ModelSpec
from kpviewer.models.weights import load_model, save_weights


def test_only_whole_parts_of_a_name_are_renamed():
    assert current_name("trunk.stem.0") == "backbone.stem.0"
    assert current_name("detector.trunk.stem.0") == "detector.backbone.stem.0"
    assert current_name("tree.trunks.0") == "tree.trunks.0"
    assert current_name("mytrunk.0") == "mytrunk.0"


def test_weights_and_ranges_of_a_trunk_are_those_of_the_backbone(tmp_path):
    detector = build_face_ssd(replace(FACE_SPEC, activation_ranges=(("trunk.stem.0", -1.0, 2.0),)))
    new, old = tmp_path / "new.safetensors", tmp_path / "old.safetensors"
    save_weights(detector, new)
    tensors = {name.replace("backbone.", "trunk.", 1): v for name, v in load_file(new).items()}
    assert any(name.startswith("trunk.") for name in tensors)
    save_file(tensors, str(old), metadata={SPEC_KEY: detector.spec.to_json()})
    loaded = load_model(old)
    assert loaded.spec.activation_ranges == (("backbone.stem.0", -1.0, 2.0),)
    expected = load_model(new).network.state_dict()
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, expected[name])


def test_weights_and_ranges_of_a_part_that_is_gone_are_left_out(tmp_path):
    ranges = (("region_points.reduce.0", -1.0, 2.0), ("backbone.stem.0", 0.0, 1.0))
    detector = build_face_ssd(replace(FACE_SPEC, activation_ranges=ranges))
    new, old = tmp_path / "new.safetensors", tmp_path / "old.safetensors"
    save_weights(detector, new)
    tensors = load_file(new)
    gone = {"region_points.hidden.weight": torch.ones(128, 3072).half()}
    save_file(tensors | gone, str(old), metadata={SPEC_KEY: detector.spec.to_json()})
    loaded = load_model(old)
    assert loaded.spec.activation_ranges == ranges[1:]
    assert loaded.network.state_dict().keys() == tensors.keys()


def test_a_state_dict_of_a_trunk_fits(tmp_path):
    detector = build_face_ssd()
    state = detector.network.state_dict()
    old = {name.replace("backbone.", "trunk.", 1): value for name, value in state.items()}
    torch.save(old, tmp_path / "old.pth")
    architectures = {FACE_SPEC.architecture: build_face_ssd}
    loaded = open_state_dict(tmp_path / "old.pth", [FACE_SPEC], architectures)
    assert all(torch.equal(v, state[n]) for n, v in loaded.network.state_dict().items())


def test_tta_runs_are_read_by_their_old_key():
    table = json.loads(replace(FACE_SPEC, tta_runs=3).to_json())
    old = {("looks" if key == "tta_runs" else key): value for key, value in table.items()}
    assert "looks" in old
    assert ModelSpec.from_json(json.dumps(old)).tta_runs == 3


def test_the_shipped_point_model_has_three_tta_runs():
    assert load_model("face-points").spec.tta_runs == 3
