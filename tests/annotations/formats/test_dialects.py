"""Text in the dialects that editors, spreadsheets and tools write."""

import json

import numpy as np
import pytest

from kpviewer.annotations.formats.tables.objects import read_csv
from kpviewer.annotations.problems import Problems
from kpviewer.annotations.spec import read_annotations, read_usable
from kpviewer.errors import DatasetError
from tests.annotations.formats.layout_samples import BOX, LABEL, NAMES, coco, laid_out

YOLO = {
    "bom": LABEL.encode("utf-8-sig"),
    "utf-16": LABEL.encode("utf-16"),
    "crlf": LABEL.replace("\n", "\r\n"),
    "cr": "\r" + LABEL.replace("\n", "\r"),
    "blanks": "  0   0.5 0.4  0.5 0.4   \n\n \n",
    "tabs": LABEL.replace(" ", "\t"),
    "class 0.0": "0.0 0.5 0.4 0.5 0.4",
    "class by name": "cat 0.5 0.4 0.5 0.4",
    "commas": "0,0.5,0.4,0.5,0.4",
    "commas and blanks": "0, 0.5, 0.4, 0.5, 0.4",
    "decimal commas": "0 0,5 0,4 0,5 0,4",
    "semicolons": "0;0,5;0,4;0,5;0,4",
    "comments": "# by hand\n0 0.5 0.4 0.5 0.4 # a cat\n",
    "header": "class x_center y_center width height\n" + LABEL,
    "score": "0 0.5 0.4 0.5 0.4 0.93\n",
    "score and track": "0 0.5 0.4 0.5 0.4 0.93 1\n",
    "score and later track": "0 0.5 0.4 0.5 0.4 0.93 12\n",
    "exponents": "0 5e-1 .4 5.0E-01 4e-1\n",
    "end of file mark": LABEL + "\x1a",
}


@pytest.mark.parametrize("dialect", YOLO)
def test_label_files_of_yolo_are_read_in_each_dialect(tmp_path, dialect):
    laid_out(tmp_path, {"images/a.png": None, "labels/a.txt": YOLO[dialect], "data.yaml": NAMES})
    (image,) = read_annotations(f"yolo:{tmp_path}").images
    assert image.targets.xyxy.round(3).tolist() == [BOX]


def test_a_caption_is_no_header_of_an_empty_file(tmp_path):
    files = {"images/a.png": None, "labels/a.txt": "a photo of a cat\n", "data.yaml": NAMES}
    laid_out(tmp_path, files)
    with pytest.raises(DatasetError, match=r"a\.txt, line 1"):
        read_annotations(f"yolo:{tmp_path}")


def test_names_in_labels_make_the_list_where_there_is_none(tmp_path):
    text = "traffic light 0.5 0.4 0.5 0.4\ncat 0.1 0.1 0.1 0.1\n"
    laid_out(tmp_path, {"images/a.png": None, "labels/a.txt": text})
    read = read_annotations(f"yolo:{tmp_path}")
    assert read.class_names == ("cat", "traffic light")
    assert read.images[0].targets.class_ids.tolist() == [1, 0]


@pytest.mark.parametrize(
    "text", ["0 .1 .1 .1 .1\ncat .1 .1 .1 .1", "cat .1 .1 .1 .1\n0 .1 .1 .1 .1"]
)
def test_names_and_numbers_without_a_list_contradict_each_other(tmp_path, text):
    laid_out(tmp_path, {"images/a.png": None, "labels/a.txt": text})
    problems = Problems()
    read = read_annotations(f"yolo:{tmp_path}", problems)
    assert len(read.images[0].targets) == 1  # the first decides
    assert "classes.txt" in problems[0].where


@pytest.mark.parametrize("word", ["0.5", "-1", "1e9", "9" * 5000, "nan", "bird"])
def test_an_invalid_class_is_reported(tmp_path, word):
    text = f"{word} 0.5 0.4 0.5 0.4\n"
    laid_out(tmp_path, {"images/a.png": None, "labels/a.txt": text, "data.yaml": NAMES})
    with pytest.raises(DatasetError, match=r"a\.txt, line 1: the class"):
        read_annotations(f"yolo:{tmp_path}")


