from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.beside import spec_of_file
from kpviewer.annotations.derived.labels import label_sets
from kpviewer.annotations.formats.tables.labels import read_label_table
from kpviewer.annotations.problems import Problems
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError
from tests.annotations.public_sets import pascal_2007


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return pascal_2007(tmp_path) / "train.csv"


def test_every_label_of_an_image_is_present(table):
    read = read_label_table(table)
    assert read.class_names == ("car", "chair", "horse", "person")
    sets = label_sets(read.images, 4)
    assert sets.present.astype(int).tolist() == [
        [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1],
    ]  # fmt: skip
    assert sets.known.all()


def test_the_box_of_a_label_is_the_image(table):
    image = read_label_table(table).images[2]
    assert np.array_equal(image.targets.xyxy, [[0, 0, 500, 375]] * 2)
    assert image.path == table.parent / "train" / "000009.jpg"


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (":train", ["000012.jpg", "000016.jpg", "000017.jpg"]),
        (":val", ["000005.jpg", "000007.jpg", "000009.jpg"]),
        (":valid", ["000005.jpg", "000007.jpg", "000009.jpg"]),
    ],
)
def test_is_valid_chooses_the_images(table, split, names):
    assert [image.path.name for image in read_annotations(f"labels:{table}{split}").images] == names


def test_a_table_without_is_valid_is_read_whole(table):
    test = table.with_name("test.csv")
    assert [image.path.parent.name for image in read_label_table(test).images] == ["test"]
    with pytest.raises(DatasetError, match="no column is_valid"):
        read_label_table(test, "train")


def test_the_path_alone_is_recognised(table):
    assert len(read_annotations(str(table))) == 6
    assert len(read_annotations(f"{table}:val")) == 3
    assert spec_of_file(table, table.parent / "train") == f"labels:{table}"


def test_an_image_without_labels_shows_nothing(table):
    table.write_text("fname,labels\n000005.jpg,\n000007.jpg, car  car \n")
    assert [len(image.targets) for image in read_label_table(table).images] == [0, 1]


@pytest.mark.parametrize(
    ("cell", "other"),
    [
        ("traffic light|car", "dog"),
        ("traffic light; car", "dog"),
        ('"traffic light, car"', "dog"),
        ("\"['traffic light', 'car']\"", "['dog']"),
    ],
)
def test_labels_may_have_other_separators(table, cell, other):
    table.write_text(f"fname,labels\n000005.jpg,{other}\n000007.jpg,{cell}\n")
    read = read_label_table(table)
    assert read.class_names == ("car", "dog", "traffic light")
    assert [len(image.targets) for image in read.images] == [1, 2]


def test_names_without_endings_and_tags_are_read(table):
    table.write_text("image_name,tags,note\n000005,haze primary,x\n")
    problems = Problems()
    (image,) = read_label_table(table, None, problems).images
    assert image.path.name == "000005.jpg"
    assert len(image.targets) == 2
    assert [problem.text for problem in problems] == [f"{table}: 'note': column isn't read."]


@pytest.mark.parametrize(
    ("text", "split", "expected"),
    [
        ("fname,kind\na.jpg,car\n", None, "columns fname and labels"),
        ("", None, "columns fname and labels"),
        ("fname,labels,is_valid\n000005.jpg,car,maybe\n", "val", "True or False, got 'maybe'"),
        ("fname,labels,is_valid\n000005.jpg,car\n", "val", "True or False, got ''"),
        ("fname,labels\n000005.jpg,car\n000005.jpg,cat\n", None, "comes twice"),
        ("fname,labels\ngone.jpg,car\n", None, "can't be read as an image"),
        ("fname,labels\n../train.csv,car\n", None, "can't be read as an image"),
        ("fname,labels\n../../gone.jpg,car\n", None, "stay in"),
        ("fname,labels\n,car\n", None, "needs a file name"),
        ("fname,labels,is_valid\n000005.jpg,car,True\n", "test", "splits train and val"),
    ],
)
def test_a_malformed_table_is_reported(table, text, split, expected):
    table.write_text(text)
    with pytest.raises(DatasetError, match=expected):
        read_label_table(table, split)


def test_bad_rows_can_be_left_out(table):
    with table.open("a") as file:
        file.write("gone.jpg,car,True\n000005.jpg,car,True\n")
    problems = Problems()
    assert len(read_label_table(table, None, problems)) == 6
    assert len(problems) == 2
