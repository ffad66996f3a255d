import numpy as np
import pytest
from PIL import Image

from kpviewer.annotations.formats.tables.points import read_point_table
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError

TABLE = "file,x,y,split,face_x,face_y\na.png,3.5,4.25,train,1,1\nb.png,7,8,val,1,1\n"


@pytest.fixture
def table(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30)).save(tmp_path / "images" / name)
    path = tmp_path / "points.csv"
    path.write_text(TABLE)
    return path


def test_a_row_is_an_image_with_its_point(table):
    read = read_point_table(table, "train")
    (image,) = read.images
    assert image.targets.keypoints_xy.tolist() == [[[3.5, 4.25]]]
    assert image.targets.xyxy.tolist() == [[0, 0, 40, 30]]
    assert image.path == table.parent / "images" / "a.png"
    assert read.keypoint_names == ("centre",)


def test_the_command_line_s_form_takes_a_split(table):
    assert [image.path.name for image in read_annotations(f"points:{table}:val").images] == [
        "b.png"
    ]
    assert len(read_annotations(f"points:{table}")) == 2


@pytest.mark.parametrize(
    ("text", "split", "expected"),
    [
        ("file,x\na.png,1\n", None, "columns file, x, y"),
        (TABLE, "test", "train, val"),
        ("file,x,y\na.png,1,2\n", "train", "nothing"),
        ("file,x,y\na.png,one,2\n", None, "line 2: x must be a number"),
        ("file,x,y\na.png,1,2\na.png,1,2\n", None, "comes twice"),
        ("file,x,y\nc.png,1,2\n", None, "can't be read as an image"),
        ("file,x,y\n../gone.png,1,2\n", None, "stay in"),
    ],
)
def test_a_malformed_table_is_reported(table, text, split, expected):
    table.write_text(text)
    with pytest.raises(DatasetError, match=expected):
        read_point_table(table, split)


def test_the_people_of_the_head_images_are_in_one_split_each(shared_data):
    table = shared_data / "head_centre" / "head_centre.csv"
    parts = {name: read_point_table(table, name) for name in ("train", "val")}
    assert {name: len(part) for name, part in parts.items()} == {"train": 184, "val": 40}
    assert np.array_equal(parts["train"].images[0].targets.keypoints_xy[0, 0],
                          np.array([165.91, 161.9], np.float32))  # fmt: skip


def test_a_table_of_points_that_is_read_as_objects_names_its_kind(table):
    with pytest.raises(DatasetError, match="points:FILE"):
        read_annotations(str(table))
