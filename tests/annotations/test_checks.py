"""All problems of a data set are reported at once, and can be left out."""

import json
import struct
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kpviewer.annotations import checks
from kpviewer.annotations.checks import CheckedSet, check_sets, header_size_wh
from kpviewer.annotations.problems import (
    HOW_READ,
    INVERTED,
    MALFORMED,
    NO_AREA,
    NO_IMAGE_OF_OBJECT,
    SEVERAL,
    SHARES,
    STORED_SIZE,
    UNKNOWN_CLASS,
    UNREADABLE,
    UNREADABLE_XML,
    WRONG_SIZE,
    Problem,
)
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError
from kpviewer.sources.images.source import load_image
from kpviewer.training.data.merging import merge


def image(path: Path, shade: int, size_wh: tuple[int, int] = (40, 30)) -> None:
    Image.new("RGB", size_wh, (shade, 0, 0)).save(path)


def coco(
    folder: Path,
    names: list[str],
    objects: list[dict[str, Any]],
    categories: list[dict[str, Any]] | None = None,
) -> str:
    """A COCO set of images of 40 x 30 px in shades of their own; gives its specification."""
    (folder / "images").mkdir(parents=True)
    for shade, name in enumerate(names, 10 + 100 * (folder.name == "val")):
        image(folder / "images" / name, shade)
    images = [
        {"id": row, "file_name": name, "width": 40, "height": 30} for row, name in enumerate(names)
    ]
    annotations = [{"id": row, "category_id": 1, **each} for row, each in enumerate(objects)]
    categories = categories or [{"id": 1, "name": "cat", "keypoints": ["nose"]}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(document))
    return f"coco:{folder / 'labels.json'}"


def kinds(one: CheckedSet) -> Counter[str]:
    return Counter(problem.what for problem in one.problems)


BARE = {"image_id": 0, "bbox": [5, 5, 10, 10]}
GOOD = {**BARE, "keypoints": [8, 8, 2]}


def test_a_good_set_has_no_problem_and_is_kept_whole(tmp_path):
    spec = coco(tmp_path / "train", ["a.png", "b.png"], [GOOD])
    (one,) = check_sets([spec])
    assert one.problems == ()
    assert len(read_annotations(one.usable_spec)) == 2
    assert one.usable_spec == spec


def test_all_problems_are_reported_at_once_and_left_out(tmp_path):
    objects = [
        GOOD,
        {**GOOD, "bbox": [5, 5, 0, 10]},
        {**GOOD, "bbox": [20, 5, -10, 10]},
        {**GOOD, "bbox": [50, 5, 10, 10]},
        {**GOOD, "bbox": [30, 5, 15, 10], "keypoints": [80, 8, 2]},
        {**GOOD, "category_id": 7},
        {**GOOD, "bbox": "here"},
        {**GOOD, "image_id": 99},
        {**GOOD, "image_id": 1},
        {**GOOD, "image_id": 2},
    ]
    spec = coco(tmp_path / "train", ["a.png", "gone.png", "torn.png"], objects)
    images = tmp_path / "train" / "images"
    (images / "gone.png").unlink()
    (images / "torn.png").write_bytes(b"no image")
    (one,) = check_sets([spec])
    assert kinds(one) == {
        NO_AREA: 1,
        INVERTED: 1,
        checks.BOX_OUTSIDE: 1,
        checks.BOX_REACHES_OUT: 1,
        checks.POINT_OUTSIDE: 1,
        UNKNOWN_CLASS: 1,
        MALFORMED: 1,
        NO_IMAGE_OF_OBJECT: 1,
        checks.MISSING: 1,
        checks.UNREADABLE: 1,
    }
    assert one.errors == 9  # a box that reaches out is only a warning
    (left,) = read_annotations(one.usable_spec).images
    assert left.targets.xyxy.tolist() == [[5, 5, 15, 15], [30, 5, 45, 15]]
    assert left.keypoints_labelled.tolist() == [[True], [False]]
    assert left.targets.keypoints_visible.tolist() == [[True], [False]]


def test_reading_alone_still_stops_at_the_first_mistake(tmp_path):
    spec = coco(tmp_path / "train", ["a.png"], [{**GOOD, "category_id": 7}])
    with pytest.raises(DatasetError, match="category_id"):
        read_annotations(spec)


def test_covered_points_may_lie_beyond_the_edge(tmp_path):
    covered = {**GOOD, "keypoints": [80, 8, 1]}
    (one,) = check_sets([coco(tmp_path / "train", ["a.png"], [covered])])
    assert kinds(one) == {checks.POINT_OUTSIDE: 1}
    assert one.errors == 0
    assert read_annotations(one.usable_spec).images[0].keypoints_labelled.all()


