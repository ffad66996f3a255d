"""Annotations are found under the names that label tools give them."""

from pathlib import Path

import pytest

from kpviewer.annotations.beside import spec_of_file, truth_beside


def folder_with(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return root


@pytest.mark.parametrize(
    ("files", "source", "expected"),
    [
        (["a.jpg", "annotations.json"], "", "coco:{0}/annotations.json:{0}"),
        (["a.jpg", "labels.csv"], "", "csv:{0}/labels.csv:{0}"),
        (["images/a.jpg", "annotations.json"], "images", "coco:{0}/annotations.json:{0}/images"),
        (["a.jpg", "a.xml"], "", "voc:{0}"),
        (["JPEGImages/a.jpg", "Annotations/a.xml"], "JPEGImages", "voc:{0}"),
        (["a.jpg", "a.txt", "classes.txt"], "", "yolo:{0}"),
        (["images/a.jpg", "labels/a.txt"], "images", "yolo:{0}"),
        (["a.jpg", "a.pts"], "", "pts:{0}"),
        (["a.jpg", "a.xml", "b.jpg"], "a.jpg", "voc:{0}"),
        (["a.mp4", "a_truth.csv"], "a.mp4", "csv:{0}/a_truth.csv"),
        (["a [1].jpg", "a [1].xml"], "a [1].jpg", "voc:{0}"),
        (["a.jpg", "._a.xml", "a.pts"], "", "pts:{0}"),
    ],
)
def test_truth_is_found(tmp_path: Path, files: list[str], source: str, expected: str) -> None:
    root = folder_with(tmp_path, *files)
    assert truth_beside(root / source) == expected.format(root)


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["a.jpg"], ""),
        (["a.jpg", "notes.txt"], ""),  # texts without names of classes are no labels
        (["a.jpg", "classes.txt"], ""),
        (["a.jpg", "b.xml"], "a.jpg"),  # another picture's
        (["a.mp4", "a.json", "a.csv"], "a.mp4"),  # what a recording wrote
        (["b/a.jpg", "annotations.json"], "b"),  # of something else beside it
    ],
)
def test_what_is_no_truth_is_left_alone(tmp_path: Path, files: list[str], source: str) -> None:
    assert truth_beside(folder_with(tmp_path, *files) / source) is None


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("set.json", "coco:set.json"),
        ("set.csv", "csv:set.csv"),
        ("Annotations/a.xml", "voc:."),
        ("loose/a.xml", "voc:loose"),
        ("labels/a.txt", "yolo:."),
        ("loose/a.pts", "pts:loose"),
        ("set/data.yaml", "yolo:set"),
        ("film.avi", "film.avi"),
    ],
)
def test_a_file_of_labels_stands_for_its_set(file: str, expected: str) -> None:
    assert spec_of_file(Path(file)) == expected


def test_a_table_tells_of_the_pictures_that_are_watched(tmp_path: Path) -> None:
    assert spec_of_file(Path("set.json"), tmp_path) == f"coco:set.json:{tmp_path}"
    assert spec_of_file(Path("set.json"), tmp_path / "film.mp4") == "coco:set.json"
