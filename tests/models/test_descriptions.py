"""Wrong, hostile or odd descriptions: each is refused before anything is built."""

import json
import struct
from dataclasses import replace
from typing import Any

import pytest
import torch

from kpviewer.errors import WeightsError
from kpviewer.models import weights
from kpviewer.models.limits import MAX_CLASSES, MAX_KEYPOINTS, clean_name, is_writable
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.dry_run import check_runs, planned
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.spec import ModelSpec, Resize, Task, checked
from kpviewer.models.weights import load_model, save_weights

SPEC: dict[str, Any] = json.loads(FACE_SPEC.to_json())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("input_hw", [0, 64], r"input_hw\[0\] must be a whole number, at least 1, got 0"),
        ("input_hw", [-64, 64], "at least 1"),
        ("input_hw", [64], "must have 2 values, got 1"),
        ("input_hw", [64.5, 64], "a whole number, got 64.5"),
        ("input_hw", [True, 64], "got True"),
        ("input_hw", None, "must be a list, got None"),
        ("input_hw", [16_384, 16_384], "at most 16,777,216 pixels"),
        ("input_hw", [10**9, 10**9], "at most 16384"),
        ("input_hw", [250, 448], "multiples of the stride"),
        ("stride", 0, "stride must be a whole number, at least 1"),
        ("stride", 10**12, "at most 1024"),
        ("stride", None, 'resize "area" must have a stride'),
        ("mean", ["a", "b", "c"], "must be a number, got 'a'"),
        ("mean", [0, 10**400, 0], "out of range"),
        ("std", [0, 1, 1], "at least 1e-06"),
        ("score_threshold", 1.5, "at most 1,"),
        ("iou_threshold", "x", "must be a number"),
        ("skeleton", [[-1, 0]], "at least 0"),
        ("skeleton", [[0, 5]], "keypoints 0 to 4"),
        ("skeleton", [[0, 1, 2]], "must have 2 values"),
        ("skeleton", [[0, 1]] * 3_001, "at most 3000 values, got 3,001"),
        ("mirrored_keypoints", [0, 0, 1, 2, 3], "each keypoint once"),
        ("class_names", [], "at least 1 values, got 0"),
        ("class_names", [1], "must be text, got 1"),
        ("class_names", ["x" * 201], "at most 200 characters, got 201"),
        ("class_names", ["a\nb"], "line breaks"),
        ("class_names", ["a\u202eb"], "control characters"),
        ("class_names", ["c"] * (MAX_CLASSES + 1), "at most 10000 values"),
        ("keypoint_names", ["k"] * (MAX_KEYPOINTS + 1), "at most 1000 values"),
        ("keypoint_names", [], "doesn't go with 0 keypoint names"),
        ("architecture", {"a": 1}, "must be text"),
        ("task", "dance", "task must be one of detect, keypoints"),
        ("resize", "tile", "resize must be one of letterbox, area, edges, stretch"),
        ("activation_ranges", [["a", 2, 1]], "least value before the greatest"),
    ],
)
def test_a_wrong_value_is_refused_in_plain_words(field, value, message):
    with pytest.raises(WeightsError, match=message) as caught:
        ModelSpec.from_json(json.dumps({**SPEC, field: value}))
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        json.dumps(SPEC)[:-1] + ', "x": ' + '{"a":' * 50_000 + "1" + "}" * 50_001,
        json.dumps({**SPEC, "score_threshold": float("nan")}),
        json.dumps(SPEC).replace('"face"', r'"\ud800"'),
        json.dumps({**SPEC, "class_names": ["c"] * 1_000_000}),
    ],
    ids=["empty", "null", "cut", "deep", "deep inside", "nan", "half a character", "a million"],
)
def test_invalid_json_is_refused(text):
    with pytest.raises(WeightsError):
        ModelSpec.from_json(text)


