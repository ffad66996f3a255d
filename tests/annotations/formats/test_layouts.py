"""Folder layouts of common tools; each holds one image with one cat, which must be found."""

import json
import re

import pytest

from kpviewer.annotations.formats.recognition import is_annotation_xml
from kpviewer.annotations.problems import Problems
from kpviewer.annotations.spec import read_annotations, read_usable
from kpviewer.errors import DatasetError
from tests.annotations.formats.layout_samples import BOX, LABEL, NAMES, XML, coco, laid_out

CVAT = {
    "obj.names": "cat\n",
    "obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
    "train.txt": "data/obj_train_data/a.jpg\n",
    "obj_train_data/a.txt": LABEL,
}
CVAT_WITH_IMAGES = CVAT | {"obj_train_data/a.jpg": None}
ULTRALYTICS = {"images/train/a.jpg": None, "labels/train/a.txt": LABEL}
ROBOFLOW = {
    "train/images/a.jpg": None,
    "train/labels/a.txt": LABEL,
    "data.yaml": "train: ../train/images\nval: ../valid/images\n" + NAMES,
}

YOLO = {
    "ultralytics": (ULTRALYTICS | {"data.yaml": NAMES}, "yolo:."),
    "ultralytics, split": (ULTRALYTICS | {"data.yaml": NAMES}, "yolo:.:train"),
    "ultralytics, entry": (
        {"images/t17/a.jpg": None, "labels/t17/a.txt": LABEL,
         "coco.yaml": "path: ../datasets/coco\ntrain: images/t17\n" + NAMES}, "yolo:.:train"),
    "ultralytics, images": (ULTRALYTICS | {"x.yaml": NAMES}, "yolo:images/train"),
    "ultralytics, labels": (ULTRALYTICS | {"x.yaml": NAMES}, "yolo:labels/train"),
    "labels, unnamed format": (ULTRALYTICS | {"x.yaml": NAMES}, "labels"),
    "labels of a split, unnamed format": (ULTRALYTICS | {"x.yaml": NAMES}, "labels/train"),
    "yaml of any name": (ULTRALYTICS | {"pets.yaml": NAMES, "hyp.yaml": "lr0: 1"}, "yolo:."),
    "yaml that is broken": (ULTRALYTICS | {"pets.yml": NAMES, "x.yaml": "a: ["}, "yolo:."),
    "yaml named": (ULTRALYTICS | {"pets.yaml": NAMES, "b.yaml": "names: [x]"}, "yolo:pets.yaml"),
    "yaml alone": (ULTRALYTICS | {"pets.yaml": NAMES}, "pets.yaml"),
    "yaml elsewhere": (
        {"set/images/a.jpg": None, "set/labels/a.txt": LABEL,
         "yaml/pets.yaml": "path: ../set\ntrain: images\n" + NAMES}, "yolo:yaml/pets.yaml"),
    "absolute folders": (
        {"set/images/a.jpg": None, "set/labels/a.txt": LABEL,
         "yaml/pets.yaml": "train: {root}/set/images\n" + NAMES}, "yolo:yaml/pets.yaml"),
    "list of images": (
        ULTRALYTICS | {"images/train/b.jpg": None, "train.txt": "./images/train/a.jpg\n",
                       "data.yaml": "train: train.txt\n" + NAMES}, "yolo:.:train.txt"),
    "list of another machine": (
        {"images/a.jpg": None, "images/b.jpg": None, "labels/a.txt": LABEL,
         "list.txt": "/content/pets/images/a.jpg\n",
         "data.yaml": "val: list.txt\n" + NAMES}, "yolo:.:val"),
    "list of images, named": (
        {"images/a.jpg": None, "images/b.jpg": None, "labels/a.txt": LABEL,
         "train.txt": "images/a.jpg\n", "classes.txt": "cat"}, "yolo:train.txt"),
    "roboflow": (ROBOFLOW, "yolo:."),
    "roboflow, split": (ROBOFLOW, "yolo:.:train"),
    "roboflow, part": (ROBOFLOW, "yolo:train"),
    "roboflow, alone": (ROBOFLOW, "."),
    "roboflow, darknet": (
        {"train/a.jpg": None, "train/a.txt": LABEL, "train/_darknet.labels": "cat\n"}, "train"),
    "label studio": (
        {"images/a.jpg": None, "labels/a.txt": LABEL, "classes.txt": "cat\n",
         "notes.json": '{"categories": [{"id": 0, "name": "cat"}]}'}, "yolo:."),
    "label studio, notes": (
        {"images/a.jpg": None, "labels/a.txt": LABEL,
         "notes.json": '{"categories": [{"id": 0, "name": "cat"}]}'}, "."),
    "label studio, own images": (
        {"mine/a.jpg": None, "out/labels/0a1b2c3d-a.txt": LABEL, "out/classes.txt": "cat\n"},
        "yolo:out/labels:mine"),
    "cvat": (CVAT_WITH_IMAGES, "yolo:."),
    "cvat, split": (CVAT_WITH_IMAGES, "yolo:.:train"),
    "cvat, data": (CVAT_WITH_IMAGES, "yolo:obj.data"),
    "cvat, alone": (CVAT_WITH_IMAGES, "."),
    "cvat, own images": (
        {f"x/{name}": text for name, text in CVAT.items()} | {"mine/a.jpg": None}, "yolo:x:mine"),
    "labelimg": ({"a.jpg": None, "a.txt": LABEL, "classes.txt": "cat"}, "yolo:."),
    "labelimg, alone": ({"a.jpg": None, "a.txt": LABEL, "classes.txt": "cat"}, "."),
    "labelimg, save dir": (
        {"pics/a.jpg": None, "pics/b.jpg": None, "out/a.txt": LABEL, "out/classes.txt": "cat"},
        "yolo:out:pics"),
    "labelimg, save dir inside": (
        {"a.jpg": None, "out/a.txt": LABEL, "out/classes.txt": "cat"}, "yolo:."),
    "labelimg, predefined": (
        {"a.jpg": None, "a.txt": LABEL, "predefined_classes.txt": "cat"}, "yolo:."),
    "labels and images named": (
        {"img/a.jpg": None, "lab/a.txt": LABEL, "classes.txt": "cat"}, "yolo:lab:img"),
    "capitals": ({"Images/a.jpg": None, "Labels/a.txt": LABEL, "classes.txt": "cat"}, "yolo:."),
    "singular": ({"image/a.jpg": None, "label/a.txt": LABEL, "classes.txt": "cat"}, "yolo:."),
    "darknet": ({"JPEGImages/a.jpg": None, "labels/a.txt": LABEL, "obj.names": "cat"}, "yolo:."),
    "folder in a folder": (
        {"pets/train/images/a.jpg": None, "pets/train/labels/a.txt": LABEL,
         "pets/data.yaml": NAMES}, "yolo:."),
    "both endings": ({"images/a.jpg": None, "labels/a.jpg.txt": LABEL, "x.yaml": NAMES}, "yolo:."),
    "labels among images": (
        {"images/a.jpg": None, "images/a.txt": LABEL, "x.yaml": NAMES}, "yolo:."),
    "predictions inside": (
        {"images/a.jpg": None, "labels/a.txt": LABEL, "data.yaml": NAMES,
         "runs/detect/a.jpg": None, "runs/detect/labels/a.txt": LABEL}, "yolo:."),
}  # fmt: skip
COCO = {
    "beside": ({"a.jpg": None, "labels.json": coco()}, "coco:labels.json"),
    "label studio": ({"images/x-a.jpg": None, "result.json": coco("images/x-a.jpg")}, "."),
    "label studio, windows": (
        {"images/a.jpg": None, "result.json": coco("images\\a.jpg")}, "coco:result.json"),
    "label studio, storage": (
        {"images/a.jpg": None, "result.json": coco("/data/local-files/?d=pets/my%20cat/a.jpg")},
        "coco:result.json"),
    "label studio, upload": (
        {"images/a.jpg": None, "result.json": coco("/data/upload/1/0a1b2c3d-a.jpg")},
        "coco:result.json:images"),
    "bucket": ({"images/a.jpg": None, "x.json": coco("s3://pets/b/a.jpg")}, "coco:x.json"),
    "address": (
        {"images/a.jpg": None, "x.json": coco("https://h.example/b/a.jpg?w=9")}, "coco:x.json"),
    "cvat": (
        {"images/default/a.jpg": None, "annotations/instances_default.json": coco()},
        "coco:annotations/instances_default.json"),
    "cvat, flat": (
        {"images/a.jpg": None, "annotations/instances_default.json": coco()}, "."),
    "coco's own": (
        {"val2017/a.jpg": None, "train2017/a.jpg": None, "annotations/instances_val2017.json":
         coco()}, "coco:annotations/instances_val2017.json"),
    "coco's own, keypoints": (
        {"images/val2017/a.jpg": None, "images/train2017/a.jpg": None,
         "annotations/person_keypoints_val2017.json": coco()},
        "coco:annotations/person_keypoints_val2017.json"),
    "roboflow": ({"train/a.jpg": None, "train/_annotations.coco.json": coco()}, "train"),
    "another machine": (
        {"images/a.jpg": None, "labels.json": coco("C:\\Users\\me\\pets\\a.jpg")},
        "coco:labels.json"),
    "up": ({"images/a.jpg": None, "ann/x.json": coco("../images/a.jpg")}, "coco:ann/x.json"),
    "deep": ({"data/raw/7/a.jpg": None, "labels.json": coco()}, "coco:labels.json"),
    "images named": ({"x/y/a.jpg": None, "l/labels.json": coco("y/a.jpg")}, "coco:l/labels.json:x"),
    "folder of that name": (
        {"images/a.jpg": None, "l/x.json": coco("images/a.jpg")}, "coco:l/x.json:images"),
}  # fmt: skip
VOC = {
    "pascal": ({"JPEGImages/a.jpg": None, "Annotations/a.xml": XML}, "voc:."),
    "pascal, split": (
        {"JPEGImages/a.jpg": None, "JPEGImages/b.jpg": None, "Annotations/a.xml": XML,
         "Annotations/b.xml": XML, "ImageSets/Main/val.txt": "a\n"}, "voc:.:val"),
    "pascal, list of a class": (
        {"JPEGImages/a.jpg": None, "JPEGImages/b.jpg": None, "Annotations/a.xml": XML,
         "Annotations/b.xml": XML, "ImageSets/Main/cat_val.txt": "a  1\nb -1\n"},
        "voc:.:cat_val"),
    "kaggle": ({"images/a.jpg": None, "annotations/a.xml": XML}, "voc:."),
    "kaggle, alone": ({"images/a.jpg": None, "annotations/a.xml": XML}, "."),
    "kaggle, capitals": ({"Images/a.jpg": None, "Annotations/a.xml": XML}, "voc:."),
    "kaggle, other words": ({"img/a.jpg": None, "annots/a.xml": XML}, "voc:."),
    "oxford pets": (
        {"images/a.jpg": None, "annotations/xmls/a.xml": XML, "annotations/trainval.txt":
         "a 1 1 1\n"}, "voc:.:trainval"),
    "split folders": (
        {"images/train/a.jpg": None, "annotations/train/a.xml": XML,
         "images/val/a.jpg": None, "annotations/val/a.xml": XML}, "voc:.:train"),
    "roboflow": ({"train/a.jpg": None, "train/a.xml": XML}, "voc:."),
    "roboflow, split": (
        {"train/a.jpg": None, "train/a.xml": XML, "valid/a.jpg": None, "valid/a.xml": XML},
        "voc:.:val"),
    "labelimg": ({"a.jpg": None, "a.xml": XML}, "voc:."),
    "labelimg, save dir": ({"pics/a.jpg": None, "out/a.xml": XML}, "voc:out:pics"),
    "list with its ending": (
        {"JPEGImages/a.jpg": None, "JPEGImages/b.jpg": None, "Annotations/a.xml": XML,
         "Annotations/b.xml": XML, "ImageSets/Main/val.txt": "a\n"}, "voc:.:val.txt"),
    "cvat": (
        {"JPEGImages/a.jpg": None, "Annotations/a.xml": XML,
         "ImageSets/Main/default.txt": "a\n", "labelmap.txt": "cat:0,0,0::\n"}, "voc:.:default"),
    "annotations given": ({"images/a.jpg": None, "annotations/a.xml": XML}, "voc:annotations"),
    "bom": ({"a.jpg": None, "a.xml": XML.encode("utf-8-sig")}, "voc:."),
    "utf-16": ({"a.jpg": None, "a.xml": XML.encode("utf-16")}, "voc:."),
}  # fmt: skip
TABLE = "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,100,60,300,180\n"
CSV = {
    "raccoon": ({"images/a.jpg": None, "data/labels.csv": TABLE}, "csv:data/labels.csv"),
    "tensorflow": (
        {"images/train/a.jpg": None, "images/test/a.jpg": None, "data/test_labels.csv": TABLE},
        "csv:data/test_labels.csv"),
    "kaggle": (
        {"train/a.jpg": None, "train.csv": TABLE.replace("a.jpg", "a")}, "csv:train.csv"),
    "alone": ({"images/a.jpg": None, "boxes.csv": TABLE.replace("a.jpg", "images/a.jpg")}, "."),
    "tabs": ({"a.jpg": None, "boxes.tsv": TABLE.replace(",", "\t")}, "boxes.tsv"),
}  # fmt: skip
EVERY = [
    pytest.param(*each, id=f"{kind}: {name}")
    for kind, group in (("yolo", YOLO), ("coco", COCO), ("voc", VOC), ("csv", CSV))
    for name, each in group.items()
]