def test_boxes_of_tools_that_count_from_one_are_valid(tmp_path):
    (one,) = check_sets([coco(tmp_path / "train", ["a.png"], [{**GOOD, "bbox": [1, 1, 40, 30]}])])
    assert one.problems == ()


def test_copies_between_splits_are_found_by_content_and_leave_training(tmp_path):
    train = coco(tmp_path / "train", ["a.png", "b.png"], [GOOD, {**GOOD, "image_id": 1}])
    val = coco(tmp_path / "val", ["x.png", "y.png"], [GOOD])
    copied = (tmp_path / "train" / "images" / "b.png").read_bytes()
    (tmp_path / "val" / "images" / "y.png").write_bytes(copied)
    one, validation_set = check_sets([train], val)
    assert kinds(one) == {checks.COPY: 1}
    assert "b.png" in one.problems[0].where and "y.png" in one.problems[0].where
    assert validation_set.problems == ()
    assert [image.path.name for image in read_annotations(one.usable_spec).images] == ["a.png"]


def test_a_set_that_is_scored_on_itself_is_a_warning(tmp_path):
    spec = coco(tmp_path / "train", ["a.png"], [GOOD])
    one, validation_set = check_sets([spec], spec)
    assert one.problems == ()
    assert kinds(validation_set) == {checks.SAME_SET: 1}
    assert validation_set.errors == 0


def test_files_of_one_length_are_not_taken_for_copies(tmp_path):
    train = coco(tmp_path / "train", ["a.bmp"], [GOOD])
    val = coco(tmp_path / "val", ["a.bmp"], [GOOD])
    sizes = {(tmp_path / part / "images" / "a.bmp").stat().st_size for part in ("train", "val")}
    assert len(sizes) == 1
    assert [one.problems for one in check_sets([train], val)] == [(), ()]


