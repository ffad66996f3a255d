"""Settings survive their file, and no file stops the start."""

import os
import tomllib
from pathlib import Path

import pytest

from kpviewer.config import files as config_files
from kpviewer.config.files import (
    delete_all_settings,
    delete_profile,
    peek_settings,
    profile_names,
    read_profile,
    read_settings,
    settings_path,
    write_profile,
    write_settings,
)
from kpviewer.config.settings import (
    MAX_RECENT,
    ModelSettings,
    RecentItems,
    Settings,
    WindowSettings,
    from_table,
    to_table,
)
from kpviewer.errors import KpviewerError
from kpviewer.structures import NmsKind

EVERYTHING = Settings(
    model="/models/mine.safetensors",
    device="cuda:0",
    theme="light",
    camera="Logitech, HD",
    display={"labels": False, "scale": 1.5},
    panels={"plots": False, "side": True},
    recording={"folder": "/videos/lab", "with_results": True},
    thresholds={
        "face-ssd": ModelSettings(
            score=0.625,
            iou=0.25,
            nms=NmsKind.SOFT_LINEAR,
            sigma=0.75,
            class_scores={"face": 0.5},
            hidden=("mask",),
        ),
        'a "model" in. 中文': ModelSettings(score=0.125),
    },
    window=WindowSettings(1000, 700, is_maximized=True),
    recent=RecentItems(("/a.mp4", "rtsp://cam/1"), ("/m.onnx",)),
    unknown={"from_the_future": {"x": [1, 2]}},
)


def test_everything_comes_back(tmp_path):
    path = settings_path(tmp_path / "not" / "there yet")
    write_settings(path, EVERYTHING)
    reading = read_settings(path)
    assert reading.settings == EVERYTHING
    assert reading.problem is None
    assert os.listdir(path.parent) == ["settings.toml"]


def test_file_holds_only_what_was_changed(tmp_path):
    path = settings_path(tmp_path)
    write_settings(path, Settings(device="cpu", thresholds={"m": ModelSettings()}))
    assert tomllib.loads(path.read_text()) == {"version": 1, "device": "cpu"}


def test_no_file_is_no_problem(tmp_path):
    reading = read_settings(settings_path(tmp_path))
    assert (reading.settings, reading.problem) == (Settings(), None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"model = ", "can't be read"),
        (b"\xff\xfe\x00", "can't be read"),
        (b"a = " + b"[" * 5000, "can't be read"),
        (b"version = 2\nmodel = 3", "newer version (2)"),
        (b"version = 'new'", "newer version (new)"),
        (b"#" * (4 * 1024**2 + 1), "larger than 4 MB"),
    ],
)
def test_damaged_or_newer_file_is_moved_aside(tmp_path, content, message):
    path = settings_path(tmp_path)
    for number in (1, 2):  # earlier files are not overwritten
        path.write_bytes(content)
        reading = read_settings(path)
        assert reading.settings == Settings()
        assert message in reading.problem
        assert "\n" not in reading.problem
        kept = tmp_path / f"settings.kept-{number}.toml"
        assert str(kept) in reading.problem
        assert kept.read_bytes() == content
    assert not path.exists()
    assert not reading.must_not_overwrite


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_in_place_of_the_file_does_not_block(tmp_path):
    path = settings_path(tmp_path)
    os.mkfifo(path)
    assert peek_settings(path) == Settings()
    reading = read_settings(path)
    assert reading.settings == Settings()
    assert "isn't a regular file" in reading.problem
    assert not path.exists()  # moved aside


def test_file_that_cannot_be_moved_is_not_overwritten(tmp_path, monkeypatch):
    path = settings_path(tmp_path)
    path.write_text("=")

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", fail)
    reading = read_settings(path)
    assert reading.must_not_overwrite
    assert "nothing is remembered" in reading.problem


@pytest.mark.parametrize(
    "text",
    [
        "theme = 3",
        "model = ''",
        "display = 3",
        "display.scale = nan",
        "panels.side = 1",
        "window.width_px = 0",
        "window.height_px = 700.5",
        "window.height_px = true",
        "window.is_maximized = 'yes'",
        "recent.sources = 'a.mp4'",
        "recent.models = [1]",
        "recent.models = ['']",
        "window = 'wide'",
        "window.left_px = 100_000",
        "camera_formats.id = ''",
        "recording.folder = []",
        "thresholds.m.score = 1.5",
        "thresholds.m.score = true",
        "thresholds.m.iou = nan",
        "thresholds.m.nms = 'soft'",
        "thresholds.m.nms = []",
        "thresholds.m.sigma = 0",
        "thresholds.m.class_scores.face = -0.1",
        "thresholds.m.hidden = 3",
        "thresholds = 3",
        "thresholds.m = 3",
        "thresholds.m.class_scores = 0.5",
    ],
)
def test_a_value_that_is_not_valid_is_left_out_alone(tmp_path, text):
    path = settings_path(tmp_path)
    path.write_text(f"{text}\ncamera = 'C920'\n")
    if "." in text.partition("=")[0]:
        path.write_text(f"camera = 'C920'\n{text}\n")
    reading = read_settings(path)
    assert text.partition(" ")[0] in reading.problem
    assert "\n" not in reading.problem
    assert path.exists()
    settings, again = from_table(to_table(reading.settings))
    assert not again
    assert settings == Settings(camera="C920")


def test_valid_values_beside_a_wrong_one_are_kept(tmp_path):
    path = settings_path(tmp_path)
    path.write_text(
        "[thresholds.m]\nscore = 2\niou = 1\nhidden = ['b', 'a', 'b']\nnew = 1\n"
        "class_scores = {face = 0.5, mask = 5}\n"
    )
    reading = read_settings(path)
    assert reading.settings.for_model("m") == ModelSettings(
        iou=1.0, class_scores={"face": 0.5}, hidden=("b", "a")
    )
    assert "thresholds.m.score, thresholds.m.class_scores.mask" in reading.problem


