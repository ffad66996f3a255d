"""``kpviewer cameras``."""

import json

import pytest
from click.testing import CliRunner

from kpviewer.cli.cameras import command
from kpviewer.sources.devices import camera, screen
from kpviewer.sources.devices.camera import Camera
from kpviewer.sources.devices.screen import Screen

FOUND = [Camera(0, "Webcam", "/dev/video0", "046d:082d Webcam"), Camera(2, "Microscope", None)]


@pytest.fixture(autouse=True)
def no_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "list_screens", list)


def test_cameras_are_listed_by_name(monkeypatch):
    monkeypatch.setattr(camera, "list_cameras", lambda: FOUND)
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    assert result.output.splitlines() == ["0  Webcam  (/dev/video0)", "2  Microscope"]


def test_the_json_list_has_index_name_path_and_id(monkeypatch):
    monkeypatch.setattr(camera, "list_cameras", lambda: FOUND)
    result = CliRunner().invoke(command, ["--json"])
    assert json.loads(result.output) == [
        {"index": 0, "name": "Webcam", "path": "/dev/video0", "id": "046d:082d Webcam"},
        {"index": 2, "name": "Microscope", "path": None, "id": ""},
    ]


def test_a_missing_camera_is_reported_with_a_cure(monkeypatch):
    monkeypatch.setattr(camera, "list_cameras", list)
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    assert "kpviewer demo" in result.output
    assert CliRunner().invoke(command, ["--json"]).output.strip() == "[]"


def test_screens_are_listed_as_they_are_opened(monkeypatch):
    monkeypatch.setattr(camera, "list_cameras", lambda: FOUND)
    monkeypatch.setattr(screen, "list_screens", lambda: [Screen(1, "DP-1 (1920×1080)")])
    assert CliRunner().invoke(command).output.splitlines()[-1] == "screen:1  DP-1 (1920×1080)"
