"""The checks of an installation, and their output."""

import json
import sys

import pytest
from click.testing import CliRunner

from kpviewer.cli.main import main
from kpviewer.installation import checks as installation
from kpviewer.installation import qt_libraries
from kpviewer.installation.checks import Check, State


def test_one_flavour_of_opencv_is_ok():
    check = installation.check_opencv({"opencv-python": "5.0"}.get)
    assert (check.state, check.found) == (State.OK, "opencv-python 5.0")


def test_two_flavours_of_opencv_are_a_problem_with_its_cure():
    versions = {"opencv-python": "5.0", "opencv-python-headless": "4.12"}
    check = installation.check_opencv(versions.get)
    assert check.state is State.PROBLEM
    assert "pip uninstall opencv-python opencv-python-headless" in check.cure


def test_a_missing_package_is_reported_with_its_installation():
    check = installation.check_package("av", lambda _name: None)
    assert (check.state, check.cure) == (State.PROBLEM, "pip install av")


def test_kpviewer_itself_is_installed_from_its_checkout():
    check = installation.check_package("kpviewer", lambda _name: None)
    assert check.cure == "pip install . (in a checkout of kpviewer)"


def test_a_display_that_does_not_answer_is_not_ok(monkeypatch):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(qt_libraries, "is_x11_reachable", lambda: False)
    check = installation.check_display()
    assert (check.state, check.found) == (State.NOTE, ":77 can't be opened")
    monkeypatch.setattr(qt_libraries, "is_x11_reachable", lambda: True)
    check = installation.check_display()
    assert (check.state, check.found, check.cure) == (State.OK, ":77", "")


def test_the_threads_are_those_that_kpviewer_uses(monkeypatch):
    monkeypatch.setattr(installation, "available_cores", lambda: 64)
    monkeypatch.setattr(installation, "cpu_threads", lambda: 8)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert installation.check_device().found.startswith("CPU, 64 cores, 8 threads")


def test_a_missing_openvino_is_no_problem():
    assert installation.check_openvino({"openvino": "2026.4"}.get).found == "2026.4"
    check = installation.check_openvino(lambda _name: None)
    assert check.state is State.NOTE
    assert 'pip install "kpviewer[openvino]"' in check.cure


def test_one_onnxruntime_is_ok():
    check = installation.check_onnxruntime({"onnxruntime-gpu": "1.32"}.get)
    assert (check.state, check.found) == (State.OK, "onnxruntime-gpu 1.32")


@pytest.mark.parametrize(
    ("versions", "cure"),
    [
        ({}, "pip install onnxruntime"),
        ({"onnxruntime": "1.32", "onnxruntime-gpu": "1.32"}, "pip uninstall onnxruntime, then"),
    ],
)
def test_none_or_two_onnxruntimes_are_a_problem_with_its_cure(versions, cure):
    check = installation.check_onnxruntime(versions.get)
    assert check.state is State.PROBLEM
    assert cure in check.cure


def test_a_folder_that_can_be_made_is_ok(tmp_path):
    folder = tmp_path / "new" / "videos"
    assert installation.check_folder("video folder", folder).state is State.OK
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_a_problem(tmp_path):
    path = tmp_path / "videos"
    path.write_text("")
    check = installation.check_folder("video folder", path)
    assert check.state is State.PROBLEM
    assert str(path) in check.cure


def test_a_camera_that_the_user_may_not_read_is_a_problem(tmp_path):
    check = installation.check_cameras([tmp_path / "video0"])
    assert check.state is State.PROBLEM
    assert "usermod" in check.cure


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """Return the checks that the command finds."""
    checks = [
        Check("python", State.OK, "3.11"),
        Check("display", State.NOTE, "none", "It runs without a window."),
    ]
    monkeypatch.setattr(installation, "all_checks", lambda: checks)
    return checks


def test_a_working_installation_exits_with_0(found):
    result = CliRunner().invoke(main, ["checks"])
    assert result.exit_code == 0
    assert "-> It runs without a window." in result.output


def test_a_problem_exits_with_1_and_shows_its_cure(found):
    found.append(Check("av", State.PROBLEM, "not installed", "pip install av"))
    result = CliRunner().invoke(main, ["checks"])
    assert result.exit_code == 1
    assert "-> pip install av" in result.output


def test_json_holds_every_check(found):
    result = CliRunner().invoke(main, ["checks", "--json"])
    report = json.loads(result.output)
    assert report["ok"] is True
    assert report["checks"][1] == {
        "name": "display",
        "state": "note",
        "found": "none",
        "cure": "It runs without a window.",
    }
    assert len(report["checks"]) == len(found)
