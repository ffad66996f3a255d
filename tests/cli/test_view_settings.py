"""``kpviewer --profile`` and ``--reset``, and which commands touch the user's settings."""

import os

import pytest
from click.testing import CliRunner

from kpviewer.cli import main, view
from kpviewer.config import files as config_files
from kpviewer.config.files import (
    cache_folder,
    proposals_folder,
    scans_folder,
    settings_path,
    write_profile,
    write_settings,
)
from kpviewer.config.settings import Settings
from kpviewer.gui import app
from kpviewer.installation import qt_libraries


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a settings folder for this test."""
    place = tmp_path / "kpviewer"
    monkeypatch.setattr(config_files, "settings_folder", lambda: place)
    return place


@pytest.fixture
def started(monkeypatch):
    calls = []
    monkeypatch.setattr(app, "run_viewer", lambda options, theme: calls.append(options) or 0)
    monkeypatch.setattr(qt_libraries, "needed_libraries", dict)
    return calls


def run(*words: str):
    return CliRunner().invoke(main.main, words)


def test_viewer_gets_the_options_that_the_command_line_sets(started, folder):
    assert run("demo", "--device", "cpu", "--theme", "dark").exit_code == 0
    (options,) = started
    assert options.settings_folder == folder
    assert {"sources", "device", "theme"} <= options.given
    assert "model" not in options.given
    assert not folder.exists()


def test_profile_reaches_the_viewer(started, folder):
    write_profile(folder, "Lab 2", Settings(device="cpu"))
    assert run("--profile", "Lab 2").exit_code == 0
    assert started[0].profile == "Lab 2"


def test_ground_truth_is_compared_with_the_model_that_the_window_begins_with(
    started, folder, tmp_path
):
    labels = tmp_path / "labels.csv"
    labels.write_text("file,class,x1,y1,x2,y2\na.png,tram,1,1,9,9\na.png,bus,1,1,9,9\n")
    words = ("demo", "--ground-truth", f"csv:{labels}")
    assert isinstance(run(*words).exception, SystemExit)
    assert "the model knows face" in run(*words).stderr
    write_settings(settings_path(folder), Settings(model="trams.onnx"))
    assert run(*words).exit_code == 0
    write_profile(folder, "Faces", Settings(model="face-ssd"))
    assert "the model knows face" in run(*words, "--profile", "Faces").stderr
    assert "the model knows face" in run(*words, "--model", "face-ssd").stderr
    assert len(started) == 1


def test_profile_that_is_not_there_is_a_usage_error(started, folder):
    write_profile(folder, "Lab 2", Settings())
    result = run("demo", "--profile", "Lab 3")
    assert result.exit_code == 2
    assert "There are: Lab 2." in result.output
    assert not started


def test_reset_deletes_scans_in_the_cache(folder):
    scans = scans_folder(cache_folder())
    scans.mkdir(parents=True)
    (scans / "a.kpv").write_bytes(b"names of files")
    (scans / "notes.txt").write_text("not ours")
    assert "a.kpv" in run("--reset").output
    assert [path.name for path in scans.iterdir()] == ["notes.txt"]


def test_reset_deletes_proposals_in_the_cache(folder):
    kept = proposals_folder(cache_folder())
    kept.mkdir(parents=True)
    (kept / "a.proposals").write_bytes(b"")
    assert "a.proposals" in run("--reset").output
    assert not kept.exists()


def test_reset_deletes_the_graphs_of_an_older_version(folder):
    kept = cache_folder() / "graphs"
    for name in ("graph.xml", "graph.bin"):
        (kept / "1f").mkdir(parents=True, exist_ok=True)
        (kept / "1f" / name).write_bytes(b"")
    assert "graph.bin" in run("--reset").output
    assert not kept.exists()


def test_reset_deletes_all_settings_and_lists_them(started, folder):
    write_settings(settings_path(folder), Settings(device="cpu"))
    write_profile(folder, "bench", Settings())
    result = run("--reset")
    assert result.exit_code == 0
    assert f"Removed {settings_path(folder)}" in result.output
    assert "bench.toml" in result.output
    assert not folder.exists()
    assert not started
    assert "There are no settings" in run("--reset").output


def test_without_a_display_settings_are_left_alone(started, folder, monkeypatch):
    settings_path(folder).parent.mkdir()
    settings_path(folder).write_text("damaged =")
    monkeypatch.setattr(view, "has_display", lambda: False)
    monkeypatch.setattr("kpviewer.cli.process.process_sources", lambda *_: 0)
    result = run("demo", "--profile", "bench")
    assert result.exit_code == 0, result.output
    assert "--profile is ignored" in result.output
    assert os.listdir(folder) == ["settings.toml"]


def test_several_sources_are_for_a_grid(started, folder):
    assert run("0", "clip.mp4", "rtsp://host/1").exit_code == 0
    assert started[0].sources == ("0", "clip.mp4", "rtsp://host/1")
    assert started[0].source is None


def test_more_sources_than_a_grid_shows_are_a_usage_error(started, folder):
    result = run(*("demo" for _ in range(17)))
    assert result.exit_code == 2
    assert "A grid shows at most 16 sources, got 17." in result.output
    assert not started


@pytest.mark.parametrize("option", ["--compare", "--ground-truth"])
def test_what_needs_one_source_is_refused_for_several(started, folder, option):
    result = run("a.mp4", "b.mp4", option, "x")
    assert result.exit_code == 2
    assert f"{option} needs a single source, got 2." in result.output
