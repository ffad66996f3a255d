"""Post-processing of data sets: names, duplicates, units, and left-over files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kpviewer.annotations.checks import check_sets
from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.derived.labels import label_sets
from kpviewer.annotations.finishing.pixels import with_readable_images
from kpviewer.annotations.problems import (
    BY_AREA,
    COLUMN,
    COVERED,
    CURES,
    FAR_AROUND,
    FAR_OUT,
    FITTED,
    LISTED_TWICE,
    NO_IMAGE,
    NO_LABEL_FOLDER,
    NO_LABELS,
    OTHER_FORMAT,
    PER_CENT,
    READ_SHARES,
    ROTATED,
    SHARES,
    SOME_CLASSES,
    TINY,
    TWICE,
    UNLISTED,
    UNNAMED_POINTS,
)
from kpviewer.annotations.spec import read_annotations, read_usable
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

BOX = [10, 20, 30, 20]
LABEL = "0 0.5 0.4 0.5 0.4\n"


def save_images(folder: Path, *names: str, size_wh: tuple[int, int] = (400, 300)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", size_wh).save(folder / name)


def coco(
    folder: Path, images: list[str], objects: list[tuple[int, list[float]]], **more: Any
) -> str:
    """A COCO file: ``objects`` have the row of their image and a box."""
    document = {
        "images": [
            {"id": row, "file_name": name, "width": 400, "height": 300}
            for row, name in enumerate(images)
        ],
        "annotations": [
            {"id": row, "image_id": image, "category_id": 1, "bbox": box, **more}
            for row, (image, box) in enumerate(objects)
        ],
        "categories": [{"id": 1, "name": "cat", "keypoints": ["nose"]}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotations.json").write_text(json.dumps(document))
    return f"coco:{folder / 'annotations.json'}"


def yolo(folder: Path, images: list[str], labels: dict[str, str]) -> str:
    save_images(folder / "images", *images)
    for name, text in labels.items():
        (folder / "labels").mkdir(exist_ok=True)
        (folder / "labels" / name).write_text(text)
    (folder / "data.yaml").write_text("names: [cat]\n")
    return f"yolo:{folder}"


def kinds(data: AnnotationSet) -> list[str]:
    return [problem.what for problem in data.problems]


def objects(data: AnnotationSet) -> int:
    return sum(len(image.targets) for image in data.images)


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("my cat.jpg", "my%20cat.jpg"),
        ("IMG_1.JPG", "img_1.jpg"),
        ("a.png", "a.jpg"),
        ("B\u0061\u0308r.jpg", "B\u00e4r.jpg"),
        ("a.jpg", "train/a.jpg"),
        ("a.jpg", "data/set/1/a.jpg"),
    ],
)
def test_names_are_matched_to_existing_files(tmp_path, there, name):
    save_images(tmp_path, there, "other.jpg")
    data = read_usable(coco(tmp_path, [name, "other.jpg"], [(0, BOX)]))
    assert data.images[0].path == tmp_path / there
    assert kinds(data) == [FITTED]
    strict = read_annotations(f"coco:{tmp_path / 'annotations.json'}")
    assert strict.images[0].path == tmp_path / there


def test_names_are_matched_in_the_current_folder_too(tmp_path, monkeypatch):
    save_images(tmp_path, "my cat.jpg", "other.jpg")
    coco(tmp_path, ["my%20cat.jpg", "other.jpg"], [(0, BOX)])
    monkeypatch.chdir(tmp_path)
    assert read_usable("coco:annotations.json").images[0].path == Path("my cat.jpg")


@pytest.mark.parametrize(
    "name",
    ["/home/x/set/a.jpg", "C:\\set\\a.jpg", "../img/a.jpg", "/x/sub/b.jpg", "old/sub/b.jpg"],
)
def test_paths_of_another_machine_name_the_file_in_the_folder(tmp_path, name):
    save_images(tmp_path, "a.jpg")
    save_images(tmp_path / "sub", "b.jpg")
    data = read_usable(coco(tmp_path, [name], [(0, BOX)]))
    assert data.images[0].path in (tmp_path / "a.jpg", tmp_path / "sub" / "b.jpg")
    assert data.images[0].path.name == name[-5:]


def test_a_path_that_leaves_the_folder_is_not_followed(tmp_path):
    save_images(tmp_path, "a.jpg", "secret.jpg")
    spec = coco(tmp_path / "set", ["../secret.jpg", "a.jpg"], [(1, BOX)])
    save_images(tmp_path / "set", "a.jpg")
    assert [image.path.name for image in read_usable(spec).images] == ["a.jpg"]


def test_a_file_that_another_entry_names_is_not_fitted(tmp_path):
    save_images(tmp_path, "a.jpg")
    data = read_usable(coco(tmp_path, ["a.jpg", "a.png"], [(0, BOX), (1, BOX)]))
    assert [image.path.name for image in data.images] == ["a.jpg", "a.png"]


def same_line(folder: Path) -> str:
    return yolo(folder, ["a.jpg"], {"a.txt": LABEL * 2})


def same_row(folder: Path) -> str:
    save_images(folder, "a.jpg")
    row = "a.jpg,cat,1,2,30,40\n"
    (folder / "labels.csv").write_text("file,class,xmin,ymin,xmax,ymax\n" + row * 2)
    return f"csv:{folder / 'labels.csv'}"


def same_object(folder: Path) -> str:
    save_images(folder, "a.jpg")
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
    found = f"<object><name>cat</name>{box}</object>"
    (folder / "a.xml").write_text(f"<annotation>{found * 2}</annotation>")
    return f"voc:{folder}"


def same_annotation(folder: Path) -> str:
    save_images(folder, "a.jpg")
    return coco(folder, ["a.jpg"], [(0, BOX), (0, BOX)], keypoints=[20, 30, 2])


def otherwise_written(folder: Path) -> str:
    return yolo(folder, ["a.jpg"], {"a.txt": LABEL + "0 0.50 .4 5e-1 0.400\n"})


@pytest.mark.parametrize(
    "make", [same_line, same_row, same_object, same_annotation, otherwise_written]
)
def test_an_object_that_is_labelled_twice_counts_once(tmp_path, make):
    spec = make(tmp_path)
    data = read_usable(spec)
    assert objects(data) == objects(read_annotations(spec)) == 1
    assert kinds(data) == [TWICE]
    assert "a.jpg, object 2" in data.notes[0]


def test_objects_that_differ_in_anything_are_kept(tmp_path):
    save_images(tmp_path, "a.jpg")
    near = [BOX, [10.5, 20, 30, 20], [10, 20, 30, 21]]
    assert objects(read_usable(coco(tmp_path, ["a.jpg"], [(0, box) for box in near]))) == 3


def test_rotated_boxes_that_cross_are_two_objects(tmp_path):
    save_images(tmp_path / "images", "a.png")
    one, other = "0.2 0.1 0.6 0.5 0.5 0.6 0.1 0.2", "0.5 0.1 0.6 0.2 0.2 0.6 0.1 0.5"
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text(f"0 {one}\n0 {other}\n0 {one}\n")
    (image,) = read_usable(f"yolo:{tmp_path}").images
    assert len(image.targets) == 2
    boxes = image.targets.xyxy
    assert boxes[0].tolist() == boxes[1].tolist()


def test_objects_of_an_image_listed_twice_are_merged(tmp_path):
    save_images(tmp_path, "a.jpg", "b.jpg")
    boxes = [(0, BOX), (2, [50, 60, 70, 80]), (2, BOX)]
    data = read_usable(coco(tmp_path, ["a.jpg", "b.jpg", "a.jpg"], boxes))
    assert [len(image.targets) for image in data.images] == [2, 0]
    assert kinds(data) == [LISTED_TWICE, TWICE]


def test_objects_of_an_id_that_two_images_have_are_of_neither(tmp_path):
    save_images(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    spec = coco(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], [(0, BOX), (0, [50, 60, 70, 80]), (2, BOX)])
    path = tmp_path / "annotations.json"
    written = json.loads(path.read_text())
    written["images"][1]["id"] = 0  # as after joining two files
    path.write_text(json.dumps(written))
    data = read_usable(spec)
    assert [(image.path.name, len(image.targets)) for image in data.images] == [("c.jpg", 1)]
    assert "0 is that of 'a.jpg' and 'b.jpg'" in data.notes[0]
    written["images"][1] = written["images"][0]
    path.write_text(json.dumps(written))
    data = read_usable(spec)
    assert [(image.path.name, len(image.targets)) for image in data.images[:1]] == [("a.jpg", 2)]
    assert LISTED_TWICE in kinds(data) and not any(each.is_error for each in data.problems)


def test_frames_of_a_video_are_not_merged(tmp_path):
    data = read_usable(coco(tmp_path, ["clip.mp4"] * 3, [(0, BOX), (1, BOX)]))
    assert len(data) == 3


def in_table(folder: Path, scale: float) -> str:
    save_images(folder, "a.jpg")
    lines = [",".join(str(round(value * scale, 6)) for value in (0.25, 0.2, 0.75, 0.6))]
    lines += [",".join(str(round(value * scale, 6)) for value in (0.1, 0.2, 0.97, 0.9))] * 2
    rows = "".join(f"a.jpg,400,300,c{n},{line}\n" for n, line in enumerate(lines))
    (folder / "labels.csv").write_text("filename,width,height,class,xmin,ymin,xmax,ymax\n" + rows)
    return f"csv:{folder / 'labels.csv'}"


def in_coco(folder: Path, scale: float) -> str:
    save_images(folder, "a.jpg")
    return coco(folder, ["a.jpg"], [(0, [x * scale, 0.2 * scale, 0.5 * scale, 0.4 * scale])
                                    for x in (0.1, 0.2, 0.47)])  # fmt: skip


def in_voc(folder: Path, scale: float) -> str:
    save_images(folder, "a.jpg")
    values = [value * scale for value in (0.25, 0.2, 0.75, 0.6)]
    names = ("xmin", "ymin", "xmax", "ymax")
    sides = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, values, strict=True))
    found = "".join(f"<object><name>{n}</name><bndbox>{sides}</bndbox></object>" for n in "abc")
    size = "<size><width>400</width><height>300</height></size>"
    (folder / "a.xml").write_text(f"<annotation>{size}{found}</annotation>")
    return f"voc:{folder}"


@pytest.mark.parametrize("make", [in_table, in_coco, in_voc])
def test_shares_are_multiplied_by_the_sides_of_the_image(tmp_path, make):
    spec = make(tmp_path, 1.0)
    data = read_usable(spec)
    assert kinds(data) == [READ_SHARES]
    in_shares = {in_table: [0.25, 0.2, 0.75, 0.6], in_coco: [0.1, 0.2, 0.6, 0.6]}
    expected = np.array(in_shares.get(make, [0.25, 0.2, 0.75, 0.6])) * [400, 300, 400, 300]
    assert data.images[0].targets.xyxy[0].tolist() == pytest.approx(expected.tolist())
    strict = read_annotations(spec).images[0].targets
    assert np.array_equal(strict.xyxy, data.images[0].targets.xyxy)


@pytest.mark.parametrize("size", ["header", "unknown"])
def test_shares_of_images_of_unknown_size_are_reported(tmp_path, size):
    spec = in_table(tmp_path, 1.0)
    path = tmp_path / "labels.csv"
    path.write_text(path.read_text().replace(",400,300,", ",,,"))
    if size == "unknown":
        (tmp_path / "a.jpg").unlink()
    data = read_usable(spec)
    assert kinds(data) == [READ_SHARES if size == "header" else SHARES]
    assert data.notes[0].endswith(CURES[kinds(data)[0]])


@pytest.mark.parametrize("make", [in_table, in_coco, in_voc])
def test_per_cent_are_noted(tmp_path, make):
    data = read_usable(make(tmp_path, 100.0))
    assert kinds(data) == [PER_CENT]
    assert not data.problems[0].is_error


def test_px_of_a_small_image_are_not_taken_for_per_cent(tmp_path):
    spec = in_voc(tmp_path, 100.0)
    path = tmp_path / "a.xml"
    path.write_text(path.read_text().replace("<width>400", "<width>120"))
    assert kinds(read_usable(spec)) == []


@pytest.mark.parametrize("make", [in_table, in_coco, in_voc])
def test_px_are_unchanged(tmp_path, make):
    assert kinds(read_usable(make(tmp_path, 290.0))) == []


def test_one_box_in_shares_among_others_in_px_is_noted(tmp_path):
    save_images(tmp_path, "a.jpg")
    data = read_usable(coco(tmp_path, ["a.jpg"], [(0, BOX), (0, [0.25, 0.2, 0.5, 0.4])]))
    assert kinds(data) == [TINY]


CORNERS = [[100, 60, 300, 180], [250, 200, 390, 290]]


def as_text(folder: Path) -> str:
    rows = "".join(f'a.jpg,"{box}"\n' for box in CORNERS)
    (folder / "boxes.csv").write_text(f"image,bbox\n{rows}")
    return f"csv:{folder / 'boxes.csv'}"


@pytest.mark.parametrize(
    "make", [as_text, lambda folder: coco(folder, ["a.jpg"], [(0, box) for box in CORNERS])]
)
def test_corners_where_sides_are_expected_are_noted(tmp_path, make):
    save_images(tmp_path, "a.jpg")
    data = read_usable(make(tmp_path))
    assert kinds(data) == [FAR_OUT]
    assert "250, 200, 640, 490" in data.notes[0]


def test_corners_where_a_centre_and_sides_are_expected_are_noted(tmp_path):
    labels = {"a.txt": "0 0.15 0.10 0.45 0.30\n0 0.5 0.5 0.9 0.8\n"}
    data = read_usable(yolo(tmp_path, ["a.jpg"], labels))
    assert kinds(data) == [FAR_AROUND]
    labels["a.txt"] += "0 0.5 0.5 0.2 0.2\n"  # no corners: the second isn't right of the first
    assert kinds(read_usable(yolo(tmp_path, ["a.jpg"], labels))) == []


@pytest.mark.parametrize(
    ("box", "area", "expected"),
    [
        ([10, 20, 50, 60], 1600, [BY_AREA]),  # by hand: 40x40 between two corners
        ([10, 20, 50, 60], 3000, []),  # 50x60
        ([10, 20, 50, 60], 1200, []),  # of a mask
        ([10, 20, 50, 60], None, []),
        ([10, 20, 50, 60], "1600", []),
    ],
)
def test_areas_tell_corners_from_sides(tmp_path, box, area, expected):
    save_images(tmp_path, "a.jpg")
    assert kinds(read_usable(coco(tmp_path, ["a.jpg"], [(0, box)], area=area))) == expected


def test_one_area_of_a_mask_may_be_that_of_corners_by_chance(tmp_path):
    save_images(tmp_path, "a.jpg")
    boxes: list[tuple[int, list[float]]] = [(0, [10, 20, 50, 60]), (0, [5, 5, 100, 100])]
    data = read_usable(coco(tmp_path, ["a.jpg"], boxes, area=1600))  # 95x95 is not 1600
    assert kinds(data) == []


def test_an_image_without_a_name_is_that_of_its_address(tmp_path):
    save_images(tmp_path / "val2017", "a.jpg")
    spec = coco(tmp_path, ["a.jpg"], [(0, BOX)])
    path = tmp_path / "annotations.json"  # as LVIS has it
    address = '"coco_url": "http://images.example/val2017/a.jpg"'
    path.write_text(path.read_text().replace('"file_name": "a.jpg"', address))
    data = read_usable(spec)
    assert [each.path for each in data.images] == [tmp_path / "val2017" / "a.jpg"]
    assert kinds(data) == []


def test_a_box_that_reaches_out_among_others_is_not_noted(tmp_path):
    save_images(tmp_path, "a.jpg")
    boxes: list[tuple[int, list[float]]] = [(0, [250, 200, 390, 290]), (0, [300, 200, 50, 50])]
    assert kinds(read_usable(coco(tmp_path, ["a.jpg"], boxes))) == []


def test_keypoints_in_shares_beside_boxes_in_px_are_noticed(tmp_path):
    save_images(tmp_path, "a.jpg")
    one: list[tuple[int, list[float]]] = [(0, [100, 60, 200, 120])]
    data = read_usable(coco(tmp_path, ["a.jpg"], one, keypoints=[0.5, 0.4, 2]))
    assert kinds(data) == [SHARES]
    assert ": 1 keypoint, the first of" in data.notes[0]
    data = read_usable(coco(tmp_path, ["a.jpg"], [(0, [0, 0, 9, 9])], keypoints=[1, 1, 2]))
    assert kinds(data) == []


@pytest.mark.parametrize(
    ("flags", "expected"), [((1, 1), [COVERED]), ((1, 2), []), ((1, 0), []), ((0, 0), [])]
)
def test_keypoints_that_are_all_covered_are_noted(tmp_path, flags, expected):
    save_images(tmp_path, "a.jpg")
    boxes: list[tuple[int, list[float]]] = [(0, [100, 60, 200, 120]), (0, [10, 20, 90, 90])]
    spec = coco(tmp_path, ["a.jpg"], boxes)
    path = tmp_path / "annotations.json"
    document = json.loads(path.read_text())
    for each, flag in zip(document["annotations"], flags, strict=True):
        each["keypoints"] = [each["bbox"][0] + 5, 70, flag]
    path.write_text(json.dumps(document))
    assert kinds(read_usable(spec)) == expected


def test_images_that_are_labelled_for_some_classes_are_noted(tmp_path):
    save_images(tmp_path, "a.jpg", "b.jpg")
    spec = coco(tmp_path, ["a.jpg", "b.jpg"], [(0, BOX), (1, BOX)])
    path = tmp_path / "annotations.json"  # as LVIS has it
    document = json.loads(path.read_text())
    document["categories"] += [{"id": n, "name": f"class {n}"} for n in (7, 8, 9)]
    document["annotations"].append(
        {"id": 9, "image_id": 1, "category_id": 9, "bbox": [9, 9, 200, 9]}
    )
    for each in document["images"]:
        each |= {"neg_category_ids": [7, 99], "not_exhaustive_category_ids": [9]}
    path.write_text(json.dumps(document))
    data = read_usable(spec)
    assert kinds(data) == [SOME_CLASSES]
    assert data.class_names == ("cat", "class 7", "class 8", "class 9")
    assert [each.targets.labelled_ids for each in data.images] == [{0, 1}, {0, 1}]
    aligned = align_classes(data, ("class 8", "class 7", "cat"))
    assert [each.targets.labelled_ids for each in aligned.images] == [{1, 2}, {1, 2}]
    known = label_sets(aligned.images, 3).known
    assert known.tolist() == [[False, True, True]] * 2


def test_keypoints_that_no_category_names_are_noted(tmp_path):
    save_images(tmp_path, "a.jpg")
    spec = coco(tmp_path, ["a.jpg"], [(0, BOX)], keypoints=[20, 30, 2])
    path = tmp_path / "annotations.json"
    path.write_text(path.read_text().replace('"keypoints": ["nose"]', '"keypoints": []'))
    assert kinds(read_usable(spec)) == [UNNAMED_POINTS]


def test_boxes_that_cvat_rotated_are_noted(tmp_path):
    save_images(tmp_path, "a.jpg")
    spec = coco(tmp_path, ["a.jpg"], [(0, BOX)])
    path = tmp_path / "annotations.json"
    path.write_text(path.read_text().replace('"bbox"', '"attributes": {"rotation": 20}, "bbox"'))
    assert kinds(read_usable(spec)) == [ROTATED]


@pytest.mark.parametrize("kind", ["points", "pts"])
def test_shares_of_points_are_noticed_too(tmp_path, kind):
    save_images(tmp_path, "a.jpg")
    (tmp_path / "points.csv").write_text("file,x,y\na.jpg,0.5,0.25\n")
    (tmp_path / "a.pts").write_text("{\n0.1 0.2\n0.3 0.9\n0.6 0.1\n}\n")
    place = tmp_path / "points.csv" if kind == "points" else tmp_path
    data = read_usable(f"{kind}:{place}")
    if kind == "pts":  # coordinates count from 1 there, so that these aren't shares of an image
        assert kinds(data) == [SHARES]
    else:
        assert kinds(data) == [READ_SHARES]
        assert data.images[0].targets.keypoints_xy.tolist() == [[[200, 75]]]
        assert data.images[0].targets.xyxy.tolist() == [[0, 0, 400, 300]]


def test_images_without_an_entry_are_counted(tmp_path):
    save_images(tmp_path, "a.jpg", "b.jpg", "c.png")
    data = read_usable(coco(tmp_path, ["a.jpg"], [(0, BOX)]))
    assert kinds(data) == [UNLISTED] * 2
    assert data.notes[0].startswith(f"{UNLISTED}: {tmp_path / 'b.jpg'} and 1 more")


def test_labels_without_an_image_and_images_without_labels_are_counted(tmp_path):
    labels = {"a.txt": LABEL, "gone.txt": LABEL, "classes.txt": "cat\n", "notes.txt": "see above"}
    data = read_usable(yolo(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], labels))
    assert kinds(data) == [NO_IMAGE, NO_LABELS, NO_LABELS]
    assert "gone.txt" in data.notes[0]
    assert "b.jpg and 1 more" in data.notes[1]
    assert len(data) == 3


def test_an_empty_file_of_labels_is_an_image_without_objects(tmp_path):
    data = read_usable(yolo(tmp_path, ["a.jpg", "b.jpg"], {"a.txt": LABEL, "b.txt": ""}))
    assert kinds(data) == []


def test_labels_are_fitted_to_images_of_a_similar_name(tmp_path):
    data = read_usable(
        yolo(tmp_path, ["my cat.jpg", "b.jpg"], {"my%20cat.txt": LABEL, "B.txt": LABEL})
    )
    assert objects(data) == 2
    assert kinds(data) == [FITTED, FITTED]


def test_a_missing_folder_of_labels_is_noted_once(tmp_path):
    yolo(tmp_path, [], {})
    save_images(tmp_path / "train" / "images", "a.jpg")
    (tmp_path / "train" / "labels").mkdir()
    (tmp_path / "train" / "labels" / "a.txt").write_text(LABEL)
    save_images(tmp_path / "valid" / "images", "b.jpg", "c.jpg")
    data = read_usable(f"yolo:{tmp_path}")
    assert kinds(data) == [NO_LABEL_FOLDER]
    assert str(tmp_path / "valid" / "labels") in data.notes[0]


def test_labels_beside_their_images_have_orphans_too(tmp_path):
    save_images(tmp_path, "a.jpg", "b.jpg")
    for name in ("a.txt", "gone.txt"):
        (tmp_path / name).write_text(LABEL)
    (tmp_path / "classes.txt").write_text("cat\n")
    assert kinds(read_usable(f"yolo:{tmp_path}")) == [NO_IMAGE, UNLISTED]


def test_a_copied_xml_file_without_an_image_does_not_add_to_that_of_another(tmp_path):
    same_object(tmp_path)
    (tmp_path / "b.xml").write_text(
        (tmp_path / "a.xml")
        .read_text()
        .replace("<object>", "<filename>a.jpg</filename><object>", 1)
    )
    data = read_usable(f"voc:{tmp_path}")
    assert [image.path.name for image in data.images] == ["a.jpg", "b.jpg"]


def test_labels_beside_their_images_are_fitted_too(tmp_path):
    save_images(tmp_path, "a.jpg", "B.JPG")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(LABEL)
    (tmp_path / "classes.txt").write_text("cat\n")
    data = read_usable(f"yolo:{tmp_path}")
    assert objects(data) == 2
    assert kinds(data) == [FITTED]


def test_images_that_cannot_be_read_are_not_called_missing(tmp_path):
    spec = yolo(tmp_path, ["a.jpg", "b.jpg"], {"a.txt": LABEL, "b.txt": LABEL})
    (tmp_path / "images/b.jpg").rename(tmp_path / "images/b.HEIC")
    data = read_usable(spec)
    assert (kinds(data), len(data)) == ([OTHER_FORMAT], 1)
    assert "b.HEIC. Convert it" in data.notes[0]
    (tmp_path / "images/a.jpg").unlink()
    with pytest.raises(DatasetError, match=r"a format that isn't read, such as b\.HEIC"):
        read_usable(spec)


def test_labels_of_another_split_are_no_orphans(tmp_path):
    yolo(tmp_path, ["a.jpg", "b.jpg"], {"a.txt": LABEL, "b.txt": LABEL, "gone.txt": LABEL})
    (tmp_path / "train.txt").write_text("images/a.jpg\n")
    (tmp_path / "data.yaml").write_text("names: [cat]\ntrain: train.txt\n")
    data = read_usable(f"yolo:{tmp_path}:train")
    assert [image.path.name for image in data.images] == ["a.jpg"]
    assert kinds(data) == [NO_IMAGE]
    assert "gone.txt" in data.notes[0]


def test_columns_that_are_not_read_are_named(tmp_path):
    save_images(tmp_path, "a.jpg")
    head = "file,class,xmin,ymin,xmax,ymax,nose_x,nose_y,area,Colour\n"
    (tmp_path / "labels.csv").write_text(head + "a.jpg,cat,1,2,30,40,5,6,7,8\n")
    data = read_usable(f"csv:{tmp_path / 'labels.csv'}")
    assert kinds(data) == [COLUMN, COLUMN]
    assert "'area' and 1 more" in data.notes[0]


def test_images_that_cannot_be_read_are_left_out(tmp_path):
    save_images(tmp_path, "a.jpg")
    data = read_usable(coco(tmp_path, ["a.jpg", "gone.jpg"], [(0, BOX), (1, BOX)]))
    pixels = np.zeros((300, 400, 3), np.uint8)
    kept = with_readable_images(data, lambda path: pixels if path.is_file() else None)
    assert [image.path.name for image in kept.images] == ["a.jpg"]
    assert "1 of 2 images left out: can't be read" in kept.notes[-1]
    with pytest.raises(DatasetError, match="2 of 2 images left out"):
        with_readable_images(data, lambda _path: None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty (0 bytes)"),
        (b"no image at all", "is not an image of a known format"),
        (None, "is damaged"),
    ],
)
def test_the_first_unreadable_image_is_named_with_the_reason(tmp_path, content, reason):
    save_images(tmp_path, "a.jpg", "b.jpg")
    data = read_usable(coco(tmp_path, ["a.jpg", "b.jpg"], [(0, BOX), (1, BOX)]))
    if content is not None:
        (tmp_path / "b.jpg").write_bytes(content)
    pixels = np.zeros((300, 400, 3), np.uint8)
    kept = with_readable_images(data, lambda path: pixels if path.name == "a.jpg" else None)
    assert kept.notes[-1].endswith(f"b.jpg {reason})")


def test_later_pages_of_a_file_are_not_scored_on_the_first(tmp_path):
    pages = [Image.new("RGB", (400, 300)) for _ in range(2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "b_0007.tif")  # frame 7 of a video
    rows = ["a.tif,0", "a.tif,1", "b_0007.tif,7"]
    text = "".join(f"{row},1,2,30,40,cat\n" for row in rows)
    (tmp_path / "labels.csv").write_text("file,frame,xmin,ymin,xmax,ymax,class\n" + text)
    data = read_usable(f"csv:{tmp_path / 'labels.csv'}")
    pixels = np.zeros((300, 400, 3), np.uint8)
    kept = with_readable_images(data, lambda _path: pixels)
    assert [image.frame_index for image in kept.images] == [0, 7]
    assert "image 1 of" in kept.notes[-1] and "a.tif" in kept.notes[-1]
    (one,) = check_sets([f"csv:{tmp_path / 'labels.csv'}"])
    assert [each.where for each in one.problems if each.is_error] == [
        f"{tmp_path / 'a.tif'}, image 1"
    ]


def test_an_image_with_a_box_outside_is_left_out(tmp_path):
    save_images(tmp_path, "a.jpg", "b.jpg")
    boxes = [(0, BOX), (1, BOX), (1, [500, 20, 30, 20])]
    data = read_usable(coco(tmp_path, ["a.jpg", "b.jpg"], boxes))
    pixels = np.zeros((300, 400, 3), np.uint8)
    kept = with_readable_images(data, lambda _path: pixels)
    assert [image.path.name for image in kept.images] == ["a.jpg"]
    assert kept.notes[0].startswith("1 of 2 entries left out: ")
    assert "b.jpg, object 2: 500, 20, 530, 40" in kept.notes[0]
