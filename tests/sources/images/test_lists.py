"""Images of folders and patterns, and notes on other files."""

import os
from pathlib import Path

import pytest

from kpviewer.sources.images.lists import fixed_folder, folder_with_images, images_among, matching

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"-")


def found(tmp_path: Path, pattern: str) -> list[str]:
    return sorted(path.relative_to(tmp_path).as_posix() for path in matching(tmp_path / pattern))


@pytest.mark.parametrize(
    "folder",
    ["photos [2023]", "a*b", "what?", "[abc]", "[]", "[!x]", "c[d]e/[f]", "**", "x[", "x]"],
)
def test_a_folder_is_taken_literally(tmp_path, folder):
    touch(
        tmp_path, f"{folder}/a.jpg", f"{folder}/b.png", "photos 2/c.jpg", "whatX/d.jpg", "a/e.jpg"
    )
    assert found(tmp_path, f"{folder}/*.jpg") == [f"{folder}/a.jpg"]
    assert fixed_folder(tmp_path / folder / "*.jpg") == tmp_path / folder


def test_a_name_that_does_not_exist_is_a_pattern(tmp_path):
    touch(tmp_path, "img1.jpg", "img2.jpg", "img[3].jpg", "sub/img1.jpg", ".hidden.jpg")
    assert found(tmp_path, "img[12].jpg") == ["img1.jpg", "img2.jpg"]
    assert found(tmp_path, "img[3].jpg") == ["img[3].jpg"]
    assert found(tmp_path, "img?.jpg") == ["img1.jpg", "img2.jpg"]
    assert found(tmp_path, "*.jpg") == ["img1.jpg", "img2.jpg", "img[3].jpg"]
    assert found(tmp_path, "*/*.jpg") == ["sub/img1.jpg"]
    assert found(tmp_path, "nothing/*.jpg") == []
    assert fixed_folder(tmp_path / "*" / "*.jpg") == tmp_path


def test_two_stars_are_any_depth_below_a_bracketed_folder_too(tmp_path):
    touch(tmp_path, "p [1]/a.jpg", "p [1]/q/b.jpg", "p [1]/q/[r]/c.jpg", "a.jpg")
    deep = ["p [1]/a.jpg", "p [1]/q/[r]/c.jpg", "p [1]/q/b.jpg"]
    assert found(tmp_path, "p [1]/**/*.jpg") == deep
    assert [name for name in found(tmp_path, "p [1]/**") if name.endswith(".jpg")] == deep


@needs_links
def test_images_below_links_that_lead_back_are_found_once(tmp_path):
    touch(tmp_path, "all/a.jpg", "all/sub/b.jpg", "elsewhere/c.jpg", "all/.hidden/d.jpg")
    (tmp_path / "all" / "linked").symlink_to(tmp_path / "elsewhere")
    for name in ("self", "sub/up", "sub/again", "linked/back", "nowhere"):
        target = "nowhere" if name == "nowhere" else tmp_path / "all"
        (tmp_path / "all" / name).symlink_to(target)
    images = ["all/a.jpg", "all/linked/c.jpg", "all/sub/b.jpg"]
    assert found(tmp_path, "all/**/*.jpg") == images
    assert [name for name in found(tmp_path, "all/**") if name.endswith(".jpg")] == images


def test_a_relative_pattern_stays_relative(tmp_path, monkeypatch):
    touch(tmp_path, "p [1]/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert matching(Path("p [1]/*.jpg")) == [Path("p [1]/a.jpg")]
    assert fixed_folder(Path("p [1]/*.jpg")) == Path("p [1]")


SHOWN = ("a.jpg", "B.JPG", "c.jfif", "d.jpe", "e.mpo", "f.apng", "g.gif", "h.jp2", "i.pnm", "j.dib")


def test_images_are_known_by_their_names(tmp_path):
    touch(tmp_path, *SHOWN, "._a.jpg", ".DS_Store", "Thumbs.db", "labels.csv", "sub.jpg/x.png")
    listed = images_among(sorted(tmp_path.iterdir()))
    assert {path.name for path in listed.paths} == set(SHOWN)
    assert listed.notes == ()


@pytest.mark.parametrize(
    "name",
    ["x.heic", "x.HEIF", "x.cr2", "x.dng", "x.raw", "x.jxl", "x.svg", "x.psd", "x.xyz"],
)
def test_files_that_cannot_be_shown_are_noted_with_count_and_first_name(tmp_path, name):
    touch(tmp_path, "a.jpg", name, f"z{name}", f"._{name}")
    assert images_among(sorted(tmp_path.iterdir())).notes == (
        f"2 of 3 files left out: not an image format that can be shown ({name} and 1 more)",
    )


def test_videos_beside_images_are_noted_as_sources_of_their_own(tmp_path):
    touch(tmp_path, "a.jpg", "b.mp4", "c.MOV", "d.heic", "._b.mp4")
    assert images_among(sorted(tmp_path.iterdir())).notes == (
        "2 of 3 files left out: videos, each a source of its own (b.mp4 and 1 more)",
        "1 of 2 files left out: not an image format that can be shown (d.heic)",
    )


def test_hidden_images_are_noted(tmp_path):
    touch(tmp_path, "a.jpg", ".b.jpg", ".c.txt")
    assert images_among(sorted(tmp_path.iterdir())).notes == (
        "1 of 2 images left out: their names start with a dot (.b.jpg)",
    )


def test_links_to_images_that_are_gone_are_noted(tmp_path):
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to("gone.jpg")
    assert images_among(sorted(tmp_path.iterdir())).notes == (
        "1 of 2 images left out: broken links or pipes (b.jpg)",
    )


def test_images_further_below_are_found_in_bounded_time(tmp_path):
    touch(tmp_path, "data.yaml", "labels/val/a.txt", "images/val/a.jpg", "images/train/b.jpg")
    assert folder_with_images([*tmp_path.iterdir()]) == tmp_path / "images" / "train"
    (tmp_path / "images" / "loop").symlink_to(tmp_path / "labels")
    (tmp_path / "labels" / "loop").symlink_to(tmp_path / "labels")
    assert folder_with_images([tmp_path / "labels"]) is None