HEAD = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
ROW = "a.jpg,400,300,cat,100,60,300,180\n"
VIA = (
    "filename,file_size,file_attributes,region_count,region_id,"
    "region_shape_attributes,region_attributes\n"
)
CSV = {
    "tensorflow": HEAD + ROW,
    "bom": (HEAD + ROW).encode("utf-8-sig"),
    "utf-16, as Excel's": (HEAD + ROW).replace(",", "\t").encode("utf-16"),
    "crlf": (HEAD + ROW).replace("\n", "\r\n"),
    "cr": (HEAD + ROW).replace("\n", "\r"),
    "blank lines": "\n" + HEAD + "\n" + ROW + ",,,,,,,\n\n",
    "semicolons": (HEAD + ROW).replace(",", ";"),
    "decimal commas": "filename;class;xmin;ymin;xmax;ymax\na.jpg;cat;100,0;60,0;300,0;180,0\n",
    "tabs": "filename\tclass\txmin\tymin\txmax\tymax\na.jpg\tcat\t100,0\t60\t300\t180,00\n",
    "bars": (HEAD + ROW).replace(",", "|"),
    "sep line": "sep=;\r\n" + (HEAD + ROW).replace(",", ";"),
    "quotes": '"filename","class","xmin","ymin","xmax","ymax"\n'
    '"a.jpg","cat","100","60","300","180"',
    "blanks": "file, class, xmin, ymin, xmax, ymax \n a.jpg , cat , 100 , 60 , 300 , 180 \n",
    "capitals": "FileName,Class,XMin,YMin,XMax,YMax\na.jpg,cat,100,60,300,180\n",
    "x1": "image_path,x1,y1,x2,y2,class_name\na.jpg,100,60,300,180,cat\n",
    "x0": "image,x0,y0,x1,y1,label\na.jpg,100,60,300,180,cat\n",
    "four corners": "img,x1,y1,x2,y2,x3,y3,x4,y4,label\na.jpg,180,60,300,70,290,180,100,160,cat\n",
    "left": "Filename,Left,Top,Right,Bottom,Label\na.jpg,100,60,300,180,cat\n",
    "bbox_x": "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,"
    "image_width,image_height\n"
    "cat,100,60,200,120,a.jpg,400,300\n",
    "sides": "filename,x,y,w,h,label\na.jpg,100,60,200,120,cat\n",
    "sides beside the image's": "file,width,height,x,y,w,h,label\n"
    "a.jpg,400,300,100,60,200,120,cat\n",
    "bbox_w beside width": "file,width,height,bbox_x,bbox_y,bbox_w,bbox_h,label\n"
    "a.jpg,400,300,100,60,200,120,cat\n",
    "centre beside the image's": "file,width,height,cx,cy,w,h,label\n"
    "a.jpg,400,300,200,120,200,120,cat\n",
    "centre": "filename,x_center,y_center,width,height,label\na.jpg,200,120,200,120,cat\n",
    "one cell": 'image_id,width,height,bbox,label\na,400,300,"[100.0, 60.0, 200, 120]",cat\n',
    "open images": "ImageID,Source,LabelName,XMin,XMax,YMin,YMax\na,x,cat,100,300,60,180\n",
    "retinanet": "a.jpg,100,60,300,180,cat\n",
    "retinanet, empty image": "a.jpg,100,60,300,180,cat\na.jpg,,,,,\n",
    "retinanet, other machine": "/home/me/pets/a.jpg,100,60,300,180,cat\n",
    "makesense": "cat,100,60,200,120,a.jpg,400,300\n",
    "tensorflow, no header": ROW,
    "windows path": HEAD + "images\\" + ROW,
    "via": VIA + 'a.jpg,9,{},1,0,"{""name"":""rect"",""x"":100,""y"":60,""width"":200,'
    '""height"":120}",'
    '"{""label"":""cat""}"\n',
    "via, polygon": VIA + 'a.jpg,9,{},1,0,"{""name"":""polygon"",""all_points_x"":[100,300,200],'
    '""all_points_y"":[60,70,180]}","{""type"":{""cat"":true}}"\n',
    "via, nothing": VIA + 'a.jpg,9,{},1,0,"{""name"":""circle"",""cx"":200,""cy"":120,""r"":0,'
    '""rx"":100,""ry"":60}","{""type"":""cat""}"\na.jpg,9,{},0,0,{},{}\n',
}  # fmt: skip


