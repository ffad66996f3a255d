"""One bad entry never refuses a set: the rest is read, and a note counts what is left out."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kpviewer.annotations import problems
from kpviewer.annotations.problems import (
    CURES,
    NO_AREA,
    WRONG_SIZE,
    Problem,
    left_out,
    problem_notes,
)
from kpviewer.annotations.spec import read_annotations, read_usable
from kpviewer.errors import DatasetError

GOOD_LINE = "0 0.5 0.4 0.5 0.4\n"
GOOD_BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>20</ymax></bndbox>"
GOOD_ROW = "a.jpg,cat,1,2,30,20\n"
HEAD = "file,class,xmin,ymin,xmax,ymax\n"


def save_images(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (40, 30)).save(folder / name)


def yolo(folder: Path, bad: str | bytes, names: str = "names: [cat]\n") -> str:
    save_images(folder / "images", "a.jpg", "b.jpg")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text(GOOD_LINE)
    data = bad.encode() if isinstance(bad, str) else bad
    (folder / "labels" / "b.txt").write_bytes(data)
    (folder / "data.yaml").write_text(names)
    return f"yolo:{folder}"


def voc(folder: Path, bad: str | bytes) -> str:
    save_images(folder, "a.jpg", "b.jpg")
    (folder / "a.xml").write_text(xml(f"<object><name>cat</name>{GOOD_BOX}</object>"))
    (folder / "b.xml").write_bytes(bad.encode() if isinstance(bad, str) else bad)
    return f"voc:{folder}"


def xml(objects: str, size: str = "") -> str:
    return f"<annotation><filename>b.jpg</filename>{size}{objects}</annotation>"


def object_xml(xmin: object = 1, ymin: object = 2, xmax: object = 30, ymax: object = 20) -> str:
    sides = {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}
    box = "".join(f"<{name}>{value}</{name}>" for name, value in sides.items())
    return xml(f"<object><name>cat</name><bndbox>{box}</bndbox></object>")


def coco(folder: Path, bad: dict[str, Any]) -> str:
    """Two annotations, the second changed by ``bad``."""
    good = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 18]}
    return coco_with(folder, {"annotations": [{**good, "id": 2, "image_id": 2, **bad}]})


def coco_with(folder: Path, more: dict[str, list[Any]]) -> str:
    """A good set of one object on two images, and more entries behind the good ones."""
    save_images(folder, "a.jpg", "b.jpg")
    document: dict[str, list[Any]] = {
        "images": [
            {"id": 1, "file_name": "a.jpg", "width": 40, "height": 30},
            {"id": 2, "file_name": "b.jpg", "width": 40, "height": 30},
        ],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 18]}],
        "categories": [{"id": 1, "name": "cat", "keypoints": ["nose"]}],
    }
    document = {key: found + more.get(key, []) for key, found in document.items()}
    (folder / "annotations.json").write_text(json.dumps(document))
    return f"coco:{folder / 'annotations.json'}"


def csv(folder: Path, bad: str) -> str:
    save_images(folder, "a.jpg", "b.jpg")
    (folder / "labels.csv").write_text(HEAD + GOOD_ROW + bad)
    return f"csv:{folder / 'labels.csv'}"


def pts(folder: Path, bad: str) -> str:
    save_images(folder, "a.jpg", "b.jpg")
    (folder / "a.pts").write_text("version: 1\nn_points: 3\n{\n1 2\n30 4\n5 20\n}\n")
    (folder / "b.pts").write_text(bad)
    return f"pts:{folder}"


def points(folder: Path, bad: str) -> str:
    save_images(folder, "a.jpg", "b.jpg")
    (folder / "points.csv").write_text("file,x,y\na.jpg,10,12\n" + bad)
    return f"points:{folder / 'points.csv'}"


def celeba(folder: Path, bad: str) -> str:
    row = "a.jpg 69 109 106 113 77 142 73 152 108 154\n"
    head = "2\nlefteye_x lefteye_y\n"
    (folder / "list_landmarks_align_celeba.txt").write_text(head + row + bad)
    return f"celeba:{folder}"


BAD = {
    "yolo: share over 1": (yolo, "0 1.2 0.4 0.5 0.4\n"),
    "yolo: pixels": (yolo, "0 20 12 10 8\n"),
    "yolo: negative size": (yolo, "0 0.5 0.4 -0.5 0.4\n"),
    "yolo: no width": (yolo, "0 0.5 0.4 0 0.4\n"),
    "yolo: not a number": (yolo, "0 nan 0.4 0.5 0.4\n"),
    "yolo: words": (yolo, "bird 0.5 0.4 0.5 0.4\n"),
    "yolo: unknown class": (yolo, "1 0.5 0.4 0.5 0.4\n"),
    "yolo: two numbers": (yolo, "0 0.5\n"),
    "yolo: no text at all": (yolo, bytes(range(256))),
    "yolo: points without a shape": (yolo, "0 0.5 0.4 0.5 0.4 0.1 0.1 2\n"),
    "voc: no number": (voc, object_xml(xmin="NaN")),
    "voc: negative size": (voc, object_xml(xmin=30, xmax=1)),
    "voc: infinite": (voc, object_xml(xmax="inf")),
    "voc: no box": (voc, xml("<object><name>cat</name></object>")),
    "voc: a turned box": (
        voc,
        xml("<object><name>cat</name><robndbox><cx>1</cx></robndbox></object>"),
    ),
    "voc: no name": (voc, xml(f"<object>{GOOD_BOX}</object>")),
    "voc: cut": (voc, object_xml()[:60]),
    "voc: empty": (voc, ""),
    "voc: another root": (voc, "<html/>"),
    "voc: no text at all": (voc, bytes(range(256))),
    "voc: bad size": (
        voc,
        xml("", "<size><width>-4</width><height>3</height></size>"),
    ),
    "coco: bbox of two": (coco, {"bbox": [1, 2]}),
    "coco: bbox of nothing": (coco, {"bbox": []}),
    "coco: bbox is null": (coco, {"bbox": None}),
    "coco: bbox of words": (coco, {"bbox": ["a", 1, 2, 3]}),
    "coco: bbox not a number": (coco, {"bbox": [float("nan"), 1, 2, 3]}),
    "coco: bbox negative": (coco, {"bbox": [20, 20, -5, 10]}),
    "coco: unknown class": (coco, {"category_id": 9}),
    "coco: class is null": (coco, {"category_id": None}),
    "coco: class is a list": (coco, {"category_id": [1]}),
    "coco: unknown image": (coco, {"image_id": 99}),
    "coco: no image": (coco, {"image_id": None}),
    "coco: five points": (coco, {"keypoints": [1, 2, 2, 3, 4]}),
    "coco: point not a number": (coco, {"keypoints": [1, float("inf"), 2]}),
    "coco: annotation is null": (coco_with, {"annotations": [None]}),
    "coco: image is a number": (coco_with, {"images": [7]}),
    "coco: image without a name": (coco_with, {"images": [{"id": 3, "width": 4, "height": 3}]}),
    "coco: image without an id": (
        coco_with,
        {"images": [{"file_name": "c.jpg", "width": 4, "height": 3}]},
    ),
    "coco: image id twice": (
        coco_with,
        {"images": [{"id": 1, "file_name": "c.jpg", "width": 4, "height": 3}]},
    ),
    "coco: class without an id": (coco_with, {"categories": [{"name": "dog"}]}),
    "coco: class id twice": (coco_with, {"categories": [{"id": 1, "name": "dog"}]}),
    "csv: not a number": (csv, "b.jpg,cat,x,2,30,20\n"),
    "csv: NaN": (csv, "b.jpg,cat,nan,2,30,20\n"),
    "csv: half a box": (csv, "b.jpg,cat,1,,30,20\n"),
    "csv: cut line": (csv, "b.jpg,cat\n"),
    "csv: inverted": (csv, "b.jpg,cat,30,2,1,20\n"),
    "csv: too many cells": (csv, "b.jpg,cat,1,2,30,20,7,7\n"),
    "csv: a quote that isn't closed": (csv, 'b.jpg,"cat,1,2,30,20\n'),
    "csv: a stray quote": (csv, 'b.jpg,"cat"x,1,2,30,20\n'),
    "csv: no file": (csv, ",cat,1,2,30,20\n"),
    "csv: leaves the folder": (csv, "../../c.jpg,cat,1,2,30,20\n"),
    "pts: empty": (pts, ""),
    "pts: another number of points": (pts, "{\n1 2\n3 4\n}\n"),
    "pts: words": (pts, "{\na b\n3 4\n5 6\n}\n"),
    "points: not a number": (points, "b.jpg,x,1\n"),
    "points: no image": (points, "c.jpg,1,1\n"),
    "points: twice": (points, "a.jpg,1,1\n"),
    "celeba: cut": (celeba, "b.jpg 69 109\n"),
    "celeba: words": (celeba, "b.jpg " + "x " * 10 + "\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_the_rest_of_a_set_with_one_bad_entry_is_read_with_a_note(tmp_path, kind):
    make, bad = BAD[kind]
    data = read_usable(make(tmp_path, bad))  # type: ignore[operator]
    assert sum(len(image.targets) for image in data.images) == 1
    assert sum(problem.is_error for problem in data.problems) == 1
    if "no width" in kind:  # nothing is lost that a model could see
        assert data.notes[0].startswith(f"{NO_AREA}: ")
    else:
        assert data.notes[0].startswith("1 of ")
        assert " entries left out: " in data.notes[0]


@pytest.mark.parametrize("kind", ["yolo: share over 1", "voc: cut", "coco: bbox of two"])
def test_training_refuses_the_same_set(tmp_path, kind):
    make, bad = BAD[kind]
    with pytest.raises(DatasetError):
        read_annotations(make(tmp_path, bad))  # type: ignore[operator]


def test_note_counts_the_entries_and_names_the_first(tmp_path):
    lines = GOOD_LINE + "0 1.2 0.4 0.5 0.4\n" + "7 0.5 0.4 0.5 0.4\n"
    (note,) = read_usable(yolo(tmp_path, lines)).notes
    assert note.startswith("1 of 2 entries left out: ")  # an image with all its objects is one
    assert "b.txt, line 2" in note
    assert "check-data" in note


@pytest.mark.parametrize(
    ("make", "bad"),
    [
        (yolo, GOOD_LINE + "0 1.2 0.4 0.5 0.4\n"),
        (
            voc,
            object_xml(xmin="NaN").replace(
                "</annotation>", f"<object><name>cat</name>{GOOD_BOX}</object></annotation>"
            ),
        ),
        (coco, {"bbox": [1, 2]}),
        (csv, "b.jpg,cat,1,2,30,20\nb.jpg,cat,x,2,30,20\n"),
    ],
)
def test_an_image_with_an_unusable_object_is_left_out(tmp_path, make, bad):
    data = read_usable(make(tmp_path, bad))  # what a model sees there might be right
    assert [image.path.name for image in data.images] == ["a.jpg"]


def test_rows_behind_one_with_a_wrong_quote_are_read(tmp_path):
    rows = "".join(f'b.jpg,"cat,{n},2,30,20\n' + f"c{n}.jpg,cat,1,2,30,20\n" for n in range(50))
    data = read_usable(csv(tmp_path, rows))
    assert sum(len(image.targets) for image in data.images) == 51
    assert data.notes[0].startswith("50 of 101 entries left out: ")
    assert "in line 3" in data.notes[0]


def test_an_unreadable_label_file_does_not_make_an_empty_image(tmp_path):
    spec = yolo(tmp_path, GOOD_LINE)
    (tmp_path / "labels" / "b.txt").unlink()
    (tmp_path / "labels" / "b.txt").mkdir()
    data = read_usable(spec)
    assert [image.path.name for image in data.images] == ["a.jpg"]
    assert data.notes[0].startswith("1 of 2 entries left out: ")


def test_the_only_image_with_objects_is_kept_without_the_bad_one(tmp_path):
    spec = yolo(tmp_path, GOOD_LINE + "0 1.2 0.4 0.5 0.4\n")
    (tmp_path / "labels" / "a.txt").write_text("")
    data = read_usable(spec)
    assert [len(image.targets) for image in data.images] == [0, 1]
    assert data.notes[0].startswith("1 of 3 entries left out: ")


def test_a_set_without_a_usable_entry_is_an_error(tmp_path):
    spec = yolo(tmp_path, "0 20 12 10 8\n")
    (tmp_path / "labels" / "a.txt").write_text("0 20 12 10 8\n")
    with pytest.raises(DatasetError, match=r"2 of 2 entries left out: .*pixels"):
        read_usable(spec)


def test_an_empty_set_without_problems_is_read():
    assert problem_notes(()) == ()


def test_warnings_have_one_note_for_each_kind():
    places = [Problem(WRONG_SIZE, f"{name}.jpg", is_error=False) for name in "abc"]
    (note,) = problem_notes(places)
    assert note.startswith(f"{WRONG_SIZE}: a.jpg and 2 more. ")
    assert note.endswith(CURES[WRONG_SIZE])


def test_every_kind_of_problem_has_one_sentence_of_advice():
    kinds = {
        value for name, value in vars(problems).items() if name.isupper() and isinstance(value, str)
    }
    assert kinds == set(CURES)
    assert all(cure.count(". ") == 0 and cure.endswith(".") for cure in CURES.values())


def test_notes_on_left_out_entries_have_one_form():
    assert left_out(1, 2, "images", "can't be read", "b.jpg") == (
        "1 of 2 images left out: can't be read (b.jpg)"
    )
    assert left_out(3, 9, "files", "no known format", "c.heic").endswith("(c.heic and 2 more)")
