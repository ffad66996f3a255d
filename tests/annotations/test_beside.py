"""Annotations are found under the names that label tools give them."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.beside import ground_truth_beside, spec_of_file
from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.sources.opencv import cv2


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
        (["a.jpg", "_annotations.csv"], "", "csv:{0}/_annotations.csv:{0}"),
        (["images/a.jpg", "annotations.json"], "images", "coco:{0}/annotations.json:{0}/images"),
        (["data/a.jpg", "labels.json"], "data", "coco:{0}/labels.json:{0}/data"),
        (["a.jpg", "a.xml"], "", "voc:{0}"),
        (["JPEGImages/a.jpg", "Annotations/a.xml"], "JPEGImages", "voc:{0}"),
        (["a.jpg", "a.txt", "classes.txt"], "", "yolo:{0}"),
        (["images/a.jpg", "labels/a.txt"], "images", "yolo:{0}"),
        (["Images/A.JPG", "Labels/A.TXT"], "Images", "yolo:{0}"),
        (["a.jpg", "A.XML"], "", "voc:{0}"),
        (["a.jpg", "a.pts"], "", "pts:{0}"),
        (["a.jpg", "a.xml", "b.jpg"], "a.jpg", "voc:{0}"),
        (["a.mp4", "a_ground_truth.csv"], "a.mp4", "csv:{0}/a_ground_truth.csv"),
        (["images/a.jpg", "result.json"], "images", "coco:{0}/result.json:{0}/images"),
        (["images/a.jpg", "annotations/a.xml"], "images", "voc:{0}"),
        (["Images/a.jpg", "annots/a.xml"], "Images", "voc:{0}"),
        (
            ["images/t/a.jpg", "annotations/t/a.xml"],
            "images/t",
            "voc:{0}/annotations/t:{0}/images/t",
        ),
        (["images/t/a.jpg", "labels/t/a.txt"], "images/t", "yolo:{0}/labels/t:{0}/images/t"),
        (["t/images/a.jpg", "t/labels/a.txt"], "t/images", "yolo:{0}/t"),
        (["images/a.jpg", "labels/a.txt"], "images/a.jpg", "yolo:{0}/labels:{0}/images"),
        (["a.jpg", "a.txt", "pets.yaml"], "", "yolo:{0}"),
        (
            ["obj.names", "obj_train_data/a.jpg", "obj_train_data/a.txt"],
            "obj_train_data",
            "yolo:{0}/obj_train_data",
        ),
        (
            ["images/default/a.jpg", "annotations/instances_default.json"],
            "images/default",
            "coco:{0}/annotations/instances_default.json:{0}/images/default",
        ),
        (
            ["images/a.jpg", "annotations/instances_default.json"],
            "images",
            "coco:{0}/annotations/instances_default.json:{0}/images",
        ),
        (
            [
                "val2017/a.jpg",
                "annotations/captions_val2017.json",
                "annotations/instances_val2017.json",
                "annotations/instances_train2017.json",
            ],
            "val2017",
            "coco:{0}/annotations/instances_val2017.json:{0}/val2017",
        ),
        (["pics/a.jpg", "out/a.txt", "out/classes.txt"], "pics", "yolo:{0}/out:{0}/pics"),
        (["a.jpg", "out/a.txt", "out/classes.txt"], "", "yolo:{0}/out:{0}"),
        (["a [1].jpg", "a [1].xml"], "a [1].jpg", "voc:{0}"),
        (["a.jpg", "._a.xml", "a.pts"], "", "pts:{0}"),
    ],
)
def test_ground_truth_is_found(tmp_path, files, source, expected):
    root = folder_with(tmp_path, *files)
    assert ground_truth_beside(root / source) == expected.format(root)


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["a.jpg"], ""),
        (["a.jpg", "notes.txt"], ""),  # texts without names of classes are no labels
        (["a.jpg", "classes.txt"], ""),
        (["a.jpg", "b.xml"], "a.jpg"),  # another image's
        (["a.mp4", "a.json", "a.csv"], "a.mp4"),  # what a recording wrote
        (["pics/a.jpg", "out/b.txt", "out/classes.txt"], "pics"),  # labels of others
        (["pics/a.jpg", "x/a.jpg", "x/a.txt", "x/classes.txt"], "pics"),  # another set
        (["pics/a.jpg", "x/a.txt", "x/classes.txt", "y/a.txt", "y/classes.txt"], "pics"),
        (["val/a.jpg", "annotations/instances_train.json"], "val"),
        (["b/a.jpg", "annotations.json"], "b"),  # of something else beside it
        (["data/a.jpg", "result.json"], "data"),
    ],
)
def test_files_that_are_not_ground_truth_are_ignored(tmp_path, files, source):
    assert ground_truth_beside(folder_with(tmp_path, *files) / source) is None


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("set.json", "coco:set.json"),
        ("set.csv", "csv:set.csv"),
        ("Annotations/a.xml", "voc:."),
        ("loose/a.xml", "voc:loose"),
        ("labels/a.txt", "yolo:."),
        ("loose/a.pts", "pts:loose"),
        ("set/data.yaml", "yolo:set/data.yaml"),
        ("set/pets.yaml", "yolo:set/pets.yaml"),
        ("set/obj.data", "yolo:set/obj.data"),
        ("annots/a.xml", "voc:."),
        ("film.avi", "film.avi"),
        ("gt/gt.txt", "gt/gt.txt"),  # of MOT: refused by its name
        ("labels/agt.txt", "yolo:."),
    ],
)
def test_a_label_file_represents_its_set(file, expected):
    assert spec_of_file(Path(file)) == expected


def test_a_table_annotates_the_images_of_the_source(tmp_path):
    assert spec_of_file(Path("set.json"), tmp_path) == f"coco:set.json:{tmp_path}"
    assert spec_of_file(Path("set.json"), tmp_path / "film.mp4") == "coco:set.json"


def test_labels_in_another_folder_belong_to_the_images_of_the_source(tmp_path):
    (tmp_path / "pics").mkdir()
    for name, kind in (("a.txt", "yolo"), ("a.xml", "voc")):
        path = tmp_path / "out" / name
        assert spec_of_file(path, tmp_path / "pics") == f"{kind}:{tmp_path}/out:{tmp_path}/pics"
        assert (
            spec_of_file(tmp_path / "pics" / name, tmp_path / "pics") == f"{kind}:{tmp_path}/pics"
        )


XML = """<annotation><filename>a.jpg</filename><size><width>64</width><height>48</height></size>
<object><name>cat</name><bndbox><xmin>16</xmin><ymin>12</ymin><xmax>32</xmax><ymax>36</ymax></bndbox>
</object></annotation>"""


@pytest.mark.parametrize("is_absolute", [True, False])
@pytest.mark.parametrize("source", ["images/t", "images/t/a.jpg"])
@pytest.mark.parametrize(
    ("label", "text"),
    [("annotations/t/a.xml", XML), ("labels/t/a.txt", "0 0.375 0.5 0.25 0.5\n")],
)
def test_what_is_found_is_read_by_any_path_of_the_source(
    tmp_path, monkeypatch, label, text, source, is_absolute
):
    folder_with(tmp_path, "images/t/a.jpg", label)
    cv2.imwrite(str(tmp_path / "images/t/a.jpg"), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / label).write_text(text)
    (tmp_path / label).with_name("classes.txt").write_text("cat\n")
    monkeypatch.chdir(tmp_path)
    spec = ground_truth_beside(tmp_path / source if is_absolute else Path(source))
    assert spec is not None
    found = read_ground_truth(spec, ("cat",)).for_frame(0, "a.jpg", (64, 48))
    assert found is not None
    assert found.xyxy.tolist() == [[16, 12, 32, 36]]
