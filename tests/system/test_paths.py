"""Invalid file names are refused where they enter the program, in one line."""

import errno
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from kpviewer.annotations.spec import read_annotations, read_usable
from kpviewer.cli.json_output import write_json
from kpviewer.cli.main import main
from kpviewer.config import Settings
from kpviewer.config.files import (
    delete_all_settings,
    delete_cache,
    profile_path,
    read_settings,
    settings_path,
    write_settings,
)
from kpviewer.errors import DatasetError, KpviewerError, RecordingError, SourceError, WeightsError
from kpviewer.models.loading import open_model
from kpviewer.sources.open import make_source
from kpviewer.system.paths import make_folder, named_path, remove, trim_folder, write_atomically
from kpviewer.training.config import load_config

ODD = {
    "too long": "a" * 300,
    "too long with an ending": "a" * 300 + ".onnx",
    "too deep": "a/" * 3000 + "b.pt",
    "no such user": "~nosuchuser/x.pt",
    "NUL": "a\0b.safetensors",
    "no letter": "\ud800.onnx",
    "digits": "9" * 5000,
    "beyond a device": "/dev/null/x.pt",
}
odd = pytest.mark.parametrize("name", ODD.values(), ids=ODD.keys())


def one_line(error: pytest.ExceptionInfo[KpviewerError]) -> bool:
    text = str(error.value)
    return len(text) < 600 and text.count("\n") <= 1


@odd
def test_sources_models_data_and_recipes_refuse_it(name):
    for form in ("{}", "two-stage:face-ssd+{}", "torchvision:ssd300_vgg16@{}", "{}@640"):
        with pytest.raises(WeightsError) as error:
            open_model(form.format(name))
        assert one_line(error), form
    for form in ("{}", "coco:{}", "yolo:{}:train", "points:{}"):
        with pytest.raises(DatasetError) as error:
            read_annotations(form.format(name))
        assert one_line(error), form
    with pytest.raises(SourceError) as error:
        make_source(name)
    assert one_line(error)
    with pytest.raises(DatasetError) as error:
        load_config(name)
    assert one_line(error)


@pytest.mark.parametrize("name", ["too long", "NUL", "no letter", "no such user"])
@pytest.mark.parametrize(
    "words",
    [
        ("process", "demo", "--out"),
        ("eval", "--data", "yolo:x", "--json"),
        ("eval", "--data", "yolo:x", "--report"),
        ("bench", "--json"),
        ("view", "demo", "--record"),
        ("calibrate", "face-ssd", "--data", "yolo:x", "--out"),
        ("train", "face-ssd", "--data", "yolo:x", "--out"),
    ],
    ids=" ".join,
)
def test_options_that_name_a_file_refuse_it_before_anything_is_done(name, words):
    result = CliRunner().invoke(main, [*words, ODD[name]])
    assert result.exit_code == 2
    assert "can't be a file" in result.output


@pytest.mark.parametrize(("name", "said"), [("gone/a.json", "no folder"), (".", "Name a file")])
def test_scores_that_cannot_be_written_are_refused_before_the_work(tmp_path, name, said):
    words = ["eval", "--data", "yolo:x", "--json", str(tmp_path / name)]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, said in result.output) == (6, True)


def test_calibrated_weights_are_named_as_they_are_read(tmp_path):
    words = ["calibrate", "face-ssd", "--data", "yolo:x", "--out", str(tmp_path / "a.onnx")]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, "must be named .safetensors" in result.output) == (2, True)


def test_an_empty_name_is_no_folder_to_write_to():
    result = CliRunner().invoke(main, ["process", "demo", "--out", ""])
    assert result.exit_code == 2
    assert "can't be empty" in result.output


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400"])
@pytest.mark.parametrize(
    "words",
    [
        ("process", "demo", "--out", "o", "--conf"),
        ("process", "demo", "--out", "o", "--seconds"),
        ("view", "demo", "--iou"),
        ("view", "demo", "--seconds"),
        ("eval", "--data", "yolo:x", "--within"),
    ],
    ids=" ".join,
)
def test_numbers_must_be_finite(number, words):
    result = CliRunner().invoke(main, [*words, number])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "change",
    ["steps=many", "batch=[1]", "inputs=320", "milestones=0.5", "learning_rate=fast",
     "learning_rate=nan", "patience=x", "seed=1.5", f"steps={'9' * 5000}", "steps.x=1", "a"],
)  # fmt: skip
def test_values_of_a_recipe_have_their_type(change):
    with pytest.raises(DatasetError):
        load_config("light-ssd", [change])


