"""Settings of version 0.1, and files that were edited by hand, are still read."""

from dataclasses import replace
from pathlib import Path

import pytest

from kpviewer.config.files import read_settings, settings_path
from kpviewer.config.settings import Settings
from kpviewer.gui.opening import cameras
from kpviewer.gui.settings.remembered import kept_folder, style_of
from kpviewer.gui.settings.store import SettingsStore


def test_a_display_setting_of_an_older_version_is_kept():
    assert style_of({"truth": False}).ground_truth is False
    assert style_of({"truth": 3, "other": True}).ground_truth is True


def test_the_switches_of_an_older_version_are_kept():
    style = style_of({"follow": True, "blur": True, "smooth": True})
    assert style.tracks
    assert style.anonymise
    assert style.smooth_landmarks


@pytest.mark.parametrize("name", ["", "~a-user-that-is-not-here/films", 3, True])
def test_a_folder_that_can_not_be_is_the_usual_one(name):
    assert kept_folder({"folder": name}) is None


def test_a_folder_of_the_home_folder_may_be_written_short(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert kept_folder({"folder": "~/films"}) == tmp_path / "films"
    assert kept_folder({}) is None


def test_a_format_that_is_none_is_not_asked_of_a_camera(monkeypatch):
    camera = cameras.Device("0", "Webcam", "usb-1")
    monkeypatch.setattr(cameras, "find_cameras", lambda: (camera,))
    for kept, source in (("640x480@30:MJPG", "0:640x480@30:MJPG"), ("large", "0")):
        settings = Settings(camera_formats={"usb-1": kept})
        assert cameras.in_kept_format("0", settings) == source


def test_a_file_that_is_damaged_while_the_window_is_open_is_kept_and_reported(tmp_path):
    store = SettingsStore(tmp_path)
    settings_path(tmp_path).write_text("theme = ")
    store.edit(lambda settings: replace(settings, theme="light"))
    store.flush()
    assert "can't be read" in (store.problem or "")
    assert Path(tmp_path / "settings.kept-1.toml").read_text() == "theme = "
    assert read_settings(settings_path(tmp_path)).settings.theme == "light"
