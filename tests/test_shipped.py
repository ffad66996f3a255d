"""Shipped weights are found in a wheel and in a checkout."""

from pathlib import Path

import pytest

from kpviewer import shipped
from kpviewer.errors import WeightsError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kpviewer"
    folder.mkdir()
    monkeypatch.setattr(shipped, "__file__", str(folder / "shipped.py"))
    return folder


def test_a_checkout_has_them_beside_the_package(package):
    beside = package.parent / "weights"
    beside.mkdir()
    assert shipped.shipped_weights_dir() == beside


def test_a_wheel_has_them_inside_the_package(package):
    (package.parent / "weights").mkdir()
    inside = package / "weights"
    inside.mkdir()
    assert shipped.shipped_weights_dir() == inside


def test_a_broken_installation_is_an_error(package):
    with pytest.raises(WeightsError, match="Reinstall kpviewer"):
        shipped.shipped_weights_dir()
