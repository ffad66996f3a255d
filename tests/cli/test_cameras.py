"""``kpviewer cameras``."""

import json

import pytest
from click.testing import CliRunner

from kpviewer.cli.cameras import command
from kpviewer.sources import camera
from kpviewer.sources.camera import Camera

FOUND = [Camera(0, "Webcam", "/dev/video0"), Camera(2, "Microscope", None)]


def test_cameras_are_listed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "list_cameras", lambda: FOUND)
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    assert result.output.splitlines() == ["0  Webcam  (/dev/video0)", "2  Microscope"]


def test_the_json_list_has_index_name_and_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "list_cameras", lambda: FOUND)
    result = CliRunner().invoke(command, ["--json"])
    assert json.loads(result.output) == [
        {"index": 0, "name": "Webcam", "path": "/dev/video0"},
        {"index": 2, "name": "Microscope", "path": None},
    ]


def test_no_camera_is_said_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "list_cameras", list)
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    assert "kpviewer demo" in result.output
    assert CliRunner().invoke(command, ["--json"]).output.strip() == "[]"