def test_classes_absent_from_training_are_reported(tmp_path):
    two = [{"id": 1, "name": "Cat"}, {"id": 2, "name": "dgo"}]
    train = coco(
        tmp_path / "train", ["a.png"], [BARE], [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    )
    val = coco(tmp_path / "val", ["b.png"], [BARE, {**BARE, "category_id": 2}], two)
    one, validation_set = check_sets([train], val)
    assert one.problems == (Problem(checks.NO_OBJECTS_OF_CLASS, "dog", is_error=False),)
    assert kinds(validation_set) == {UNKNOWN_CLASS: 1}
    assert "'dgo', 1 objects" in validation_set.problems[0].where
    assert len(read_annotations(validation_set.usable_spec).images[0].targets) == 1


def test_one_class_of_another_name_is_no_mistake(tmp_path):
    train = coco(tmp_path / "train", ["a.png"], [GOOD])
    val = coco(tmp_path / "val", ["b.png"], [GOOD], [{"id": 1, "name": "Katze"}])
    assert [one.errors for one in check_sets([train], val)] == [0, 0]


def test_sets_that_cannot_be_trained_together_are_reported(tmp_path):
    first = coco(tmp_path / "train", ["a.png"], [GOOD])
    other = coco(tmp_path / "more", ["b.png"], [BARE], [{"id": 1, "name": "dog"}])
    assert kinds(check_sets([first, other])[1]) == {checks.OTHER_NAMES: 1}


def test_sets_are_trained_together_by_the_names_of_their_classes(tmp_path):
    names = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    second = {**BARE, "category_id": 2}
    first = coco(tmp_path / "train", ["a.png"], [BARE], names)  # a cat
    turned = [{"id": 1, "name": "Dog"}, {"id": 2, "name": "cat"}]
    other = coco(tmp_path / "more", ["b.png"], [BARE, {**second, "bbox": [1, 1, 5, 5]}], turned)
    some = coco(tmp_path / "some", ["c.png"], [BARE], [{"id": 1, "name": "dog"}])
    none = coco(tmp_path / "none", ["d.png"], [])  # of other classes and keypoints
    sets = check_sets([first, other, some, none])
    assert [one.problems for one in sets] == [()] * 4
    data = merge([read_annotations(one.usable_spec) for one in sets])
    assert data.class_names == ("cat", "dog")
    ids = [image.targets.class_ids.tolist() for image in data.images]
    assert ids == [[0], [1, 0], [1], []]
    plain = merge([read_annotations(spec) for spec in (first, other, some, none)])
    assert [image.targets.class_ids.tolist() for image in plain.images] == ids
    with pytest.raises(DatasetError, match="must have the names of the first"):
        merge([read_annotations(some), read_annotations(first)])


def test_empty_sets_are_reported(tmp_path):
    none = coco(tmp_path / "none", [], [])
    bare = coco(tmp_path / "bare", ["a.png"], [])
    full = coco(tmp_path / "full", ["a.png"], [GOOD])
    assert set(kinds(check_sets([none])[0])) == {checks.NO_IMAGES, checks.NO_OBJECTS}
    assert kinds(check_sets([bare])[0]) == {checks.NO_OBJECTS: 1}
    assert [one.errors for one in check_sets([bare, full])] == [0, 0]  # backgrounds for another
    with pytest.raises(DatasetError, match="no usable image left"):
        check_sets([none])[0].usable_spec  # noqa: B018 - a property that raises


def test_validation_data_without_objects_score_nothing(tmp_path):
    train = coco(tmp_path / "train", ["a.png"], [BARE], [{"id": 1, "name": "cat"}])
    crowd = {**BARE, "iscrowd": 1, "bbox": [1, 1, 5, 5]}
    val = coco(tmp_path / "val", ["b.png"], [crowd], [{"id": 1, "name": "cat"}])
    one, validation_set = check_sets([train], val)
    assert one.problems == ()
    assert kinds(validation_set) == {checks.NO_OBJECTS: 1}


def test_an_object_that_is_no_target_leaves_its_set_and_class_empty(tmp_path):
    crowd = {**BARE, "iscrowd": 1}
    bare = coco(tmp_path / "bare", ["a.png"], [crowd], [{"id": 1, "name": "cat"}])
    assert kinds(check_sets([bare])[0]) == {checks.NO_OBJECTS: 1}
    two = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    first = coco(tmp_path / "first", ["a.png"], [BARE], two)
    second = coco(tmp_path / "second", ["a.png"], [{**BARE, "category_id": 2}], two)
    assert kinds(check_sets([first])[0]) == {checks.NO_OBJECTS_OF_CLASS: 1}
    assert [one.problems for one in check_sets([first, second])] == [(), ()]


def test_a_set_that_cannot_be_read_is_not_called_empty(tmp_path):
    assert kinds(check_sets(["coco:nowhere.json"])[0]) == {checks.NO_SET: 1}


def test_a_set_that_cannot_be_read_does_not_hide_the_others(tmp_path):
    good = coco(tmp_path / "train", ["a.png"], [GOOD])
    first, second = check_sets([good, "coco:nowhere.json"])
    assert first.problems == ()
    assert kinds(second) == {checks.NO_SET: 1}


def test_voc_files_and_objects_are_reported_one_by_one(tmp_path):
    image(tmp_path / "a.png", 1)
    image(tmp_path / "b.png", 2)

    def box(name: str, left: str, right: str) -> str:
        inner = f"<xmin>{left}</xmin><ymin>1</ymin><xmax>{right}</xmax><ymax>9</ymax>"
        return f"<object><name>{name}</name><bndbox>{inner}</bndbox></object>"

    objects = box("cat", "1", "9") + box("cat", "9", "1") + box("cat", "x", "9") + box("", "1", "9")
    (tmp_path / "a.xml").write_text(f"<annotation>{objects}</annotation>")
    (tmp_path / "b.xml").write_text("<annotation>")
    (one,) = check_sets([f"voc:{tmp_path}"])
    assert kinds(one) == {INVERTED: 1, MALFORMED: 2, UNREADABLE_XML: 1}
    assert "object 2" in next(each.where for each in one.problems if each.what == INVERTED)
    assert len(read_annotations(one.usable_spec).images[0].targets) == 1


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "boxes.csv",
            "file,xmin,ymin,xmax,ymax\na.png,1,1,9,9\na.png,9,1,1,9\na.png,?,1,9,9\n",
            {INVERTED: 1, MALFORMED: 1},
        ),
        ("points.csv", "file,x,y\na.png,3,4\na.png,5,6\nnone.png,1,1\n", {MALFORMED: 2}),
    ],
)
def test_rows_of_tables_are_reported_one_by_one(tmp_path, name, text, expected):
    image(tmp_path / "a.png", 1)
    (tmp_path / name).write_text(text)
    (one,) = check_sets([f"{'points' if name == 'points.csv' else 'csv'}:{tmp_path / name}"])
    assert kinds(one) == expected
    assert len(read_annotations(one.usable_spec).images[0].targets) == 1