@pytest.mark.parametrize(("files", "spec"), EVERY)
def test_the_image_and_its_cat_are_found(tmp_path, monkeypatch, files, spec):
    laid_out(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    read = read_usable(spec)
    (image,) = read.images
    assert image.path.is_file()
    assert image.path.stem in ("a", "x-a")
    np_box = image.targets.xyxy.round(3).tolist()
    assert (np_box, read.class_names) == ([BOX], ("cat",))


def test_the_split_decides_between_images_of_one_name(tmp_path):
    files, spec = COCO["coco's own"]
    laid_out(tmp_path, files)
    kind, _, place = spec.partition(":")
    (image,) = read_annotations(f"{kind}:{tmp_path / place}").images
    assert image.path == tmp_path / "val2017/a.jpg"


@pytest.mark.parametrize(
    ("labels", "image"),
    [
        ("annotations/val.json", "images/val/a.jpg"),
        ("annotations/val.json", "val/a.jpg"),
        ("val.json", "val/images/a.jpg"),
        ("val.csv", "images/val/a.jpg"),
    ],
)
def test_a_file_named_like_the_folder_of_its_images_decides(tmp_path, labels, image):
    table = "file,xmin,ymin,xmax,ymax\na.jpg,1,2,30,40\n"
    text = coco() if labels.endswith("json") else table
    laid_out(tmp_path, {image: None, image.replace("val", "train"): None, labels: text})
    (found,) = read_annotations(str(tmp_path / labels)).images
    assert found.path == tmp_path / image


def test_images_of_one_name_in_several_folders_are_not_guessed(tmp_path):
    laid_out(tmp_path, {"p/a.jpg": None, "q/a.jpg": None, "labels.json": coco()})
    (image,) = read_annotations(f"coco:{tmp_path / 'labels.json'}").images
    assert image.path == tmp_path / "a.jpg"  # where it should be


def test_two_paths_of_another_machine_do_not_share_one_image(tmp_path):
    images = [{"id": row, "file_name": f"/data/{row}/a.jpg"} for row in (1, 2)]
    images[0]["file_name"], images[1]["file_name"] = "/x/1/a.jpg", "/x/2/a.jpg"
    laid_out(tmp_path, {"a.jpg": None, "labels.json": coco(images=images)})
    with pytest.raises(DatasetError, match="both fit"):
        read_annotations(f"coco:{tmp_path / 'labels.json'}")


def test_several_lists_of_names_are_reported_with_the_cure(tmp_path):
    laid_out(tmp_path, ULTRALYTICS | {"a.yaml": "names: [x]", "b.yaml": "names: [y]"})
    with pytest.raises(DatasetError, match=r"several.*yolo:.*a\.yaml"):
        read_annotations(f"yolo:{tmp_path}")


@pytest.mark.parametrize("name", ["D:/old/val/1.jpg", "s3://bucket/val/1.jpg"])
def test_an_image_that_is_gone_is_not_one_of_another_folder(tmp_path, name):
    laid_out(tmp_path, {"images/train/1.jpg": None, "images/val/2.jpg": None})
    text = f"file,xmin,ymin,xmax,ymax,class\n{name},1,2,3,4,cat\nval/2.jpg,1,2,3,4,cat\n"
    (tmp_path / "table.csv").write_text(text)
    problems = Problems()
    read = read_annotations(f"csv:{tmp_path / 'table.csv'}", problems)
    (image,) = (each for each in read.images if each.path.is_file())
    assert image.path == tmp_path / "images/val/2.jpg"
    (tmp_path / "images/val").rename(tmp_path / "images/other")
    read = read_annotations(f"csv:{tmp_path / 'table.csv'}", problems)  # a folder of another name
    assert tmp_path / "images/train/1.jpg" in [each.path for each in read.images]


def test_two_sets_in_one_folder_are_not_read_as_one(tmp_path):
    for name, count in (("pets", 60), ("toys", 1)):
        files = {f"{name}/images/{number}.jpg": None for number in range(count)}
        files |= {f"{name}/labels/{number}.txt": LABEL for number in range(count)}
        laid_out(tmp_path, files | {f"{name}/data.yaml": f"names: [{name}]\n"})
    with pytest.raises(DatasetError, match=r"several lists of names.*Name one of the two: yolo:"):
        read_annotations(f"yolo:{tmp_path}")
    assert read_annotations(f"yolo:{tmp_path / 'toys'}").class_names == ("toys",)


def test_of_lists_that_begin_alike_the_longest_counts(tmp_path):
    for folder, names in (("a", "cat\n"), ("b", "cat\ndog\n")):
        files = {f"{folder}/{folder}.jpg": None, f"{folder}/{folder}.txt": LABEL}
        laid_out(tmp_path, files | {f"{folder}/classes.txt": names})
    assert read_annotations(f"yolo:{tmp_path}").class_names == ("cat", "dog")


def test_a_broken_yaml_that_might_hold_the_names_is_reported(tmp_path):
    laid_out(tmp_path, ULTRALYTICS | {"pets.yaml": "names: [cat"})
    with pytest.raises(DatasetError, match=r"pets\.yaml"):
        read_annotations(f"yolo:{tmp_path}")


def test_a_folder_of_several_files_names_them(tmp_path):
    holder = tmp_path / "annotations"
    holder.mkdir()
    for name in ("instances_train.json", "instances_val.json"):
        (holder / name).write_text("{}")
    (tmp_path / "labels.csv").write_text("fname,labels\na.jpg,cat\n")
    train, val = (holder / f"instances_{split}.json" for split in ("train", "val"))
    named = f"Name a file in it: coco:{train}, coco:{val}, labels:{tmp_path / 'labels.csv'}."
    with pytest.raises(DatasetError, match=re.escape(f"{tmp_path} isn't one set. {named}")):
        read_annotations(str(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_of_cvat_is_named_whatever_its_name(tmp_path, encoding):
    path = tmp_path / "job_7.xml"
    path.write_text("<?xml version='1.0'?><annotations><version>1.1</version>", encoding)
    with pytest.raises(DatasetError, match=r"job_7\.xml is in CVAT's own format"):
        read_annotations(str(path))


def test_the_only_table_of_a_folder_is_its_set(tmp_path):
    laid_out(tmp_path, {"valid/a.jpg": None, "valid/_annotations.coco.json": coco("a.jpg")})
    assert read_annotations(str(tmp_path)).images[0].path == tmp_path / "valid/a.jpg"


def test_a_folder_of_unknown_kind_is_reported_with_the_forms(tmp_path):
    laid_out(tmp_path, {"a.jpg": None})
    with pytest.raises(DatasetError, match=r"known kind.*coco:FILE"):
        read_annotations(str(tmp_path))


@pytest.mark.parametrize(
    ("images", "labels", "content", "tool"),
    [
        ("{}.jpg", "{}.json", '{"shapes": [], "imagePath": "a.jpg"}', "labelme"),
        ("img/{}.jpg", "ann/{}.jpg.json", '{"size": {}, "objects": []}', "Supervisely"),
    ],
)
def test_a_folder_with_json_for_each_image_is_named(tmp_path, images, labels, content, tool):
    laid_out(tmp_path, {images.format(name): None for name in "ab"})
    laid_out(tmp_path, {labels.format(name): content for name in "ab"})
    with pytest.raises(DatasetError, match=f"It is {tool}'s own format"):
        read_annotations(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "tool"),
    [
        ('[{"image": "/a.jpg", "id": 1, "label": [], "annotator": 1}]', "Label Studio"),
        ('{"version": "2.0", "item": {}, "annotations": []}', "V7 Darwin"),
        ('{"label_classes": [], "images": []}', "Hasty"),
        ('[{"data_title": "a.jpg", "data_hash": "x"}]', "Encord"),
        ('[{"task_id": "1", "response": {}}]', "Scale"),
        ('{"version": 1.3, "people": []}', "OpenPose"),
        ('{"skeletons": [], "labels": []}', "SLEAP"),
        ('{"image": {"file_name": "a.jpg"}, "annotations": []}', "Segment Anything"),
        ('{"project": {}, "view": {}, "metadata": {}}', "VIA"),
    ],
)
def test_json_of_other_tools_is_named(tmp_path, content, tool):
    laid_out(tmp_path, {"a.jpg": None, "x.json": content})
    with pytest.raises(DatasetError, match=f"It is {tool}.*'s own format: export it as COCO"):
        read_annotations(str(tmp_path / "x.json"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"annotations": [{"image_id": 1, "segments_info": []}], "categories": []}, "panoptic"),
        ({"annotations": [{"image_id": 1, "caption": "A cat."}]}, "captions: name the set's inst"),
        ({"annotations": [{"image_id": 1, "caption": "A cat."}], "categories": []}, "captions"),
        ({"categories": []}, "lists images without annotations"),
    ],
)
def test_coco_files_without_objects_are_named(tmp_path, content, what):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"images": [{"id": 1, "file_name": "a.jpg"}], **content}))
    with pytest.raises(DatasetError, match=what):
        read_annotations(str(path))


