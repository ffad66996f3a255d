"""Files that cost little to make must cost little to read; bounds are counts, not times."""

import json
import os

import pytest

from kpviewer.annotations.limits import LimitError, decode_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.object_columns import ClassNumbers, ObjectColumns
from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.yolo_yaml import read_yolo_yaml
from kpviewer.errors import DatasetError


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("kind", ["coco", "csv", "points", "yolo-yaml"])
def test_a_pipe_in_place_of_a_file_is_refused_at_once(tmp_path, kind):
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    with pytest.raises(DatasetError, match="regular file"):
        if kind == "yolo-yaml":
            read_yolo_yaml(path)
        else:
            read_annotations(f"{kind}:{path}")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="the system has no /dev/zero")
def test_a_device_behind_a_link_is_refused(tmp_path):
    (tmp_path / "a.json").symlink_to("/dev/zero")
    with pytest.raises(DatasetError, match="regular file"):
        read_annotations(f"coco:{tmp_path / 'a.json'}")


def test_a_file_above_its_limit_is_refused_and_one_at_it_is_read(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1024)
    assert len(read_bounded(path, 1 / 1024)) == 1024
    path.write_bytes(b"x" * 1025)
    with pytest.raises(DatasetError, match="at most"):
        read_bounded(path, 1 / 1024)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "none"])
def test_names_that_no_file_can_have_are_reported(tmp_path, name):
    with pytest.raises(DatasetError, match="can't be read"):
        read_bounded(tmp_path / name, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_text_is_decoded_by_its_byte_order_mark(encoding):
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    assert decode_text(mark + "猫, Kätzchen".encode(encoding), "a.txt") == "猫, Kätzchen"


def test_text_in_another_encoding_is_refused_with_the_cure():
    with pytest.raises(DatasetError, match=r"a\.txt.*UTF-8"):
        decode_text("Kätzchen".encode("latin-1"), "a.txt")


def test_the_product_of_objects_and_keypoints_is_limited():
    columns = ObjectColumns("set", 10_000)
    with pytest.raises(LimitError, match="together"):
        for _ in range(2001):
            columns.add(0, (0, 0, 1, 1), 0)
    with pytest.raises(LimitError, match="keypoints of an object"):
        ObjectColumns("set", 10_001)


def test_classes_are_limited():
    numbers = ClassNumbers("set")
    with pytest.raises(LimitError, match="classes"):
        for number in range(50_001):
            numbers.number(str(number))


def test_a_limit_ends_a_reading_that_leaves_bad_entries_out():
    with pytest.raises(LimitError), Problems().collected(MALFORMED):
        raise LimitError("too many")


def test_coco_with_huge_lists_of_keypoints_is_refused_before_they_are_placed(tmp_path):
    path = tmp_path / "a.json"
    value = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 5, "height": 5}],
        "categories": [{"id": 1, "name": "c", "keypoints": ["a"] * 20_000}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}],
    }
    path.write_text(json.dumps(value))
    for problems in (STRICT, Problems()):
        with pytest.raises(LimitError, match="keypoints"):
            read_annotations(f"coco:{path}", problems)


def test_thousands_of_classes_are_numbered_in_one_pass(tmp_path):
    names = [f"c{number:05}" for number in range(5000)]
    rows = "".join(f"a.jpg,{name},1,2,{row + 3},4\n" for row, name in enumerate(names))
    (tmp_path / "a.csv").write_text("file,class,xmin,ymin,xmax,ymax\n" + rows)
    read = read_annotations(f"csv:{tmp_path / 'a.csv'}")
    assert read.class_names == tuple(names)
    assert read.images[0].targets.class_ids.tolist() == list(range(5000))


@pytest.mark.parametrize(
    "text",
    [
        "file,xmin,ymin,xmax,ymax\n" + "x" * (2**20 + 1),
        "x," * 2**20,
    ],
    ids=["row", "header"],
)
def test_a_table_with_an_endless_line_is_refused(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(LimitError, match="in a line"):
        read_annotations(f"csv:{tmp_path / 'a.csv'}")


def test_xml_of_too_many_elements_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("kpviewer.annotations.formats.voc.reader.MAX_ELEMENTS", 100)
    (tmp_path / "a.xml").write_text("<annotation>" + "<a/>" * 100 + "</annotation>")
    with pytest.raises(DatasetError, match="more than 100 elements"):
        read_annotations(f"voc:{tmp_path}")


@pytest.mark.parametrize("kind", ["coco", "csv", "voc"])
def test_names_that_no_file_can_have_leave_the_entry_out(tmp_path, kind):
    name = "x" * 300 + ".jpg"
    image = {"id": 1, "file_name": name}
    texts = {
        "coco": json.dumps({"images": [image], "annotations": [], "categories": []}),
        "csv": f"file,xmin,ymin,xmax,ymax\n{name},1,2,3,4\n",
        "voc": f"<annotation><filename>{name}</filename></annotation>",
    }
    path = tmp_path / ("a.xml" if kind == "voc" else "a")
    path.write_text(texts[kind])
    problems = Problems()
    assert not read_annotations(f"{kind}:{tmp_path if kind == 'voc' else path}", problems).images
    assert ["file name" in problem.where for problem in problems] == [True]


def test_messages_name_the_first_of_many_splits(tmp_path):
    rows = "".join(f"a{row}.jpg,1,2,split{row}\n" for row in range(500))
    (tmp_path / "a.csv").write_text("file,x,y,split\n" + rows)
    with pytest.raises(DatasetError, match=r"and \d+ more") as caught:
        read_annotations(f"points:{tmp_path / 'a.csv'}:none")
    assert len(str(caught.value)) < 400


def test_errors_of_libraries_are_cut_to_a_line(tmp_path):
    (tmp_path / "a.xml").write_text(
        f"<?xml version='1.0' encoding='utf{'9' * 5000}'?><annotation/>"
    )
    with pytest.raises(DatasetError, match="unknown encoding") as caught:
        read_annotations(f"voc:{tmp_path}")
    assert len(str(caught.value)) < 500 + len(str(tmp_path))