def test_descriptions_with_values_from_elsewhere_are_checked_too():
    assert checked(FACE_SPEC, "x", "") == FACE_SPEC
    with pytest.raises(WeightsError, match=r"^x can't be used: skeleton\[0\]\[0\].*Fix it\.$"):
        checked(replace(FACE_SPEC, skeleton=((-1, -9),)), "x", "Fix it.")


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_can_be_planned_and_run_without_memory(name):
    points = {"face-ssd": 5, "strip-grid": 1, "strip-grid-single": 1}.get(name, 0)
    if "points" in name or "heatmap" in name or "hourglass" in name:
        points = 7
    is_fixed = name.startswith("ssd300")
    spec = ModelSpec(
        name=name,
        architecture=name,
        task=Task.DETECT_KEYPOINTS if points else Task.DETECT,
        class_names=("a", "b"),
        keypoint_names=tuple("abcdefg"[:points]),
        input_hw=(300, 300) if is_fixed else (64, 96),
        stride=None if is_fixed else 32,
    )
    plan = planned(ARCHITECTURES[name], spec)
    assert {value.device.type for value in plan.network.state_dict().values()} == {"meta"}
    check_runs(plan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "ssd300-vgg16", "input_hw": (320, 320)}, "can't run on inputs of 96x32"),
        ({"stride": 1}, "stride must be a multiple of 32"),
        (
            {"architecture": "fine-heatmap-light", "stride": None, "input_hw": (200, 448)},
            "can't run on inputs of 448x200",
        ),
        ({"architecture": "single-object-light"}, "predicts 1 classes and 0 keypoints"),
        (
            {
                "architecture": "light-ssd",
                "input_hw": (2048, 2048),
                "class_names": ("c",) * 5000,
                "keypoint_names": (),
                "task": Task.DETECT,
            },
            "too many classes or pixels",
        ),
    ],
)
def test_a_description_that_the_network_can_not_run_is_refused_before_it_is_built(changes, message):
    spec = replace(FACE_SPEC, resize=Resize.LETTERBOX, **changes)
    with pytest.raises(ValueError, match=message):
        check_runs(planned(ARCHITECTURES[spec.architecture], spec))


def test_weights_of_other_sizes_are_refused_before_the_network_is_built(tmp_path, monkeypatch):
    path = tmp_path / "face.safetensors"
    save_weights(build_face_ssd(), path, replace(FACE_SPEC, class_names=("c",) * MAX_CLASSES))
    devices = []

    def watched(spec: ModelSpec) -> Any:
        detector = build_face_ssd(spec)
        devices.extend(value.device.type for value in detector.network.state_dict().values())
        return detector

    monkeypatch.setattr(weights, "ARCHITECTURES", {"face-ssd": watched})
    with pytest.raises(WeightsError, match=r"must have shape \(30042,\)"):
        load_model(path)
    assert set(devices) == {"meta"}


def test_a_header_that_is_cut_or_odd_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    for header in (b'{"__metadata__":{"kpviewer":"{}"}}', b"[" * 5_000, b'{"a":' * 2_000, b""):
        path.write_bytes(struct.pack("<Q", len(header)) + header)
        with pytest.raises(WeightsError, match=r"x\.safetensors"):
            load_model(path)


def test_only_regular_files_are_model_files(tmp_path):
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    for name in (folder, "/dev/zero", "~nobody-of-that-name/x.safetensors", "x" * 300, "a\0b"):
        with pytest.raises(WeightsError):
            load_model(name)


def test_names_from_files_become_one_line():
    assert clean_name(" cat\r\n") == "cat"
    assert clean_name("a\x00\u202eb\ud800") == "a b"
    assert len(clean_name("x" * 1_000)) == 200
    assert is_writable("猫 Kätzchen 👩\u200d🔬\u3000")


def test_saved_descriptions_are_read_unchanged(tmp_path):
    path = tmp_path / "face.safetensors"
    save_weights(build_face_ssd(), path)
    assert load_model(path).spec == FACE_SPEC
    assert torch.isfinite(load_model(path).network.state_dict()["backbone.stem.0.weight"]).all()