def test_only_the_newest_recent_items_are_read():
    table = {"recent": {"sources": [f"/{number}.mp4" for number in range(MAX_RECENT + 5)]}}
    assert len(from_table(table)[0].recent.sources) == MAX_RECENT


def test_broken_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = settings_path(tmp_path)
    write_settings(path, Settings(model="old"))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(config_files.os, "replace", fail)
    with pytest.raises(KpviewerError, match="No space left"):
        write_settings(path, Settings(model="new"))
    assert read_settings(path).settings.model == "old"
    assert os.listdir(tmp_path) == ["settings.toml"]


def test_name_of_odd_bytes_does_not_break_the_file(tmp_path):
    path = settings_path(tmp_path)
    odd = os.fsdecode(b"/videos/\xff.mp4")
    write_settings(path, Settings(recording={"folder": odd}, recent=RecentItems((odd, "/b.mp4"))))
    assert read_settings(path).settings == Settings(recent=RecentItems(("/b.mp4",)))


def test_profiles_are_saved_listed_and_deleted(tmp_path):
    write_profile(tmp_path, "Lab 2 (night)", EVERYTHING)
    write_profile(tmp_path, "bench", Settings(device="cpu"))
    assert profile_names(tmp_path) == ["bench", "Lab 2 (night)"]
    profile = read_profile(tmp_path, "Lab 2 (night)").settings
    assert profile.thresholds == EVERYTHING.thresholds
    assert profile.recent == RecentItems()
    assert profile.window == WindowSettings()
    delete_profile(tmp_path, "bench")
    delete_profile(tmp_path, "bench")
    assert profile_names(tmp_path) == ["Lab 2 (night)"]


def test_profile_leaves_recent_items_and_window(tmp_path):
    write_profile(tmp_path, "bench", Settings(device="cpu"))
    loaded = EVERYTHING.with_profile(read_profile(tmp_path, "bench").settings)
    assert (loaded.device, loaded.model) == ("cpu", None)
    assert loaded.recent == EVERYTHING.recent
    assert loaded.window == EVERYTHING.window


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "a/b", "a\\b", ".hidden", "a:b", "end.", "end ", "CON", "x" * 61]
)
def test_name_that_is_no_file_name_everywhere_is_refused(tmp_path, name):
    with pytest.raises(KpviewerError, match="name must be"):
        write_profile(tmp_path, name, Settings())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a", "labor", "中文", "Lab-2, (left) v1.0+"])
def test_usual_names_are_accepted(tmp_path, name):
    write_profile(tmp_path, name, Settings(device="cpu"))
    assert profile_names(tmp_path) == [name]
    assert read_profile(tmp_path, name).settings.device == "cpu"


def test_missing_profile_error_names_the_existing_ones(tmp_path):
    with pytest.raises(KpviewerError, match="none yet"):
        read_profile(tmp_path, "x")
    write_profile(tmp_path, "bench", Settings())
    with pytest.raises(KpviewerError, match="There are: bench"):
        read_profile(tmp_path, "x")


def test_damaged_profile_is_an_error(tmp_path):
    write_profile(tmp_path, "bench", Settings())
    config_files.profile_path(tmp_path, "bench").write_text("=")
    with pytest.raises(KpviewerError, match=r"can't be read .* It isn't used; the file is kept as"):
        read_profile(tmp_path, "bench")
    assert profile_names(tmp_path) == []


def test_profile_that_can_not_be_moved_aside_is_an_error_too(tmp_path, monkeypatch):
    write_profile(tmp_path, "bench", Settings(device="cpu"))
    path = config_files.profile_path(tmp_path, "bench")
    path.write_text(path.read_text().replace("version = 1", "version = 2"))

    def fail(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(KpviewerError, match=r"newer version \(2\)\. It isn't used\.$"):
        read_profile(tmp_path, "bench")


def test_values_of_a_profile_that_are_not_valid_are_named(tmp_path):
    write_profile(tmp_path, "bench", Settings(device="cpu"))
    path = config_files.profile_path(tmp_path, "bench")
    path.write_text(path.read_text() + "theme = 3\n")
    reading = read_profile(tmp_path, "bench")
    assert reading.settings == Settings(device="cpu")
    assert reading.problem == "bench.toml: ignored values that are not valid: theme."


def test_deleting_all_settings_deletes_nothing_else(tmp_path):
    folder = tmp_path / "kpviewer"
    write_settings(settings_path(folder), Settings(device="cpu"))
    write_profile(folder, "bench", Settings())
    (folder / "settings.kept-1.toml").write_text("=")
    (folder / "serve.pem").write_text("a certificate")
    (folder / "notes.txt").write_text("mine")
    removed = delete_all_settings(folder)
    assert [path.name for path in removed] == [
        "bench.toml",
        "serve.pem",
        "settings.kept-1.toml",
        "settings.toml",
    ]
    assert os.listdir(folder) == ["notes.txt"]
    assert delete_all_settings(folder) == []
    (folder / "notes.txt").unlink()
    delete_all_settings(folder)
    assert not folder.exists()


def test_settings_with_a_name_that_is_no_text_are_written_and_read(tmp_path):
    path = settings_path(tmp_path)
    write_settings(path, Settings(theme="dark", recording={"folder": "/film-\udce9"}))
    reading = read_settings(path)
    assert reading.problem is None
    assert reading.settings.theme == "dark"