def test_rows_of_celeba_are_reported_one_by_one(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    for name in ("1.jpg", "2.jpg"):
        image(tmp_path / "img_align_celeba" / name, 9, (178, 218))
    row = "69 109 106 113 77 142 73 152 108 154"
    rows = [f"1.jpg {row}", "2.jpg 1 2 3", f"2.jpg x{row}"]
    (tmp_path / "list_landmarks_align_celeba.txt").write_text("\n".join(rows))
    (one,) = check_sets([f"celeba:{tmp_path}"])
    assert kinds(one) == {MALFORMED: 2}
    assert len(read_annotations(one.usable_spec)) == 1


def test_the_size_of_a_turned_photograph_is_that_of_the_upright_one(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    assert header_size_wh(tmp_path / "a.jpg") == (30, 40)
    image(tmp_path / "b.jpg", 0)
    assert header_size_wh(tmp_path / "b.jpg") == (40, 30)


def test_labels_made_without_the_exif_orientation_are_noted(tmp_path):
    spec = coco(tmp_path / "train", ["a.jpg"], [GOOD])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "train" / "images" / "a.jpg", exif=exif)
    (one,) = check_sets([spec])
    assert kinds(one)[STORED_SIZE] == 1


def test_a_wrong_size_is_a_warning(tmp_path):
    spec = coco(tmp_path / "train", ["a.png"], [GOOD])
    image(tmp_path / "train" / "images" / "a.png", 10, (80, 60))
    (one,) = check_sets([spec])
    assert kinds(one) == {WRONG_SIZE: 1}
    assert one.errors == 0


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp"])
def test_several_images_in_one_file_are_a_warning(tmp_path, name):
    spec = coco(tmp_path / "train", [name], [GOOD])
    pages = [Image.new("RGB", (40, 30), shade) for shade in ("red", "blue", "green")]
    pages[0].save(tmp_path / "train" / "images" / name, save_all=True, append_images=pages[1:])
    (one,) = check_sets([spec])
    assert kinds(one) == {SEVERAL: 1}
    assert one.problems[0].where.endswith("3 images")
    assert one.errors == 0


def test_an_image_of_a_format_that_cannot_be_shown_is_an_error(tmp_path):
    spec = coco(tmp_path / "train", ["a.png", "b.png"], [GOOD, {**GOOD, "image_id": 1}])
    table, images = next((tmp_path / "train").glob("*.json")), tmp_path / "train" / "images"
    table.write_text(table.read_text().replace("a.png", "a.heic"))
    (images / "a.png").unlink()
    (images / "a.heic").write_bytes(b"\0\0\0\x1cftypheic")
    (one,) = check_sets([spec])
    assert kinds(one) == {UNREADABLE: 1}


def test_the_decoder_decides_on_unknown_headers(tmp_path):
    spec = coco(tmp_path / "train", ["a.png"], [GOOD])
    (tmp_path / "train" / "images" / "a.png").write_bytes(b"a format of its own")
    asked: list[Path] = []

    def can_decode(path: Path) -> bool:
        asked.append(path)
        return True

    (one,) = check_sets([spec], can_decode=can_decode)
    assert one.problems == ()
    assert [path.name for path in asked] == ["a.png"]


def test_a_header_of_a_gigantic_image_is_rejected(tmp_path):
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk
    data += struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(data)
    assert header_size_wh(tmp_path / "bomb.png") is None


def test_images_are_counted_for_a_progress_bar(tmp_path):
    spec = coco(tmp_path / "train", ["a.png", "b.png", "c.png"], [GOOD])
    ticks: list[None] = []
    check_sets([spec], progress=lambda: ticks.append(None))
    assert len(ticks) == 3


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_image_is_an_error_despite_its_valid_header(tmp_path, ending, share):
    spec = coco(tmp_path / "train", [f"a{ending}", f"b{ending}"], [GOOD, {**GOOD, "image_id": 1}])
    path = tmp_path / "train" / "images" / f"a{ending}"
    Image.effect_noise((40, 30), 80).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    (one,) = check_sets([spec], can_decode=lambda path: load_image(path) is not None)
    assert kinds(one) == {UNREADABLE: 1}
    assert len(read_annotations(one.usable_spec)) == 1


def test_a_set_in_shares_leaves_nothing_to_train_on(tmp_path):
    spec = coco(tmp_path / "train", ["a.png"], [{"image_id": 0, "bbox": [0.2, 0.2, 0.5, 0.5]}])
    path = tmp_path / "train" / "labels.json"
    path.write_text(path.read_text().replace('"width": 40, ', ""))
    (tmp_path / "train/images/a.png").write_bytes(b"")  # of unknown size
    (one,) = check_sets([spec])
    assert kinds(one)[SHARES] == 1
    with pytest.raises(DatasetError, match="no usable image left"):
        _ = one.usable_spec


def test_what_the_reader_assumed_is_noted(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for shade in range(3):  # poses without kpt_shape
        image(tmp_path / f"images/{shade}.png", shade)
        text = f"0 0.5 0.5 0.5 0.5 0.{shade + 1} 0.4 0.3 0.6 0.6 0.5\n"
        (tmp_path / f"labels/{shade}.txt").write_text(text)
    (tmp_path / "data.yaml").write_text("names: [cat]\nnc: 2\n")
    (one,) = check_sets([f"yolo:{tmp_path}"])
    noted = [each.where for each in one.problems if each.what == HOW_READ]
    assert (len(noted), one.errors) == (2, 0)
    assert "nc: 2, but lists 1 names" in noted[0] and "write kpt_shape" in noted[1]
