from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.formats.celeba.wild import read_celeba_wild
from kpviewer.annotations.problems import NO_AREA, Problems
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError
from tests.annotations.public_sets import CELEBA_NAMES, WILD, celeba


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return celeba(tmp_path)


def rewrite(folder: Path, stem: str, old: str, new: str) -> Path:
    table = folder / "Anno" / f"{stem}.txt"
    table.write_text(table.read_text().replace(old, new, 1))
    return table


def test_box_and_points_are_those_of_the_image_in_the_wild(folder):
    face = read_celeba_wild(folder).images[0]
    assert face.path == folder / "Img" / "img_celeba" / "000001.jpg"
    assert face.targets.xyxy.tolist() == [[95, 71, 95 + 226, 71 + 313]]
    wanted = np.array(WILD, np.float32).reshape(1, 5, 2) + 0.5
    assert np.array_equal(face.targets.keypoints_xy, wanted)


def test_aligned_faces_of_the_same_folder_are_read(folder):
    read = read_annotations(str(folder))
    assert read.images[0].path == folder / "Img" / "img_align_celeba" / "000001.jpg"
    assert len(read_annotations(f"celeba:{folder}:train")) == 4


@pytest.mark.parametrize(("split", "rows"), [("train", (0, 4)), ("val", (4, 5)), ("test", (5, 6))])
def test_the_partition_chooses_the_images(folder, split, rows):
    read = read_annotations(f"celeba-wild:{folder}:{split}")
    assert tuple(image.path.name for image in read.images) == CELEBA_NAMES[slice(*rows)]


@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_an_attribute_and_its_opposite_are_the_classes(folder, ending):
    table = folder / "Anno" / "list_attr_celeba.txt"
    if ending == "csv":
        rows = [line.split() for line in table.read_text().splitlines()]
        rows[1:2] = [["image_id", *rows[1]]]
        table.unlink()
        text = "\n".join(",".join(row) for row in rows[1:])
        table.with_suffix(".csv").write_text(text)
    read = read_celeba_wild(folder, "train,Smiling")
    assert read.class_names == ("Smiling", "not Smiling")
    assert [image.targets.class_ids.tolist() for image in read.images] == [[0], [1], [0], [1]]
    assert len(read_celeba_wild(folder, ",Male")) == 6


def test_a_face_without_area_is_left_out_and_counted(folder):
    rewrite(folder, "list_bbox_celeba", "226  313", "  0    0")
    read = read_celeba_wild(folder)
    assert [len(image.targets) for image in read.images] == [0, 1, 1, 1, 1, 1]
    assert read.notes == ("1 objects left out: boxes without area",)
    problems = Problems()
    read_celeba_wild(folder, None, problems)
    assert [problem.what for problem in problems] == [NO_AREA]


def test_the_folder_of_the_archive_s_parts_is_searched(folder):
    parts = folder / "Img" / "img_celeba.7z"
    parts.mkdir()
    (folder / "Img" / "img_celeba").rename(parts / "img_celeba")
    assert read_celeba_wild(folder).images[0].path == parts / "img_celeba" / "000001.jpg"


@pytest.mark.parametrize(
    ("stem", "old", "new", "expected"),
    [
        ("list_bbox_celeba", "000001.jpg", "../../x.jpg", "stay in"),
        ("list_bbox_celeba", " 226 ", " 226 1 ", "4 values"),
        ("list_bbox_celeba", " 226 ", " nan ", "a side"),
        ("list_landmarks_celeba", " 165 ", " inf ", "a landmark"),
        ("list_attr_celeba", "-1", "", "3 values"),
        ("list_attr_celeba", "Smiling", "Frowning", "no attribute 'Smiling'; it has: Eyeglasses"),
    ],
)
def test_malformed_tables_are_reported(folder, stem, old, new, expected):
    rewrite(folder, stem, old, new)
    with pytest.raises(DatasetError, match=expected):
        read_celeba_wild(folder, ",Smiling")


def test_a_missing_table_and_an_unknown_split_are_reported(folder):
    with pytest.raises(DatasetError, match="train, val, test"):
        read_celeba_wild(folder, "Smiling")
    (folder / "Anno" / "list_landmarks_celeba.txt").unlink()
    with pytest.raises(DatasetError, match=r"list_landmarks_celeba\.txt or"):
        read_celeba_wild(folder)