def test_a_set_whose_objects_all_count_neither_way_is_noted(tmp_path):
    laid_out(tmp_path, {"a.jpg": None})
    document = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 8, 8], "iscrowd": 1}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "x.json").write_text(json.dumps(document))
    note = "no object of the data counts: detections can only be false alarms"
    assert read_usable(str(tmp_path / "x.json")).notes == (note,)


@pytest.mark.parametrize(
    ("files", "what", "maker"),
    [
        (["label_2/a.txt", "image_2/a.jpg"], ".", "KITTI's"),
        (["labelTxt/a.txt", "images/a.jpg"], ".", "DOTA's"),
        (["gt/gt.txt", "img1/000001.jpg"], ".", "MOT's"),
        (["training/label_2/a.txt", "training/image_2/a.jpg"], ".", "KITTI's"),
        (["wider_face_val_bbx_gt.txt"], ".", "WIDER FACE's"),
        (["WIDER_val/a.jpg", "wider_face_split/wider_face_val_bbx_gt.txt"], ".", "WIDER FACE's"),
        (["annotation_val.odgt"], ".", "CrowdHuman's"),
        (["out.manifest"], "out.manifest", "SageMaker's"),
        (["a.slp"], "a.slp", "SLEAP's"),
        (["pets.ndjson", "images/a.jpg"], ".", "JSON Lines"),
        (["_annotations.txt", "_classes.txt", "a.jpg"], ".", "Keras YOLO's"),
        (["annotations.xml"], "annotations.xml", "CVAT's own"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path, files, what, maker):
    laid_out(tmp_path, dict.fromkeys(files, "1"))
    with pytest.raises(DatasetError, match=f"{maker} format, which isn't read: convert it to COCO"):
        read_annotations(str(tmp_path / what))


@pytest.mark.parametrize(
    ("name", "content", "tool"),
    [
        ("gt.txt", "1", "Datumaro"),
        ("a.slp", "1", "sleap-io"),
        ("b.csv", "scorer,me,me\nbodyparts,nose,nose\n", "sleap-io"),
        ("c.json", '{"shapes": [], "imagePath": "a.jpg"}', "labelme2coco"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_its_converter(tmp_path, name, content, tool):
    laid_out(tmp_path, {name: content})
    with pytest.raises(DatasetError, match=f"convert it to COCO, as {tool} does"):
        read_annotations(str(tmp_path / name))


@pytest.mark.parametrize("what", [".", "pets.zip"])
def test_an_archive_is_to_be_unpacked(tmp_path, what):
    laid_out(tmp_path, {"pets.zip": "1", "a.jpg": None})
    with pytest.raises(DatasetError, match=r"pets\.zip is an archive: unpack it"):
        read_annotations(str(tmp_path / what))


def test_predictions_of_ultralytics_are_no_ground_truth(tmp_path):
    laid_out(tmp_path, {"runs/p/images/a.jpg": None, "runs/p/labels/a.txt": LABEL})
    with pytest.raises(DatasetError, match="images and labels"):
        read_annotations(f"yolo:{tmp_path}")


def test_a_link_back_to_the_folder_lists_no_image_twice(tmp_path):
    laid_out(tmp_path, {"images/a.jpg": None, "labels/a.txt": LABEL, "data.yaml": NAMES})
    (tmp_path / "images/again").symlink_to(tmp_path / "images")
    (tmp_path / "images/more").symlink_to(tmp_path)
    assert len(read_annotations(f"yolo:{tmp_path}")) == 1


def test_the_format_of_cvat_is_named_with_the_cure(tmp_path):
    laid_out(tmp_path, {"a.xml": "<annotations><image/></annotations>"})
    with pytest.raises(DatasetError, match="Export it as Pascal VOC"):
        read_annotations(f"voc:{tmp_path}")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (XML.encode(), True),
        (b'<?xml version="1.0"?>\n<!-- by hand -->\n<ANNOTATION/>', True),
        ("<annotations/>".encode("utf-16"), True),
        (b'<?xml version="1.0"?><net name="a" version="11"/>', False),
        (b"", False),
        (None, False),
    ],
)
def test_xml_of_annotations_is_known_by_its_beginning(tmp_path, content, expected):
    if content is not None:
        (tmp_path / "a.xml").write_bytes(content)
    assert is_annotation_xml(tmp_path / "a.xml") is expected