@pytest.mark.parametrize("dialect", CSV)
def test_tables_are_read_in_each_dialect(tmp_path, dialect):
    folder = "images/" if dialect == "windows path" else ""
    laid_out(tmp_path, {f"{folder}a.jpg": None, "boxes.csv": CSV[dialect]})
    read = read_csv(tmp_path / "boxes.csv", None if folder else tmp_path)
    (image,) = read.images
    assert image.path == tmp_path / f"{folder}a.jpg"
    assert image.targets.xyxy.tolist() == [BOX]
    assert read.class_names == ("cat",)
    assert image.size_wh in ((400, 300), (0, 0))


QUAD = [[180, 60], [300, 70], [290, 180], [100, 160]]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3]])
@pytest.mark.parametrize("unit", [(1, 1), (400, 300)])
def test_four_corners_go_around_the_box_in_px(tmp_path, order, unit):
    corners = ",".join(str(value) for value in (np.array(QUAD)[order] / unit).ravel())
    text = f"img,width,height,x1,y1,x2,y2,x3,y3,x4,y4,label\na.jpg,400,300,{corners},cat\n"
    laid_out(tmp_path, {"a.jpg": None, "boxes.csv": text})
    (found,) = read_annotations(f"csv:{tmp_path / 'boxes.csv'}").images[0].targets.outlines_xy
    first = int(np.abs(found - QUAD[0]).sum(1).argmin())
    around = np.roll(found, -first, 0)
    if np.abs(around[1] - QUAD[1]).sum() > 1:
        around = around[[0, 3, 2, 1]]
    np.testing.assert_allclose(around, QUAD, atol=1e-3)


