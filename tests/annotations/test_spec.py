import json
import re

import cv2
import numpy as np
import pytest

from kpviewer.annotations.spec import FORMS, read_annotations, split_extra
from kpviewer.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    """A folder with one data set of each form."""
    image = {"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}
    coco = {"images": [image], "annotations": [], "categories": []}
    (tmp_path / "labels.json").write_text(json.dumps(coco))
    (tmp_path / "labels.csv").write_text("file,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4\n")
    (tmp_path / "a.xml").write_text("<annotation/>")
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    (tmp_path / "ImageSets/Main/val.txt").write_text("a")
    return tmp_path


@pytest.mark.parametrize(
    "spec",
    ["coco:{}/labels.json", "csv:{}/labels.csv", "voc:{}", "{}", "{}/labels.json", "{}/labels.csv"],
)
def test_each_form_is_read(folder, spec):
    read = read_annotations(spec.format(folder))
    assert [image.path for image in read.images] == [folder / "a.jpg"]


def test_text_after_the_path_goes_to_the_reader(folder):
    read = read_annotations(f"coco:{folder}/labels.json:{folder}/pictures")
    assert read.images[0].path == folder / "pictures" / "a.jpg"
    assert len(read_annotations(f"voc:{folder}:val")) == 1
    with pytest.raises(DatasetError, match="'train'"):
        read_annotations(f"voc:{folder}:train")


@pytest.mark.parametrize("spec", ["", "tiff:x", "nothing", "coco:", "notes.txt"])
def test_unknown_form_is_reported_with_those_there_are(spec):
    with pytest.raises(DatasetError, match="coco:FILE"):
        read_annotations(spec)


def test_path_with_a_colon_stays_whole(tmp_path):
    odd = tmp_path / "C:odd"
    odd.mkdir()
    assert split_extra(f"{odd}") == (str(odd), None)
    assert split_extra(f"{odd}:val") == (str(odd), "val")
    assert split_extra("none:val") == ("none:val", None)


def test_a_path_that_is_not_there_is_named_first():
    with pytest.raises(DatasetError, match=r"^There is no file or folder 'pets/data'\. Data must"):
        read_annotations("pets/data")


def test_an_absolute_path_that_is_gone_brings_no_list_of_forms(tmp_path):
    gone = tmp_path / "labels"
    with pytest.raises(DatasetError) as caught:
        read_annotations(str(gone))
    assert str(caught.value) == (
        f"There is no file or folder '{gone}'. Was it renamed, or is its disk not connected?"
    )


def test_a_folder_of_labels_is_yolo_without_names_of_classes(tmp_path):
    labels = tmp_path / "predict" / "labels"
    labels.mkdir(parents=True)
    (labels / "clip_1.txt").write_text("0 0.5 0.5 0.2 0.2\n")  # as save_txt writes them
    found = read_annotations(str(labels), of_source=True)
    assert found.class_names == ("0",)
    assert [image.path.name for image in found.images] == ["clip_1.txt"]
    assert found.images[0].targets.xyxy.tolist() == [pytest.approx([0.4, 0.4, 0.6, 0.6])]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("labels/a.txt", r"yolo:{}, or yolo:{}/labels/a\.txt if it lists images\."),
        ("val.txt", r"yolo:{}, or yolo:{}/val\.txt if it lists images\."),
        ("Annotations/a.xml", r"voc:{}\."),
        ("a.pts", r"pts:{}\."),
    ],
)
def test_one_file_of_a_set_is_refused_with_the_name_of_the_set(tmp_path, name, cure):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    cure = cure.replace("{}", re.escape(str(tmp_path)))
    with pytest.raises(DatasetError, match=rf"one file of a set\. Name the set: {cure}$"):
        read_annotations(str(tmp_path / name))


def test_the_home_folder_may_be_written_as_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    for spec in ("coco:~/labels.json", "~/labels.json", "coco:~/labels.json:~"):
        assert [image.path for image in read_annotations(spec).images] == [folder / "a.jpg"]


def test_every_kind_of_ground_truth_has_a_reader():
    kinds = (part.partition(":")[0] for part in re.split(", (?=[a-z])", FORMS))
    for kind in kinds:
        with pytest.raises(DatasetError, match="nowhere"):
            read_annotations(f"{kind}:nowhere")


def test_a_name_that_two_classes_of_a_set_have_is_noted(tmp_path):
    (tmp_path / "data.yaml").write_text("names: [cat, dog, cat]\ntrain: images\n")
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "labels" / "a.txt").write_text("2 0.5 0.5 0.5 0.5\n")
    data = read_annotations(f"yolo:{tmp_path / 'data.yaml'}")
    assert data.images[0].targets.class_ids.tolist() == [2]
    assert data.notes == ("'cat' is the name of the classes 0 and 2 of the data",)