def test_a_missing_path_is_accepted(tmp_path):
    assert named_path(tmp_path / "x" / "y.onnx", WeightsError) == tmp_path / "x" / "y.onnx"
    assert named_path("~/x", WeightsError) == Path.home() / "x"


@pytest.mark.skipif(os.name == "nt", reason="files of Linux")
def test_an_error_explains_why_a_folder_cannot_be_created():
    with pytest.raises(RecordingError, match="not a directory"):
        make_folder(Path("/dev/null/x"), RecordingError)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_settings_that_are_a_link_stay_one(tmp_path):
    target, link = tmp_path / "dotfiles" / "kpviewer.toml", tmp_path / "settings.toml"
    link.symlink_to(target)
    write_settings(link, Settings(theme="dark"))
    assert link.is_symlink()
    assert read_settings(target).settings.theme == "dark"


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_full_disk_leaves_the_json_of_the_run_before(tmp_path):
    import resource  # noqa: PLC0415 - Windows lacks it

    path, link = tmp_path / "scores.json", tmp_path / "link.json"
    link.symlink_to(path)
    umask = os.umask(0o027)
    try:
        write_json(str(link), {"AP": 1})
    finally:
        os.umask(umask)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(RecordingError, match="can't be written"):
            write_json(str(link), {"AP": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert json.loads(path.read_text()) == {"AP": 1}
    assert sorted(os.listdir(tmp_path)) == ["link.json", "scores.json"] and link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    write_json(os.devnull, {"AP": 1})


def test_json_is_written_in_place_where_a_file_cannot_be_replaced(tmp_path, monkeypatch):
    def refuse(_source: object, _target: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")  # as for a file that is a mount

    path = tmp_path / "scores.json"
    path.write_text("{}")
    monkeypatch.setattr(os, "replace", refuse)
    write_json(str(path), {"AP": 1})
    assert json.loads(path.read_text()) == {"AP": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_data_set_may_name_invalid_image_files(tmp_path):
    images = [{"id": n, "file_name": name, "width": 9, "height": 9}
              for n, name in enumerate(("a" * 300 + ".png", "b\0.png", "c.png"))]  # fmt: skip
    objects = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 3, 3]} for n in range(3)]
    categories = [{"id": 1, "name": "cat"}]
    table = {"images": images, "annotations": objects, "categories": categories}
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(table), "utf-8")
    assert len(read_usable(f"coco:{path}")) >= 1  # the others are reported
    result = CliRunner().invoke(main, ["check-data", f"coco:{path}"])
    assert result.exit_code == 5
    assert "fault of kpviewer" not in result.output


def write_and_be_killed(monkeypatch: pytest.MonkeyPatch, path: Path) -> Path:
    """Return the unfinished file that a process leaves if it is killed while it writes."""

    def killed(*_given):
        raise PermissionError

    before = set(path.parent.glob("*"))
    with monkeypatch.context() as patch, pytest.raises(PermissionError):
        patch.setattr(os, "replace", killed)
        patch.setattr(os, "unlink", killed)
        write_atomically(path, b"new")
    (left,) = set(path.parent.glob("*")) - before
    return left


def test_what_a_killed_process_left_counts_in_a_folder_that_is_trimmed(monkeypatch, tmp_path):
    left = write_and_be_killed(monkeypatch, tmp_path / "a.compiled")
    os.utime(left, (1, 1))
    write_atomically(tmp_path / "b.compiled", b"whole")
    (tmp_path / ".mine.compiled").write_bytes(b"")
    assert trim_folder(tmp_path, ".compiled", 5) == [left]


def test_what_a_killed_process_left_is_deleted_with_the_rest(monkeypatch, tmp_path):
    settings, cache = tmp_path / "settings", tmp_path / "cache"
    left = [
        write_and_be_killed(monkeypatch, path)
        for path in (
            settings_path(settings),
            profile_path(settings, "night"),
            cache / "backends.json",
            cache / "compiled" / "a.compiled",
            cache / "proposals" / "a.proposals",
        )
    ]
    assert sorted([*delete_all_settings(settings), *delete_cache(cache)]) == sorted(left)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_removed_where_nothing_is(tmp_path, monkeypatch):
    """A read-only file system refuses to unlink even a file that isn't there."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    remove(tmp_path / "none.part")
    (tmp_path / "there.part").touch()
    with pytest.raises(OSError, match="Read-only"):
        remove(tmp_path / "there.part")