def test_columns_that_are_not_read_are_reported(tmp_path):
    laid_out(
        tmp_path, {"a.jpg": None, "boxes.csv": HEAD.strip() + ",pose\n" + ROW.strip() + ",Left"}
    )
    problems = Problems()
    read_annotations(f"csv:{tmp_path / 'boxes.csv'}", problems)
    assert ["'pose'" in problem.where for problem in problems] == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,3\n", "columns"),
        (HEAD + ROW.replace("300,180", "3O0,180"), "line 2.*number"),
        (HEAD.replace(",", ";") + ROW.replace(",", ";").replace("60;", "6,0,0;"), "line 2.*number"),
        ("image_id,bbox\na,\"[1, 2, 3]\"\n", "4 numbers"),
        (HEAD + '"a.jpg', "CSV"),
        ((HEAD + ROW.replace("cat", "K\xe4tzchen")).encode("latin-1"), "UTF-8"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_reported_in_one_line(tmp_path, text, message):
    laid_out(tmp_path, {"boxes.csv": text})
    with pytest.raises(DatasetError, match=message) as caught:
        read_csv(tmp_path / "boxes.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["labels.json", "a.xml"])
def test_a_file_in_the_encoding_of_old_windows_is_named_as_such(tmp_path, name):
    box = "<xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
    xml = (
        f"<annotation><object><name>K\xe4tzchen</name><bndbox>{box}</bndbox></object></annotation>"
    )
    text = xml if name == "a.xml" else coco().replace('"cat"', '"K\xe4tzchen"')
    laid_out(tmp_path, {"a.jpg": None, name: text.encode("cp1252")})
    with pytest.raises(DatasetError, match=r"must be .* in UTF-8"):
        read_usable(str(tmp_path))
    laid_out(tmp_path, {name: text.encode()})
    assert read_usable(str(tmp_path)).class_names == ("K\xe4tzchen",)


@pytest.mark.parametrize("theta", [0.0, 0.7, 1.5708, -2.1])
def test_an_ellipse_of_via_becomes_the_box_around_it(tmp_path, theta):
    shape = {"name": "ellipse", "cx": 200, "cy": 120, "rx": 60, "ry": 20, "theta": theta}
    cell = json.dumps(shape).replace('"', '""')
    laid_out(tmp_path, {"a.jpg": None, "via.csv": VIA + f'a.jpg,9,{{}},1,0,"{cell}",{{}}\n'})
    (image,) = read_csv(tmp_path / "via.csv").images
    turns = np.linspace(0, 2 * np.pi, 10_001)
    x = 200 + 60 * np.cos(turns) * np.cos(theta) - 20 * np.sin(turns) * np.sin(theta)
    y = 120 + 60 * np.cos(turns) * np.sin(theta) + 20 * np.sin(turns) * np.cos(theta)
    around = [x.min(), y.min(), x.max(), y.max()]
    assert image.targets.xyxy[0] == pytest.approx(around, abs=0.01)


def one(**changes):
    """The annotation of the sample, changed."""
    base = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [100, 60, 200, 120]}
    return [base | changes]


def categories(*pairs, **more):
    return [{"id": key, "name": name} | more for key, name in pairs]


IMAGE = {"file_name": "a.jpg", "width": 400, "height": 300}
COCO = {
    "bom": coco().encode("utf-8-sig"),
    "utf-16": coco().encode("utf-16"),
    "utf-16, no mark": coco().encode("utf-16-le"),
    "ids as texts": coco(annotations=one(image_id="1", category_id="1")),
    "ids with a point": coco(annotations=one(image_id=1.0, category_id="1.0")),
    "names as ids": coco(images=[IMAGE | {"id": "a"}], annotations=one(image_id="a")),
    "huge ids": coco(images=[IMAGE | {"id": 2**80}], annotations=one(image_id=2**80)),
    "numbers as texts": coco(annotations=one(bbox=["100", "60.0", " 200", "1.2e2"])),
    "box as a text": coco(annotations=one(bbox="[100, 60, 200, 120]")),
    "crowd as a text": coco(annotations=one(iscrowd="0")),
    "no id": coco(annotations=[{"image_id": 1, "category_id": 1, "bbox": [100, 60, 200, 120]}]),
    "polygon alone": coco(annotations=one(bbox=[], segmentation=[[100, 60, 300, 70, 200, 180]])),
    "no size": coco(images=[{"id": 1, "file_name": "a.jpg"}]),
    "size as texts": coco(images=[IMAGE | {"id": 1, "width": "400", "height": "300"}]),
    "sparse categories": coco(categories=categories((90, "dog"), (1, "cat"))),
    "category ids as texts": coco(categories=categories(("1", "cat"))),
    "from zero": coco(categories=categories((0, "cat")), annotations=one(category_id=0)),
    "NaN elsewhere": coco(info={"version": float("nan")}),
    "NaN in a score": coco(annotations=one(score=float("nan"))),
    "nulls": coco(annotations=one(segmentation=None, keypoints=None, iscrowd=None, area=None)),
    "nested": coco(annotations=one(attributes={"a": [{"b": {}}]}, segmentation={"counts": "x"})),
}  # fmt: skip


@pytest.mark.parametrize("dialect", COCO)
def test_coco_files_are_read_in_each_dialect(tmp_path, dialect):
    laid_out(tmp_path, {"a.jpg": None, "a.json": COCO[dialect]})
    read = read_annotations(f"coco:{tmp_path / 'a.json'}")
    (image,) = read.images
    assert (image.path, image.targets.xyxy.tolist()) == (tmp_path / "a.jpg", [BOX])
    assert read.class_names[image.targets.class_ids[0]] == "cat"
    assert not image.targets.difficult.any()


def test_a_score_in_place_of_a_visibility_is_reported(tmp_path):
    named = [{"id": 1, "name": "cat", "keypoints": ["nose"]}]
    text = coco(categories=named, annotations=one(keypoints=[200, 100, 0.9]))
    laid_out(tmp_path, {"a.jpg": None, "a.json": text})
    with pytest.raises(DatasetError, match=r"annotation 1: the visibility .* got 0\.9"):
        read_annotations(f"coco:{tmp_path / 'a.json'}")


def test_the_category_of_the_project_is_not_a_class(tmp_path):
    own = [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "pets"},
        {"id": 2, "name": "dog", "supercategory": "pets"},
    ]
    (tmp_path / "a.json").write_text(coco(categories=own))
    read = read_annotations(f"coco:{tmp_path / 'a.json'}")
    assert (read.class_names, dict(read.category_ids)) == (("cat", "dog"), {0: 1, 1: 2})
    assert read.images[0].targets.class_ids.tolist() == [0]
    assert "pets" in read.notes[0]


def test_of_categories_with_one_name_those_with_objects_count(tmp_path):
    own = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]
    (tmp_path / "a.json").write_text(coco(categories=own, annotations=one(category_id=2)))
    read = read_annotations(f"coco:{tmp_path / 'a.json'}")
    assert (read.class_names, dict(read.category_ids), read.notes) == (("cat",), {0: 2}, ())
    both = [*one(category_id=1), *one(category_id=2)]
    (tmp_path / "a.json").write_text(coco(categories=own, annotations=both))
    assert "share a name: cat" in read_annotations(f"coco:{tmp_path / 'a.json'}").notes[0]


