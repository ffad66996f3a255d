"""State dicts: tensors that fit an architecture are taken, everything else is refused unopened."""

import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.face_ssd import FACE_SPEC, build_face_ssd
from kpviewer.models.loading import open_model
from kpviewer.models.spec import ModelSpec
from kpviewer.models.state_dict import open_state_dict, read_state_dict

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
def test_a_fitting_state_dict_is_taken(detector: Detector, tmp_path: Path, wrap) -> None:
    path = tmp_path / "face.pth"
    torch.save(wrap(detector.network.state_dict()), path)
    two = replace(FACE_SPEC, name="two", class_names=("a", "b"))
    loaded = open_state_dict(path, [two, FACE_SPEC], ARCHITECTURES)
    assert loaded.spec is FACE_SPEC
    assert not loaded.network.training
    for name, value in detector.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)


def test_a_model_name_with_this_ending_is_opened_so(detector: Detector, tmp_path: Path) -> None:
    path = tmp_path / "face.pt"
    torch.save(detector.network.state_dict(), path)
    assert open_model(path).spec.architecture == "face-ssd"


def test_how_far_the_nearest_model_fits_is_told(detector: Detector, tmp_path: Path) -> None:
    path = tmp_path / "part.pth"
    state = detector.network.state_dict()
    first = next(iter(state))
    torch.save({first: state[first], "other": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=f"face-ssd, 1 of whose {len(state)} tensors"):
        open_state_dict(path, [FACE_SPEC], ARCHITECTURES)


def test_a_description_of_an_unknown_architecture_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"w": torch.zeros(2)}, path)
    unknown: list[ModelSpec] = [replace(FACE_SPEC, architecture="unknown")]
    with pytest.raises(WeightsError, match="the nearest is none"):
        open_state_dict(path, unknown, ARCHITECTURES)


def test_torchvisions_layout_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "ssd.pth"
    torch.save({"backbone.features.0.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"torchvision:NAME@ssd\.pth"):
        open_model(path)


class Trap:
    """A pickle of it would run code when it is opened."""

    def __init__(self, flag: Path) -> None:
        self._flag = flag

    def __reduce__(self):
        return Path.touch, (self._flag,)


def test_a_pickle_that_runs_code_is_refused_unopened(tmp_path: Path) -> None:
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
def test_odd_values_are_refused(tmp_path: Path, value: object, reason: str) -> None:
    path = tmp_path / "odd.pth"
    torch.save(value, path)
    with pytest.raises(WeightsError, match=reason):
        read_state_dict(path)


def test_an_archive_that_swells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(4_000_000))
    with pytest.raises(WeightsError, match="unpacks from"):
        read_state_dict(path)


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cut\.pth"):
        read_state_dict(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="must exist"):
        open_model(tmp_path / "none.pth")


def test_real_files_of_others(shared_data: Path) -> None:
    folder = shared_data / "third_party_weights"
    assert len(read_state_dict(folder / "RBF_Final.pth")) == 258
    with pytest.raises(WeightsError, match="could run any code") as caught:
        open_model(folder / "face_mask_detection.pth")
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="fits no model"):
        open_model(folder / "version-RFB-320.pth")
