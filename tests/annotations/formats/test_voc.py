from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.annotations.problems import NO_LABELS, Problems
from kpviewer.errors import DatasetError
from tests.annotations.public_sets import voc_2012

IMAGE = """<annotation>
  <folder>x</folder><filename>{name}.jpg</filename><path>/home/someone/{name}.jpg</path>
  <source><database>Own</database></source>
  <size><width>100</width><height>80</height><depth>3</depth></size>
  {objects}
</annotation>"""

OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult>
  <bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox>
  <part><name>ear</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>1</xmax><ymax>1</ymax></bndbox></part>
</object>"""


def thing(name="cat", box=(1, 2, 30, 40), difficult=0):
    return OBJECT.format(name=name, box=box, difficult=difficult)


@pytest.fixture
def voc(tmp_path):
    """A folder in the layout of VOC with three images and two splits."""
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    contents = {
        "one": thing("dog") + thing("cat", (5, 6, 70.5, 80), difficult=1),
        "two": thing("ant"),
        "three": "",
    }
    for name, objects in contents.items():
        text = IMAGE.format(name=name, objects=objects)
        (tmp_path / "Annotations" / f"{name}.xml").write_text(text)
        (tmp_path / "JPEGImages" / f"{name}.PNG").touch()
    (tmp_path / "ImageSets/Main/train.txt").write_text("three\none  1\n")
    (tmp_path / "ImageSets/Main/val.txt").write_text("two\n")
    return tmp_path


def test_split_gives_its_images_in_the_order_of_the_list(voc):
    read = read_voc(voc, "train")
    assert [image.path.name for image in read.images] == ["three.PNG", "one.PNG"]
    assert [len(image.targets) for image in read.images] == [0, 2]


@pytest.mark.parametrize(("of_file", "of_list"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
@pytest.mark.parametrize("line", ["bär", "bär.jpg", "bär  1", "bär  -1", "a café  1"])
def test_a_list_may_have_another_unicode_form_than_its_files(voc, of_file, of_list, line):
    name = normalize(of_file, "a café" if "café" in line else "bär")
    text = IMAGE.format(name=name, objects=thing())
    (voc / "Annotations" / f"{name}.xml").write_text(text, "utf-8")
    (voc / "JPEGImages" / f"{name}.jpg").touch()
    (voc / "ImageSets/Main/val.txt").write_text(normalize(of_list, f"two\n{line}\n"), "utf-8")
    read = read_voc(voc, "val")
    own = [] if "-1" in line else [f"{name}.jpg"]
    assert [image.path.name for image in read.images] == ["two.PNG", *own]


def test_a_listed_image_without_its_file_is_not_that_of_another_image(voc):
    (voc / "ImageSets/Main/val.txt").write_text("one.5\n")  # a dot in the name, no suffix
    with pytest.raises(DatasetError, match=r"one\.5\.xml can't be read"):
        read_voc(voc, "val")


@pytest.mark.parametrize(
    ("name", "line"), [("four", "four"), ("four", "four  0"), ("a b 1", "a b 1"), ("a b", "a b")]
)
def test_a_listed_image_without_a_file_shows_nothing(voc, name, line):
    (voc / f"JPEGImages/{name}.jpg").touch()
    (voc / "ImageSets/Main/val.txt").write_text(f"two\n{line}\n")  # as CVAT lists it
    problems = Problems()
    read = read_voc(voc, "val", problems)
    assert [image.path.name for image in read.images] == ["two.PNG", f"{name}.jpg"]
    assert [len(image.targets) for image in read.images] == [1, 0]
    assert [(each.what, each.is_error) for each in problems] == [(NO_LABELS, False)]
    assert len(read_voc(voc, "val").images) == 2


@pytest.fixture
def voc_of_folders(voc):
    """Images of one name in two folders, as CVAT and Datumaro write them."""
    for folder in "ab":
        for place in ("Annotations", "JPEGImages"):
            (voc / place / folder).mkdir()
        text = IMAGE.format(name=f"{folder}/1", objects=thing(folder))
        (voc / f"Annotations/{folder}/1.xml").write_text(text)
        (voc / f"JPEGImages/{folder}/1.jpg").touch()
    return voc


def listed(voc, line):
    lines = "".join(f"{line.format(each)}\n" for each in ("b", "a"))
    (voc / "ImageSets/Main/val.txt").write_text(lines)
    return [
        (image.path.parent.name, [read.class_names[each] for each in image.targets.class_ids])
        for read in [read_voc(voc, "val")]
        for image in read.images
    ]


@pytest.mark.parametrize(
    "line", ["{}/1", "{}/1.jpg", "JPEGImages/{}/1.jpg", "/old/{}/1.xml", r"{}\1"]
)
def test_listed_images_of_one_name_in_two_folders_are_two(voc_of_folders, line):
    assert listed(voc_of_folders, line) == [("b", ["b"]), ("a", ["a"])]


@pytest.mark.parametrize("line", ["{}/1", "JPEGImages/{}/1.jpg"])
def test_a_listed_image_has_no_objects_of_its_name_in_another_folder(voc_of_folders, line):
    (voc_of_folders / "Annotations/b/1.xml").unlink()  # CVAT writes none without objects
    assert listed(voc_of_folders, line) == [("b", []), ("a", ["a"])]


@pytest.mark.parametrize("split", [None, "val"])
def test_a_missing_image_is_not_that_of_its_name_in_another_folder(voc_of_folders, split):
    (voc_of_folders / "JPEGImages/b/1.jpg").unlink()
    (voc_of_folders / "ImageSets/Main/val.txt").write_text("b/1\n")
    paths = [image.path for image in read_voc(voc_of_folders, split).images]
    assert voc_of_folders / "JPEGImages/b/1.jpg" in paths
    assert paths.count(voc_of_folders / "JPEGImages/a/1.jpg") == (split is None)


def test_without_a_split_every_file_is_read(voc):
    read = read_voc(voc)
    assert [image.path.stem for image in read.images] == ["one", "three", "two"]
    assert read.class_names == ("ant", "cat", "dog")


def test_objects_keep_box_class_and_difficulty(voc):
    one = read_voc(voc, "train").images[1]
    assert one.targets.xyxy.tolist() == [[1, 2, 30, 40], [5, 6, 70.5, 80]]
    assert one.targets.class_ids.tolist() == [1, 0]  # dog, cat
    assert one.targets.difficult.tolist() == [False, True]
    assert (one.size_wh, one.source) == ((100, 80), "Own")


def test_boxes_that_cvat_rotated_become_upright(tmp_path):
    angle = "<attribute><name>occluded</name><value>False</value></attribute>"
    angle += "<attribute><name>rotation</name><value>45.0</value></attribute>"
    rotated = thing(box=(10, 20, 40, 60)).replace(
        "<bnd", f"<attributes>{angle}</attributes><bnd", 1
    )
    (tmp_path / "a.xml").write_text(IMAGE.format(name="a", objects=rotated))
    (tmp_path / "a.jpg").touch()
    read = read_voc(tmp_path)
    reach, less = 35 / 2**0.5, 5 / 2**0.5  # half of sum and difference of the sides, turned
    corners = 25 + np.array([[less, -reach], [reach, -less], [-less, reach], [-reach, less]])
    corners += [0, 15]  # the upper left one comes first
    np.testing.assert_allclose(read.images[0].targets.outlines_xy, [corners], atol=1e-4)
    box = [[25 - reach, 40 - reach, 25 + reach, 40 + reach]]
    np.testing.assert_allclose(read.images[0].targets.xyxy, box, atol=1e-4)


def test_rotated_boxes_of_rolabelimg_become_upright(tmp_path):
    names, values = ("cx", "cy", "w", "h", "angle"), (50, 40, 30, 40, np.pi / 2)
    sides = "".join(f"<{n}>{value}</{n}>" for n, value in zip(names, values, strict=True))
    rotated = f"<object><type>robndbox</type><name>cat</name><robndbox>{sides}</robndbox></object>"
    upright = "<object><type>bndbox</type><name>cat</name>" + thing().partition("</difficult>")[2]
    (tmp_path / "a.xml").write_text(IMAGE.format(name="a", objects=rotated + upright))
    (tmp_path / "a.jpg").touch()
    read = read_voc(tmp_path)
    assert read.images[0].targets.xyxy.tolist() == [
        pytest.approx([30, 25, 70, 55]),
        [1, 2, 30, 40],
    ]


def test_unknown_split_is_reported_with_those_there_are(voc):
    (voc / "classes.txt").write_text("cat\n")  # of kpviewer's own folders, and no split
    with pytest.raises(DatasetError, match=r"'test'; its lists: train, val\."):
        read_voc(voc, "test")


def test_split_may_not_lead_out_of_its_folder(voc):
    (voc / "ImageSets/Main/val.txt").write_text("../../secret\n")
    with pytest.raises(DatasetError, match="names"):
        read_voc(voc, "val")


def test_folder_of_labelimg_holds_images_and_files_together(tmp_path):
    (tmp_path / "a.xml").write_text(IMAGE.format(name="other", objects=thing()))
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b.xml").write_text(IMAGE.format(name="b", objects=thing()))
    read = read_voc(tmp_path)
    assert [image.path for image in read.images] == [tmp_path / "a.jpg", tmp_path / "b.jpg"]


def test_boxes_without_area_are_left_out_and_counted(tmp_path):
    objects = thing(box=(5, 5, 5, 9)) + thing(box=(9, 5, 5, 9)) + thing()
    (tmp_path / "a.xml").write_text(IMAGE.format(name="a", objects=objects))
    read = read_voc(tmp_path)
    assert len(read.images[0].targets) == 1
    assert read.notes == ("2 objects left out: boxes without area",)


def test_objects_in_a_list_of_their_own_are_read(tmp_path):
    objects = f"<objects>{thing()}{thing('dog')}</objects>"
    (tmp_path / "a.xml").write_text(IMAGE.format(name="a", objects=objects))
    assert len(read_voc(tmp_path).images[0].targets) == 2


def test_a_document_type_is_refused_with_the_cure(tmp_path):
    (tmp_path / "a.xml").write_text("<!DOCTYPE annotation><annotation/>")
    with pytest.raises(DatasetError, match=r"a document type, which isn't read\. Remove"):
        read_voc(tmp_path)


def test_an_unspecified_size_is_zero(tmp_path):
    (tmp_path / "a.xml").write_text("<annotation><size><width>0</width></size></annotation>")
    assert read_voc(tmp_path).images[0].size_wh == (0, 0)


def test_a_polygon_of_labelme_is_no_box_without_its_left(tmp_path):
    points = "<polygon><pt><x>1</x><y>2</y></pt></polygon>"
    text = IMAGE.format(name="a", objects=f"<object><name>cat</name>{points}</object>")
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(
        DatasetError, match=r"a\.xml, object 1: an object needs a <bndbox>, got none"
    ):
        read_voc(tmp_path)


LAUGHS = '<!DOCTYPE a [<!ENTITY x "ha">]><annotation><filename>&x;</filename></annotation>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<annotation>",
        "<html/>",
        LAUGHS,
        "<annotation>" + "<a>" * 40 + "</a>" * 40 + "</annotation>",
        IMAGE.format(name="a", objects=thing(name=" ")),
        IMAGE.format(name="a", objects=thing(box=(1, 2, "nan", 4))),
        IMAGE.format(name="a", objects=thing(box=(1, 2, "1e9", 4))),
        IMAGE.format(name="a", objects=thing(box=(1, 2, "", 4))),
        IMAGE.format(name="a", objects="<object><name>cat</name></object>"),
        "<?xml version='1.0' encoding='nonsense'?><annotation/>",
    ],
    ids=["empty", "cut", "other root", "entities", "deep", "no name", "nan", "huge", "blank",
         "no box", "unknown encoding"],
)  # fmt: skip
def test_malformed_file_is_reported_by_its_name(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DatasetError, match=r"a\.xml"):
        read_voc(tmp_path)


@pytest.mark.parametrize("holder", ["JPEGImages", "images"])
def test_sets_side_by_side_may_have_images_of_one_name(tmp_path, holder):
    for name, cls in (("A", "cat"), ("B", "dog")):
        for folder in (holder, "Annotations"):
            (tmp_path / name / folder).mkdir(parents=True)
        (tmp_path / name / holder / "1.jpg").touch()
        text = IMAGE.format(name="1", objects=thing(cls))
        (tmp_path / name / "Annotations/1.xml").write_text(text)
    read = read_voc(tmp_path)
    assert [image.path for image in read.images] == [
        tmp_path / name / holder / "1.jpg" for name in "AB"
    ]


def test_an_image_of_an_unknown_format_keeps_its_name(tmp_path):
    (tmp_path / "one.xml").write_text(
        f"<annotation><filename>one.heic</filename>{thing()}</annotation>"
    )
    (tmp_path / "one.heic").touch()
    assert [image.path.name for image in read_voc(tmp_path).images] == ["one.heic"]


def test_folder_without_files_is_reported(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(DatasetError, match="XML"):
            read_voc(folder)


VALID = IMAGE.format(name="a", objects=thing()).encode()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(VALID)), st.integers(0, 20), st.binary(max_size=8))
def test_any_damage_gives_a_set_or_a_dataset_error(tmp_path, start, length, junk):
    (tmp_path / "a.xml").write_bytes(VALID[:start] + junk + VALID[start + length :])
    try:
        read = read_voc(tmp_path)
    except DatasetError:
        return
    assert len(read) == 1


def test_sets_of_the_shared_data_are_read(shared_data):
    read = read_voc(shared_data / "bccd", "train")
    assert read.class_names == ("Platelets", "RBC", "WBC")
    assert len(read) == 205
    assert all(image.path.is_file() for image in read.images)


@pytest.mark.parametrize(("split", "count"), [("train", 2), ("val", 2), ("trainval", 4)])
def test_voc_2012_is_read_as_it_unpacks(tmp_path, split, count):
    root = voc_2012(tmp_path)
    read = read_voc(root, split)
    assert len(read) == count
    assert read.class_names == ("horse", "person")
    first = read.images[0]
    assert first.path.parent == root / "JPEGImages"
    # a part of an object, such as a head, is no object
    wanted = np.array([[53, 87, 471, 420], [158.70000076293945, 44, 289, 167]], np.float32)
    assert np.array_equal(first.targets.xyxy, wanted)


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: text.replace("<annotation>", '<annotation xmlns="urn:voc">'),
        lambda text: text.replace("object>", "Object>").replace("name>", "Name>"),
        lambda text: text.replace("<difficult>1", "<difficult>True"),
    ],
    ids=["namespace", "capitals", "True"],
)
def test_names_of_elements_may_be_written_otherwise(voc, rewritten):
    path = voc / "Annotations/one.xml"
    before = read_voc(voc).images[0].targets
    path.write_text(rewritten(path.read_text()))
    after = read_voc(voc).images[0].targets
    assert after.xyxy.tolist() == before.xyxy.tolist() == [[1, 2, 30, 40], [5, 6, 70.5, 80]]
    assert after.difficult.tolist() == [False, True]


@pytest.mark.parametrize(
    ("declared", "codec", "name"),
    [
        ("gb2312", "gb18030", "猫"),
        ("Shift_JIS", "shift_jis", "ねこ"),
        ("euc-kr", "euc-kr", "고양이"),
    ],
)
def test_encodings_of_asia_are_read(tmp_path, declared, codec, name):
    text = f'<?xml version="1.0" encoding="{declared}"?>\n' + IMAGE.format(
        name="one", objects=thing(name)
    )
    (tmp_path / "one.xml").write_bytes(text.encode(codec))
    (tmp_path / "one.jpg").touch()
    assert read_voc(tmp_path).class_names == (name,)


def test_text_that_is_not_in_its_encoding_is_refused(tmp_path):
    (tmp_path / "one.xml").write_bytes(b'<?xml version="1.0" encoding="gb2312"?><annotation>\xff')
    with pytest.raises(DatasetError, match="must be a Pascal VOC XML file"):
        read_voc(tmp_path)