def test_ids_are_kept_as_the_file_has_them(tmp_path):
    image = [{"id": "07", "file_name": "a.jpg"}]
    own = [{"id": "3", "name": "cat"}]
    objects = one(image_id="07", category_id="3")
    (tmp_path / "a.json").write_text(coco(images=image, categories=own, annotations=objects))
    read = read_annotations(f"coco:{tmp_path / 'a.json'}")
    assert dict(read.category_ids) == {0: "3"}
    assert read.images[0].targets.image_id == "07"


def test_a_project_may_have_the_name_of_its_class(tmp_path):
    own = [{"id": 0, "name": "cat", "supercategory": "none"},
           {"id": 1, "name": "cat", "supercategory": "cat"}]  # fmt: skip
    (tmp_path / "a.json").write_text(coco(categories=own))
    assert read_annotations(f"coco:{tmp_path / 'a.json'}").class_names == ("cat",)


@pytest.mark.parametrize(
    "own",
    [
        [{"id": 0, "name": "pets"}, {"id": 1, "name": "cat", "supercategory": "pets"}],
        [{"id": 1, "name": "cat", "supercategory": "cat"}],
        [{"id": 1, "name": "cat", "supercategory": None}, {"id": 2, "name": "dog"}],
    ],
    ids=["with objects", "its own group", "none"],
)
def test_other_categories_are_classes_with_objects_or_not(tmp_path, own):
    used = one(category_id=own[0]["id"])
    (tmp_path / "a.json").write_text(coco(categories=own, annotations=used))
    read = read_annotations(f"coco:{tmp_path / 'a.json'}")
    assert read.class_names == tuple(each["name"] for each in own)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"image_id": 1, "category_id": 1, "score": 0.5}], "results of a model"),
        ([{"id": 1, "annotations": [], "data": {"image": "a.jpg"}}], "Label Studio"),
        ({"shapes": [], "imagePath": "a.jpg"}, "labelme"),
        ([{"image": "a.jpg", "annotations": []}], "CreateML"),
        ({"a.jpg1": {"filename": "a.jpg", "regions": []}}, "VIA"),
        ({"size": {"width": 4, "height": 3}, "objects": []}, "Supervisely"),
        ({"info": {}, "categories": {}, "items": []}, "Datumaro"),
        ([{"version": 0, "tags": [], "shapes": [], "tracks": []}], "CVAT"),
        ([{"name": "a.jpg", "labels": []}], "BDD100K"),
        ([{"data_row": {"external_id": "a.jpg"}, "projects": {}}], "Labelbox"),
        ({"x": 1}, "COCO"),
    ],
)  # fmt: skip
def test_json_of_another_tool_is_named_with_the_cure(tmp_path, value, message):
    (tmp_path / "a.json").write_text(json.dumps(value))
    with pytest.raises(DatasetError, match=message):
        read_annotations(f"coco:{tmp_path / 'a.json'}")


def test_one_bad_record_among_many_is_left_out(tmp_path):
    records = [*one(), None, 7, [], {"id": 3, "image_id": 1, "category_id": 1, "bbox": "?"}]
    (tmp_path / "a.json").write_text(coco(annotations=records))
    problems = Problems()
    read = read_annotations(f"coco:{tmp_path / 'a.json'}", problems)
    assert (len(read.images[0].targets), len(problems)) == (1, 4)


def test_a_record_that_is_not_utf8_is_left_out(tmp_path):
    named = [{"id": 1, "name": "cat"}, {"id": 2, "name": "?"}]
    text = coco(categories=named).encode().replace(b'"?"', b'"\xe3"')
    (tmp_path / "a.json").write_bytes(text)
    problems = Problems()
    read = read_annotations(f"coco:{tmp_path / 'a.json'}", problems)
    assert (read.class_names, len(problems)) == (("cat",), 1)


def test_a_damaged_coco_file_is_reported_in_one_line(tmp_path):
    (tmp_path / "a.json").write_text(coco()[:-30])
    with pytest.raises(DatasetError, match=r"a\.json") as caught:
        read_annotations(f"coco:{tmp_path / 'a.json'}")
    assert "\n" not in str(caught.value)
